"""Small projects with the traits of well-known ones, in which faceauth was tried."""

from __future__ import annotations

from tests.package.frameworks import OSCAR, WAGTAIL
from tests.package.shape import EMAIL, KEY, LINK, PASSWORD, Shape

DEVICE = f"""
from django_otp.plugins.otp_totp.models import TOTPDevice

TOTPDevice.objects.filter(user=user).delete()
TOTPDevice.objects.create(user=user, name="default", key="{KEY.hex()}")
"""

EMAIL_BACKEND = """
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend


class EmailBackend(ModelBackend):
    def authenticate(self, request, username=None, password=None, **kwargs):
        user = get_user_model().objects.filter(email__iexact=username or "").first()
        if user and user.check_password(password) and self.user_can_authenticate(user):
            return user
"""


# A login view of its own that takes the email address and asks for a token; tuples for settings.
TOKENS = Shape(
    {
        "mysite/settings.py": """
INSTALLED_APPS = (*INSTALLED_APPS, "django_otp", "django_otp.plugins.otp_totp", "accounts")
MIDDLEWARE = (*MIDDLEWARE, "django_otp.middleware.OTPMiddleware")
AUTHENTICATION_BACKENDS = ("accounts.backends.EmailBackend",)
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/me/"
USE_I18N = False
""",
        "mysite/urls.py": """
from accounts import views

urlpatterns += [
    path("login/", views.login, name="login"),
    path("login/token/", views.token, name="token"),
]
""",
        "accounts/__init__.py": "",
        "accounts/backends.py": EMAIL_BACKEND,
        "accounts/views.py": """
from django import forms
from django.contrib import auth
from django.shortcuts import redirect, render
from django_otp import match_token, user_has_device


class LoginForm(forms.Form):
    email = forms.EmailField()
    password = forms.CharField(widget=forms.PasswordInput)


class TokenForm(forms.Form):
    token = forms.CharField()


def login(request):
    form = LoginForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        user = auth.authenticate(request, username=data["email"], password=data["password"])
        if user and user_has_device(user):
            request.session["half"] = user.pk
            return redirect("token")
        if user:
            auth.login(request, user)
            return redirect("/me/")
        form.add_error(None, "Wrong email address or password.")
    return render(request, "registration/login.html", {"form": form})


def token(request):
    form = TokenForm(request.POST or None)
    user = auth.get_user_model().objects.filter(pk=request.session.get("half")).first()
    if user and form.is_valid() and match_token(user, form.cleaned_data["token"]):
        auth.login(request, user, "accounts.backends.EmailBackend")
        return redirect("/me/")
    return render(request, "registration/login.html", {"form": form})
""",
    },
    {"username": "7b0c1a2e-0001"},
    "/login/",
    {"email": EMAIL, "password": PASSWORD},
    DEVICE,
    "/login/token/",
    {"token": "{token}"},
    ("django-otp",),
    ("In the template of your login page (/login/)",),
)

# People log in to an admin of its own; all other addresses are pages of the site; a policy.
PAGES = Shape(
    {
        "mysite/settings.py": """
MIDDLEWARE += ["mysite.policy.PolicyMiddleware"]
""",
        "mysite/policy.py": """
class PolicyMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["Content-Security-Policy"] = "default-src 'self'; img-src 'self' data:"
        return response
""",
        "mysite/desk.py": """
from django.contrib.admin import AdminSite
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User


class Desk(AdminSite):
    login_template = "registration/login.html"


desk = Desk("desk")
desk.register(User, UserAdmin)
""",
        "mysite/urls.py": """
from django.http import HttpResponse
from django.urls import re_path

from mysite.desk import desk


def page(request, path):
    return HttpResponse(f"The page {path}.")


urlpatterns = [path("desk/", desk.urls), *urlpatterns, re_path(r"^(.*)$", page)]
""",
    },
    {"username": "ada"},
    "/desk/login/",
    {"username": "ada", "password": PASSWORD},
    by_hand=("Your Content-Security-Policy",),
)

# A user model without usernames, django-allauth with its second factor, ASGI and PostgreSQL.
ASYNC = Shape(
    {
        "people/__init__.py": "",
        "people/models.py": """
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models


class People(BaseUserManager):
    def create_superuser(self, email, password, **fields):
        user = self.model(email=email, is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save()
        return user


class Person(AbstractUser):
    username = None
    email = models.EmailField(unique=True)
    objects = People()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []
""",
        "mysite/settings.py": """
import os

INSTALLED_APPS += ["people", "allauth", "allauth.account", "allauth.mfa"]
AUTH_USER_MODEL = "people.Person"
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_TOTP_TOLERANCE = 1
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/me/"
DATABASES["default"] = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["DATABASE_NAME"],
    "USER": "faceauth",
    "HOST": "127.0.0.1",
    "PORT": os.environ["DATABASE_PORT"],
    "ATOMIC_REQUESTS": True,
}
""",
        "mysite/urls.py": """
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import include

urlpatterns += [path("accounts/", include("allauth.urls")), *staticfiles_urlpatterns()]
""",
    },
    {},
    "/accounts/login/",
    {"login": EMAIL, "password": PASSWORD},
    f"""
from base64 import b32encode
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP

Authenticator.objects.filter(user=user).delete()
TOTP.activate(user, b32encode({KEY!r}).decode())
""",
    "/accounts/2fa/authenticate/",
    {"code": "{token}"},
    ("django-allauth[mfa]", "uvicorn", "psycopg[binary]"),
    served="-m uvicorn mysite.asgi:application --port {port}",
    postgres=True,
    link={},
)

