"""Projects of others, made by Django's own command: the guide leads to face login and back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.package import guide
from tests.package.conftest import Environment
from tests.support.people import OBAMA, picture
from tests.support.servers import Server
from tests.support.visiting import Browser

# The cookie of a trusted device, without HTTPS.
DEVICE = "faceauth_device"

PASSWORD = "correct horse battery staple"

OWN_USER = {
    "accounts/models.py": """
from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    pass
""",
    "mysite/settings.py": """
INSTALLED_APPS += ["accounts"]
AUTH_USER_MODEL = "accounts.User"
""",
}

ALLAUTH = {
    "mysite/settings.py": """
INSTALLED_APPS += ["allauth", "allauth.account", "notes"]
MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
""",
    "mysite/urls.py": """
from django.urls import include

urlpatterns += [path("accounts/", include("allauth.urls"))]
""",
    # Writes down what allauth tells of logins.
    "notes/apps.py": """
from django.apps import AppConfig


class NotesConfig(AppConfig):
    name = "notes"

    def ready(self):
        from allauth.account.signals import user_logged_in

        user_logged_in.connect(note)


def note(request, user, **kwargs):
    methods = [each["method"] for each in request.session["account_authentication_methods"]]
    with open("logins.txt", "a") as file:
        print(user.username, *methods, file=file)
