from __future__ import annotations

from django.urls import path

from tests.projects.stock.urls import urlpatterns as stock
from tests.support.projects import follow

pages: dict = {"urlpatterns": [*stock]}
follow("passkeys.md", "With django-otp-webauthn", "mysite/urls.py", pages)
follow("passkeys.md", "The face after the passkey", "mysite/payments.py", pages)

urlpatterns = [*pages["urlpatterns"], path("pay/", pages["pay"])]
