from __future__ import annotations

from django.urls import include, path

from tests.projects.stock.urls import urlpatterns as stock
from tests.support.projects import follow

allauth = path("accounts/", include("allauth.urls"))
pages: dict = {"urlpatterns": [*stock[:1], *stock[2:], allauth], "path": path, "include": include}
follow("installation.md", "With django-allauth", "mysite/urls.py", pages)
follow("passkeys.md", "The face after the passkey", "mysite/payments.py", pages)

urlpatterns = [*pages["urlpatterns"], path("pay/", pages["pay"])]