""",
}


MANDATORY = """
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
"""


class Project:
    """A project in a folder, and the environment it runs in, in which faceauth is not yet."""

    def __init__(self, folder: Path, wheel: Path, needs: str = "django") -> None:
        self.wheel = wheel
        self.environment = Environment(folder / "venv")
        self.environment.pip("install", needs)
        self.folder = folder / "project"
        self.folder.mkdir()
        self.run("django-admin startproject mysite .")
        self.server: Server | None = None

    def run(self, command: str) -> str:
        done = self.environment.run(command, self.folder, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        return done.stdout

    def write(self, files: dict[str, str]) -> None:
        """What was there before; settings and URLs are added to."""
        for name, text in files.items():
            guide.type_in(guide.Step(text, name, name.startswith("mysite/")), self.folder)

    def begin(self) -> None:
        """Accounts that are there before."""
        self.run("python manage.py migrate")
        self.run("python manage.py createsuperuser --no-input --username ada --email a@example.com")

    def follow(self, title: str = "") -> None:
        for step in guide.steps(title):
            if step.path:
                guide.type_in(step, self.folder)
            else:
                self.type(step.text)

    def visit(self) -> Browser:
        assert self.server
        return self.server.wait().visit()

    def stop(self) -> None:
        if self.server:
            self.server.stop()
            self.server = None

    def type(self, commands: str) -> None:
        """Into a shell."""
        for command in commands.splitlines():
            if command == "pip install faceauth":
                self.environment.pip("install", str(self.wheel))
            elif command == "python manage.py runserver":
                self.serve()
            else:
                self.run(command)

    def serve(self) -> None:
        self.server = Server(
            ["python", "manage.py", "runserver", "--noreload", "{port}"],
            self.environment.variables,
            folder=self.folder,
            executable=self.environment.folder / "bin/python",
        )


@pytest.fixture
def started(tmp_path, wheel):
    made = []

    def start(needs: str = "django") -> Project:
        made.append(Project(tmp_path, wheel, needs))
        return made[0]

    yield start
    for project in made:
        project.stop()


def enrol(browser: Browser, page: str, **fields: Any) -> None:
    """Log in by password, enrol the face, and trust the browser."""
    browser.token(page)
    status, _ = browser.send(page, **fields, password=PASSWORD)
    assert status == 302
    browser.token("/face/enrol/")
    shots = [picture(name) for name in OBAMA]
    fields = {"challenge": browser.converse("obama", "enrol"), "consent": "on", "trust": "on"}
    status, answer = browser.post("/face/enrol/", shots, **fields)
    assert (status, answer.get("user")) == (200, {"username": "ada"}), answer


def logged_out(project: Project, browser: Browser) -> Browser:
    """The same browser without its session: all that it keeps is that it is trusted."""
    left = project.visit()
    left.cookies[DEVICE] = browser.cookies[DEVICE]
    return left


def face_is_not_enough(browser: Browser) -> None:
    """In a browser that nobody trusts."""
    browser.token("/face/login/")
    status, answer = browser.log_in("obama")
    assert (status, answer.get("code_required")) == (200, True), answer


def stranger_is_refused(browser: Browser) -> None:
    browser.token("/face/login/")
    status, answer = browser.log_in("biden")
    assert (status, answer["error"]["code"]) == (401, "not_recognised")


def face_logs_in(browser: Browser) -> str:
    """Where it leads."""
    browser.token("/face/login/")
    status, answer = browser.log_in("obama")
    assert (status, answer.get("user")) == (200, {"username": "ada"}), answer
    return answer["next"]


def followed(
    project: Project, title: str, page: str = "/face/login/", **fields: str
) -> tuple[Browser, str]:
    """Do what the guide says, enrol, log in by face: the trusted browser, and where that leads."""
    project.follow()
    project.follow(title)
    first = project.visit()
    enrol(first, page, **(fields or {"username": "ada"}))
    face_is_not_enough(project.visit())
    browser = logged_out(project, first)
    stranger_is_refused(browser)
    return browser, face_logs_in(browser)


def admin_is_open(browser: Browser) -> bool:
    return browser.ask("GET", "/admin/")[0] == 200


def password_still_works(project: Project, session: Browser) -> None:
    """Without faceauth: the project runs, sessions begun by face are over, passwords log in."""
    project.run("python manage.py check --fail-level WARNING")
    project.run("python manage.py makemigrations --check --dry-run")
    project.serve()
    old, new = project.visit(), project.visit()
    old.cookies = session.cookies
    assert not admin_is_open(old)
    new.token("/admin/login/")
    assert new.send("/admin/login/", username="ada", password=PASSWORD)[0] == 302
    assert admin_is_open(new)


@contextmanager
def timed(project: str, capsys: Any) -> Iterator[None]:
    """What is done in it: from `pip install` to a login by face."""
    began = time.monotonic()
    yield
    with capsys.disabled():
        print(f"{project}: {time.monotonic() - began:.0f} s from `pip install` to a login by face")


def test_own_user_model(started, capsys):
    project = started()
    project.run("python manage.py startapp accounts")
    project.write(OWN_USER)
    project.run("python manage.py makemigrations accounts")
    project.begin()

    title = "With a custom user model"
    with timed("own user model", capsys):
        browser, page = followed(project, title)
    assert page == "/face/devices/"
    assert admin_is_open(browser)
    leave(project, title, browser)


def test_stock_user_model(started, capsys):
    project = started()
    project.begin()

    title = "Without a login page"
    with timed("Django's own user model", capsys):
        browser, _ = followed(project, title)
    assert admin_is_open(browser)
    leave(project, title, browser)


def test_allauth(started, capsys):
    project = started("django-allauth")
    project.run("python manage.py startapp notes")
    project.write(ALLAUTH)
    project.begin()

    title = "With django-allauth"
    with timed("django-allauth", capsys):
        browser, _ = followed(project, title, "/accounts/login/", login="ada")
    _, page = project.visit().ask("GET", "/accounts/login/?next=/admin/")
    assert 'href="/face/login/?next=%2Fadmin%2F"' in page
    assert admin_is_open(browser)
    assert (project.folder / "logins.txt").read_text().splitlines() == ["ada password", "ada face"]
    # No way around what allauth asks of passwords.
    stranger = project.visit()
    stranger.token("/face/login/")
    status, _ = stranger.send("/face/login/", username="ada", password=PASSWORD)
    assert status >= 400
    assert not admin_is_open(stranger)
    project.stop()

    # What it asks for first, it asks of faces too.
    settings = project.folder / "mysite/settings.py"
    before = settings.read_text()
    settings.write_text(before + MANDATORY)
    project.serve()
    browser = logged_out(project, browser)
    assert face_logs_in(browser) == "/accounts/confirm-email/"
    assert not admin_is_open(browser)
    project.stop()
    settings.write_text(before)
    leave(project, title, browser)


def leave(project: Project, title: str, session: Browser) -> None:
    """As the guide says."""
    own_model = title == "With a custom user model"
    project.stop()
    profiles, tables, columns, stale, uninstall = guide.steps("Uninstalling")
    for step in [tables] if own_model else [profiles, tables]:
        project.type(step.text)
    guide.take_out(title, project.folder)
    if own_model:
        (project.folder / "accounts/models.py").write_text(OWN_USER["accounts/models.py"])
        project.type(columns.text)
    assert "faceauth" in project.run(f"yes yes | {stale.text.strip()}")
    assert project.run(stale.text) == ""
    project.type(uninstall.text)
    password_still_works(project, session)
