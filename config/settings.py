"""The site's settings. Values that differ between machines come from the environment or `.env`."""

from __future__ import annotations

from pathlib import Path

import django
import environ
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")


def secret(name: str, default: str | environ.NoValue = environ.Env.NOTSET) -> str:
    """Return a secret: the content of the file `<name>_FILE`, or the variable itself.

    A file can be given to the services that need it, and does not show in a list of variables.
    """
    if file := env.str(f"{name}_FILE", default=""):
        return Path(file).read_text().strip()
    return env.str(name, default=default)


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

ADMIN_SECOND_STEP = env.bool("FACEAUTH_ADMIN_SECOND_STEP", default=False)
INSTALLED_APPS = [
    "accounts",
    "faceauth",
    # The admin site with its own password login, or the one that asks for a face.
    "faceauth.apps.FaceAdminConfig"
    if env.bool("FACEAUTH_ADMIN_LOGIN", default=False) or ADMIN_SECOND_STEP
    else "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
# The commands face_evaluate, face_calibrate and face_attack.
if env.bool("FACEAUTH_EVALUATION", default=DEBUG):
    INSTALLED_APPS.append("faceauth.evaluation")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "faceauth.middleware.DatabaseDownMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.dev_mail.link",
            ],
        },
    },
]

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
if password := secret("DATABASE_PASSWORD", default=""):
    DATABASES["default"]["PASSWORD"] = password
DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
# If the database was restarted, the connection is opened again without an error.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # Requests read while one writes; a second writer waits instead of failing.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 5

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "faceauth.backends.FaceBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "faceauth:login"
LOGIN_REDIRECT_URL = "accounts:profile"
LOGOUT_REDIRECT_URL = "home"

FACEAUTH = {
    "THREADS": env.int("FACEAUTH_THREADS", default=1),
    "HEALTH": env.bool("FACEAUTH_HEALTH", default=False),
    "CALIBRATION": env.str("FACEAUTH_CALIBRATION", default="") or None,
    "UNKNOWN_DEVICES": env.str("FACEAUTH_UNKNOWN_DEVICES", default="code"),
    "ADMIN_SECOND_STEP": ADMIN_SECOND_STEP,
    "ENCRYPTION_KEYS": [
        key.strip()
        for key in secret("FACEAUTH_ENCRYPTION_KEYS", default="").split(",")
        if key.strip()
    ],
    "ENCRYPTION_TRANSFORM_KEY": secret("FACEAUTH_TRANSFORM_KEY", default="") or None,
}

# Visitors get the first of these languages that their browser asks for, or else the default.
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
# British English has no catalogue of its own, but dates as people there write them.
LANGUAGES = [("en", _("English")), ("en-gb", _("British English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "config.storage.StaticFilesStorage"
    },
}

email = env.email_url("EMAIL_URL", default="consolemail://")
DEV_MAIL = DEBUG and email["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
if DEV_MAIL:
    # Printed as well, and shown at /dev/mail/.
    email["EMAIL_BACKEND"] = "config.dev_mail.EmailBackend"
if django.VERSION < (6, 1):
    vars().update(email)
else:
    options = {
        "EMAIL_HOST": "host",
        "EMAIL_PORT": "port",
        "EMAIL_HOST_USER": "username",
        "EMAIL_HOST_PASSWORD": "password",
        "EMAIL_USE_TLS": "use_tls",
        "EMAIL_USE_SSL": "use_ssl",
        "EMAIL_FILE_PATH": "file_path",
    }
    MAILERS = {
        "default": {
            "BACKEND": email["EMAIL_BACKEND"],
            "OPTIONS": {name: email[key] for key, name in options.items() if email.get(key)},
        }
    }
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="faceauth@localhost")

SESSION_COOKIE_HTTPONLY = True
# Django's default is two weeks. A login takes two seconds, so a day is no burden, and whoever finds
# a computer open finds no session of last week. There is no shorter limit for idle sessions.
SESSION_COOKIE_AGE = env.int("SESSION_COOKIE_AGE", default=24 * 3600)
CSRF_FAILURE_VIEW = "faceauth.views.csrf_failure"

# Pages contain no inline scripts or styles, and load nothing from other sites. The frames of the
# camera are pictures that the page creates itself: `blob:` and `data:`.
CSP = {
    "default-src": ["'self'"],
    "img-src": ["'self'", "blob:", "data:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
if django.VERSION >= (6,):
    MIDDLEWARE.insert(1, "django.middleware.csp.ContentSecurityPolicyMiddleware")
    SECURE_CSP = CSP
else:
    MIDDLEWARE.insert(1, "csp.middleware.CSPMiddleware")
    CONTENT_SECURITY_POLICY = {"DIRECTIVES": CSP}
PERMISSIONS_POLICY: dict[str, str | list[str]] = {
    "camera": "self",
    "display-capture": [],
    "geolocation": [],
    "microphone": [],
}

# Browsers allow the camera only over HTTPS, and on localhost.
HTTPS = env.bool("HTTPS", default=not DEBUG)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
# Only for owners of the whole domain who know that none of its hosts needs HTTP: browsers cannot be
# told to forget it quickly. Without them, `check --deploy` would warn.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("HSTS_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
if env.bool("BEHIND_PROXY", default=False):
    # Only if a proxy sets this header itself; otherwise any client could claim to use HTTPS.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # The proxy also appends to X-Forwarded-For. Failed attempts count for the address it saw.
    FACEAUTH["TRUSTED_PROXIES"] = 1
