"""A project as django-admin startproject makes it, with what `docs/installation.md` adds."""

from __future__ import annotations

import os

import environ

SECRET_KEY = "the-tests-keep-no-secrets-and-so-this-may-be-known-to-everybody"
ALLOWED_HOSTS = ["testserver"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "faceauth",
    "faceauth.profiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "tests.projects.stock.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

os.environ.setdefault("DATABASE_URL", "sqlite:///db.sqlite3")
DATABASES = {"default": environ.Env().db("DATABASE_URL")}

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "faceauth.backends.FaceBackend",
]
LOGIN_URL = "faceauth:login"
LOGIN_REDIRECT_URL = "/"

# Django 6.1 warns where it is missing, and 5.2 does not look.
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}}

USE_TZ = True
STATIC_URL = "static/"

# A login in a test need not be slow to guess, and what comes after the challenge is the same.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
FACEAUTH = {"CHALLENGE": None, "UNKNOWN_DEVICES": "allow"}
