from __future__ import annotations

from django.urls import include, path

from tests.projects.stock.urls import urlpatterns as stock
from tests.support.projects import follow

urlpatterns = [*stock[:1], *stock[2:], path("accounts/", include("allauth.urls"))]

follow("installation.md", "With django-allauth", "mysite/urls.py", globals())
