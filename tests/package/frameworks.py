"""Projects of frameworks with a login of their own: Wagtail, django-oscar."""

from __future__ import annotations

from tests.package.shape import COMMON, EMAIL, PASSWORD, Shape, recipe

# Wagtail, as its own command writes it.
WAGTAIL = Shape(
    {
        "mysite/views.py": COMMON["mysite/views.py"],
        "mysite/urls.py": """
from mysite.views import me

urlpatterns = [path("me/", me), *urlpatterns]
""",
    },
    {"username": "ada"},
    "/admin/login/",
    {"username": "ada", "password": PASSWORD},
    needs=("wagtail",),
    link=recipe("Wagtail’s login page", "mysite/"),
    start=("-c", "from wagtail.bin.wagtail import main; main()", "start", "mysite", "."),
    common=False,
)

# A shop as the documentation of django-oscar builds it.
OSCAR = Shape(
    {
        "mysite/settings.py": """
from oscar import INSTALLED_APPS
from oscar.defaults import *

ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
INSTALLED_APPS = [*INSTALLED_APPS, "sorl.thumbnail"]
SITE_ID = 1
MIDDLEWARE += [
    "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
]
AUTHENTICATION_BACKENDS = (
    "oscar.apps.customer.auth_backends.EmailBackend",
    "django.contrib.auth.backends.ModelBackend",
)
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
TEMPLATES[0]["OPTIONS"]["context_processors"] += [
    "oscar.apps.search.context_processors.search_form",
    "oscar.apps.checkout.context_processors.checkout",
    "oscar.apps.communication.notifications.context_processors.notifications",
    "oscar.core.context_processors.metadata",
]
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
LOGIN_REDIRECT_URL = "/me/"
""",
        "mysite/views.py": COMMON["mysite/views.py"],
        "mysite/urls.py": """
from django.apps import apps
from django.urls import include

from mysite.views import me

urlpatterns += [path("me/", me), path("", include(apps.get_app_config("oscar").urls[0]))]
""",
    },
    {"username": "x7Gq0custom"},
    "/accounts/login/",
    {"login_submit": "Log In", "login-username": EMAIL, "login-password": PASSWORD},
    needs=("django-oscar", "sorl-thumbnail"),
    by_hand=("In the template of your login page (/accounts/login/)",),
    link=recipe("A shop with django-oscar"),
    common=False,
)
