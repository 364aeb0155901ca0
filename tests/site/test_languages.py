"""Pages, answers and mails in the language that was asked for; commands in English."""

from __future__ import annotations

import datetime
import re

import cv2
import pytest
from django.core.management import call_command, load_command_class
from django.test import Client
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import strip_tags

from accounts.models import User
from faceauth.models import FaceEvent
from tests.site.conftest import JSON, PASSWORD, log_in_by_face
from tests.support import catalogues
from tests.support.conversing import FRAMES
from tests.support.mail import sent
from tests.support.webcam import empty_room
from tests.unit.test_catalogues import PLACEHOLDERS, SOURCES, catalogue, texts

SPANISH = {"Accept-Language": "es"}

PUBLIC = ["/", "/face/login/", "/face/notice/", "/accounts/signup/", "/accounts/password-reset/"]
MEMBERS = ["/", "/members/", "/accounts/profile/", "/face/enrol/", "/face/remove/"]
STAFF = [
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/{pk}/change/",
    "/admin/accounts/user/{pk}/face/enrol/",
    "/admin/accounts/user/{pk}/face/photos/",
    "/admin/faceauth/faceevent/",
    "/admin/faceauth/faceevent/dashboard/",
]


@pytest.fixture(scope="session")
def english() -> set[str]:
    """Whole sentences of the site in English that Spanish has other words for. What permissions
    are called is in the database, where Django writes it in English.
    """
    with translation.override("en"):  # whichever language the test before has left
        permissions = {str(name) for _codename, name in FaceEvent._meta.permissions}
    return {
        text
        for folder in SOURCES
        for (_context, text, _plural), strings in texts(catalogue(folder, "es")).items()
        if text.count(" ") > 2
        and text not in strings
        and not PLACEHOLDERS.search(text)
        and text not in permissions
    }


def assert_spanish(response, english: set[str]) -> None:
    """It says that it is in Spanish, and has no sentence in English."""
    words = re.sub(r"\s+", " ", strip_tags(response.text))
    assert response["Content-Language"] == "es"
    assert '<html lang="es"' in response.text
    assert not [text for text in english if text in words]


@pytest.mark.parametrize("asked", ["es", "es-MX", "es-AR,es;q=0.9,en;q=0.8", "fr,es;q=0.5"])
def test_login_page_speaks_spanish_where_that_is_asked_for(client: Client, asked):
    page = client.get("/face/login/", headers={"Accept-Language": asked})

    assert '<html lang="es"' in page.text
    assert "Iniciar sesión" in page.text
    # What the script says while it looks.
    assert "Su cámara está apagada." in page.text


@pytest.mark.parametrize("asked", ["", "de", "fr,de;q=0.5", "zz-ZZ", "en-GB,es;q=0.5"])
def test_all_others_are_answered_in_english(client: Client, asked):
    page = client.get("/face/login/", headers={"Accept-Language": asked})

    assert '<html lang="en' in page.text
    assert "Your camera is off." in page.text


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("en-GB", "28 Nov 2026"),
        ("en-US,en", "Nov. 28, 2026"),
        ("es", "28 de noviembre de 2026"),
    ],
)
def test_dates_are_written_as_the_browsers_language_does(client: Client, obama, asked, written):
    at = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)
    User.objects.filter(pk=obama.pk).update(face_enrolled_at=at)
    log_in_by_face(client, obama)
    page = client.get("/accounts/profile/", headers={"Accept-Language": asked})
    assert written in page.text


@pytest.fixture
def german(settings) -> dict[str, str]:
    """The site is in German, as Django is, to which the app is not translated."""
    settings.LANGUAGES = [("de", "German"), ("en", "English")]
    with translation.override("de"):
        assert translation.gettext("username") == "Benutzername"
    return {"Accept-Language": "de"}


WRONG = {"username": "nobody", "password": "wrong"}


def test_page_is_not_half_in_a_language_that_the_app_lacks(client: Client, db, german):
    page = client.post("/face/login/", WRONG, headers=german).text
    assert '<html lang="de"' in page
    ours = page.partition('<div class="faceauth-main" lang="en" dir="ltr">')[2]
    assert re.search(r"<h1>\s*Log in\s*</h1>", ours)
    labels = re.findall(r'<label for="id_(?:username|password)">([^<]+)<', ours)
    assert labels == ["Username", "Password"]
    assert "Please enter a correct username and password." in ours


def test_answer_is_not_half_in_a_language_that_the_app_lacks(client: Client, db, german):
    error = client.post("/face/login/", WRONG, headers={**german, **JSON}).json()["error"]
    assert error["message"].startswith("Please enter a correct username and password.")
    too_long = {"username": "x" * 300}
    error = client.post("/face/login/", too_long, headers={**german, **JSON}).json()["error"]
    assert error["fields"]["username"] == [
        "Ensure this value has at most 254 characters (it has 300)."
    ]


