"""A site's own rule about who may log in applies to faces as it does to passwords."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from accounts.models import User
from faceauth import views
from faceauth.models import FaceEvent
from tests.site.conftest import PASSWORD, username_of
from tests.support import mail

LOGIN, ADMIN = "/face/login/", "/admin/login/face/"
PAID = "Pay your bill first."


class Paying(AuthenticationForm):
    def confirm_login_allowed(self, user):
        super().confirm_login_allowed(user)
        if not user.email or user.last_name == "in debt":
            raise ValidationError(PAID, code="unpaid")


class PayingStaff(Paying, AdminAuthenticationForm):
    pass


@pytest.fixture
def rule(monkeypatch):
    monkeypatch.setattr(views.LoginView, "password_form", Paying)
    monkeypatch.setattr(admin.site, "login_form", PayingStaff)


@pytest.fixture
def debtor(obama):
    obama.email = ""
    obama.is_staff = True
    obama.save()
    return obama


@pytest.mark.parametrize("name", ["", "obama"])
def test_a_recognised_user_is_refused_in_the_words_of_the_sites_form(
    client, ask, rule, debtor, upload, name
):
    status, answer = ask(LOGIN, username=name, snapshot=upload("obama2"))
    by_password = ask(LOGIN, username="obama", password=PASSWORD)
    assert (status, answer) == by_password
    assert answer["error"]["message"] == PAID
    page = client.post(LOGIN, {"username": name, "snapshot": upload("obama3")})
    assert PAID in page.text
    assert username_of(client) is None
    assert not FaceEvent.objects.filter(kind=FaceEvent.Kind.LOGIN).exists()


def test_a_stranger_does_not_hear_of_the_rule(ask, rule, debtor, upload):
    status, answer = ask(LOGIN, username="obama", snapshot=upload("biden"))
    assert (status, answer["error"]["code"]) == (401, "not_recognised")
    assert PAID not in str(answer)


def test_others_log_in(client, ask, rule, obama, upload):
    assert ask(LOGIN, snapshot=upload("obama2"))[0] == 200
    assert username_of(client) == "obama"


def test_the_admin_applies_the_rule_of_its_own_form(client, ask, rule, debtor, upload):
    status, answer = ask(ADMIN, snapshot=upload("obama2"))
    assert answer["error"]["message"] == PAID
    assert status >= 400
    assert username_of(client) is None


def test_with_a_code_the_rule_is_told_only_to_who_has_the_code(
    client, ask, rule, obama, upload, settings
):
    settings.FACEAUTH = {**settings.FACEAUTH, "UNKNOWN_DEVICES": "code"}
    answer = ask(LOGIN, username="obama", snapshot=upload("obama2"))
    assert answer[1]["code_required"]
    assert ask(LOGIN, username="nobody", snapshot=upload("obama2")) == answer
    User.objects.update(last_name="in debt")
    assert ask(LOGIN, username="obama", snapshot=upload("obama2")) == answer
    status, told = ask(LOGIN, code=mail.code())
    assert (status, told["error"]["message"]) == (400, PAID)
    assert username_of(client) is None