# django-two-factor-auth, and sessions in a table that users see; its own block of a base template.
TWO_FACTOR = Shape(
    {
        "mysite/settings.py": """
INSTALLED_APPS = [
    *(each for each in INSTALLED_APPS if each != "django.contrib.sessions"),
    "user_sessions",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "two_factor",
]
MIDDLEWARE = (
    *(each.replace("django.contrib.sessions", "user_sessions") for each in MIDDLEWARE),
    "django_otp.middleware.OTPMiddleware",
)
SESSION_ENGINE = "user_sessions.backends.db"
SILENCED_SYSTEM_CHECKS = ["admin.E410"]  # It knows only the middleware of Django.
LOGIN_URL = "two_factor:login"
LOGIN_REDIRECT_URL = "/me/"
""",
        "mysite/urls.py": """
from django.urls import include
from two_factor.urls import urlpatterns as two_factor

urlpatterns += [path("", include(two_factor))]
""",
    },
    {"username": "ada"},
    "/account/login/",
    {
        "login_view-current_step": "auth",
        "auth-username": "ada",
        "auth-password": PASSWORD,
    },
    DEVICE,
    "/account/login/",
    {"login_view-current_step": "token", "token-otp_token": "{token}"},
    ("django-two-factor-auth", "django-user-sessions"),
    ("In the template of your login page (/account/login/)",),
    link={
        "templates/two_factor/core/login.html": f"""\
{{% extends "two_factor/core/login.html" %}}
{{% block content %}}
  {{{{ block.super }}}}
  {LINK}{{% endblock %}}
"""
    },
)

# All pages have their language in the address; nobody knows their random username.
LANGUAGES = Shape(
    {
        "mysite/settings.py": """
INSTALLED_APPS += ["shop"]
MIDDLEWARE.insert(2, "django.middleware.locale.LocaleMiddleware")
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German"), ("es", "Spanish")]
AUTHENTICATION_BACKENDS = [
    "shop.backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "shop-login"
LOGIN_REDIRECT_URL = "/me/"
DATABASES["default"]["ATOMIC_REQUESTS"] = True
""",
        "mysite/urls.py": """
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.views import LoginView

urlpatterns += i18n_patterns(path("accounts/login/", LoginView.as_view(), name="shop-login"))
""",
        "shop/__init__.py": "",
        "shop/backends.py": EMAIL_BACKEND,
    },
    {"username": "x7Gq0custom"},
    "/en/accounts/login/",
    {"username": EMAIL, "password": PASSWORD},
    by_hand=("In the template of your login page (/en/accounts/login/)",),
    faces="/en/face/",
)

# What get_username() returns is not what a user is found by; logins by name or email address.
SLUGS = Shape(
    {
        "members/__init__.py": "",
        "members/models.py": """
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models


class Members(BaseUserManager):
    def create_superuser(self, password, **fields):
        user = self.model(is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save()
        return user


class Member(AbstractBaseUser, PermissionsMixin):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=50, unique=True)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    objects = Members()
    USERNAME_FIELD = "slug"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name", "email"]

    def get_username(self):
        return self.name
""",
        "members/backends.py": """
from django.contrib.auth.backends import ModelBackend
from django.db.models import Q

from members.models import Member


class NameBackend(ModelBackend):
    def authenticate(self, request, username=None, password=None, **kwargs):
        user = Member.objects.filter(Q(name=username) | Q(email=username)).first()
        if user and user.check_password(password):
            return user
""",
        "mysite/settings.py": """
INSTALLED_APPS += ["members"]
AUTH_USER_MODEL = "members.Member"
AUTHENTICATION_BACKENDS = ["members.backends.NameBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/me/"
""",
        "mysite/urls.py": """
from django.contrib.auth.views import LoginView

urlpatterns += [path("login/", LoginView.as_view(), name="login")]
""",
    },
    {"slug": "ada-1815", "name": "Ada Lovelace"},
    "/login/",
    {"username": "Ada Lovelace", "password": PASSWORD},
    by_hand=("In the template of your login page (/login/)",),
)

# A project as in Django's tutorials.
TUTORIAL = Shape(
    {
        "mysite/settings.py": """
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/me/"
""",
        "mysite/urls.py": """
from django.urls import include

urlpatterns += [path("accounts/", include("django.contrib.auth.urls"))]
""",
    },
    {"username": "ada"},
    "/accounts/login/",
    {"username": "ada", "password": PASSWORD},
    by_hand=("In the template of your login page (/accounts/login/)",),
)

SHAPES = {
    "tokens": TOKENS,
    "pages": PAGES,
    "async": ASYNC,
    "two_factor": TWO_FACTOR,
    "languages": LANGUAGES,
    "slugs": SLUGS,
    "tutorial": TUTORIAL,
    "wagtail": WAGTAIL,
    "oscar": OSCAR,
}