def test_dates_are_in_the_language_of_the_words_around_them(client: Client, obama, german):
    at = timezone.now() + datetime.timedelta(hours=3)
    User.objects.filter(pk=obama.pk).update(face_removal_at=at)
    form = {"username": "obama", "password": PASSWORD}
    told = client.post("/face/login/", form, headers=german, follow=True)
    with translation.override("en"):
        date = date_format(at, "DATETIME_FORMAT")
    assert f"will be removed on {date}, as you asked" in told.text


def test_site_can_translate_the_app_itself(client: Client, german, settings, tmp_path):
    """Docs: customise.md, "Other languages"."""
    catalogues.write(tmp_path, "de", {"With your face": "Mit Ihrem Gesicht"})
    settings.LOCALE_PATHS = [tmp_path]
    page = client.get("/face/login/", headers=german).text
    assert "Mit Ihrem Gesicht" in page
    assert '<label for="id_username">Benutzername</label>' in page
    assert '<div class="faceauth-main">' in page


@pytest.mark.parametrize("path", ["/", "/face/login/", "/face/notice/", "/no-such-page/"])
def test_caches_keep_each_language_apart(client: Client, path):
    assert "Accept-Language" in client.get(path, headers=SPANISH)["Vary"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PUBLIC)
def test_public_page_is_spanish_throughout(client: Client, english, path):
    assert_spanish(client.get(path, headers=SPANISH), english)


@pytest.mark.parametrize("path", MEMBERS)
def test_members_page_is_spanish_throughout(client: Client, obama: User, english, path):
    log_in_by_face(client, obama)

    assert_spanish(client.get(path, headers=SPANISH), english)


@pytest.mark.parametrize("path", STAFF)
def test_admin_page_is_spanish_throughout(admin_client: Client, obama: User, english, path):
    assert_spanish(admin_client.get(path.format(pk=obama.pk), headers=SPANISH), english)


@pytest.mark.parametrize(
    ("asked", "message"),
    [("es", "No le hemos reconocido."), ("de", "We didn’t recognise you.")],
)
def test_refusal_as_json_is_in_the_language_asked_for(
    client: Client, obama: User, upload, asked, message
):
    headers = {**JSON, "Accept-Language": asked}
    response = client.post("/face/login/", {"snapshot": upload("biden")}, headers=headers)

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "not_recognised"
    assert response.json()["error"]["message"].startswith(message)
    assert "Accept-Language" in response["Vary"]


@pytest.mark.django_db
def test_advice_and_form_errors_are_spanish(client: Client, upload):
    nobody = cv2.imencode(".jpg", empty_room())[1].tobytes()
    advice = client.post(FRAMES, {"frame": upload(nobody), "pose": "any"}, headers=SPANISH)
    assert advice.json()["message"].startswith("No vemos ninguna cara.")

    page = client.post("/face/login/", {"snapshot": upload(b"no picture")}, headers=SPANISH)
    assert "No podemos leer este archivo como foto." in page.text


def test_mail_is_in_the_language_of_the_request(client: Client, obama: User):
    log_in_by_face(client, obama)
    client.post("/face/remove/", headers=SPANISH)
    client.post("/accounts/password-reset/", {"email": obama.email}, headers=SPANISH)

    removed, password = sent()
    assert removed.subject == "Su cara se ha eliminado de testserver"
    assert removed.body.startswith("Hola, obama:\n\nSu cara se ha eliminado de testserver.")
    assert password.subject == "Su contraseña en testserver"
    assert "Elíjala aquí:" in password.body


def test_admin_speaks_of_faces_in_spanish(admin_client: Client, obama: User):
    path = "/admin/accounts/user/"
    data = {"action": "disable_face", "_selected_action": obama.pk}
    asked = admin_client.post(path, data, headers=SPANISH)
    assert "¿Desactivar el inicio de sesión facial de 1 usuario?" in asked.text
    data["faceauth_confirmed"] = "yes"
    told = admin_client.post(path, data, headers=SPANISH, follow=True)
    assert "Se ha desactivado el inicio de sesión facial de 1 usuario." in told.text

    history = admin_client.get(f"{path}{obama.pk}/history/", headers=SPANISH)
    assert "Inicio de sesión facial desactivado." in history.text


def test_commands_speak_english_in_every_language(db, capsys):
    with translation.override("es"):
        load_command_class("faceauth", "face_purge").print_help("manage.py", "face_purge")
        call_command("face_purge", dry_run=True)

    words = " ".join(capsys.readouterr().out.split())
    assert "Delete data that has been kept long enough" in words
    assert "show what would be deleted and whose faces, and delete nothing" in words
    assert "Dry run: nothing is deleted." in words


def test_password_of_old_is_still_understood(client: Client, obama: User):
    """A form that was filled in in one language is taken in the other."""
    data = {"username": "obama", "password": PASSWORD}
    page = client.post("/face/login/", data, headers=SPANISH, follow=True)

    assert "Hola de nuevo, obama." in page.text
