"""The recipe for tokens of Django REST framework, in a project that has it."""

from __future__ import annotations

import pytest

from tests.package.conftest import Environment
from tests.support import guides
from tests.support.people import picture

SETTINGS = """
INSTALLED_APPS = [*INSTALLED_APPS, "faceauth", "faceauth.profiles"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "faceauth.backends.FaceBackend",
]
FACEAUTH = {"CHALLENGE": None, "UNKNOWN_DEVICES": "allow"}
"""

# Another view of the site, which takes tokens.
VIEWS = """

from rest_framework.authentication import TokenAuthentication


class NameView(APIView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"name": request.user.get_username()})
"""

URLS = """
from mysite.views import NameView

urlpatterns += [path("name/", NameView.as_view())]
"""

VISIT = """
import pathlib

import django

django.setup()

from django.contrib.auth import get_user_model
from django.test import Client

import mysite.receivers
from faceauth.enrolment import remove

client = Client(headers={"host": "localhost"})
assert client.post("/token/").status_code in (401, 403)
with open("stranger.jpg", "rb") as picture:
    assert client.post("/face/login/", {"snapshot": picture, "username": "ada"}).status_code == 401
assert client.post("/token/").status_code in (401, 403)
with open("again.jpg", "rb") as picture:
    logged_in = client.post("/face/login/", {"snapshot": picture, "username": "ada"})
assert logged_in.status_code == 302, logged_in.content
token = client.post("/token/").json()["token"]

program = Client(headers={"host": "localhost", "authorization": f"Token {token}"})
assert program.get("/name/").json() == {"name": "ada"}
remove(get_user_model().objects.get(username="ada"))
assert program.get("/name/").status_code == 401
"""


@pytest.fixture
def project(wheel, tmp_path):
    """Set up a project by the recipe; return its environment and folder."""
    environment, folder = Environment(tmp_path / "venv"), tmp_path / "project"
    folder.mkdir()
    environment.pip("install", str(wheel), "djangorestframework")
    environment.run("django-admin startproject mysite .", folder)
    (folder / "mysite/urls.py").unlink()
    text = guides.section("recipes.md", "Tokens for Django REST framework")
    own = {"mysite/settings.py": SETTINGS, "mysite/views.py": VIEWS, "mysite/urls.py": URLS}
    ours = [guides.Block("python", path, text) for path, text in own.items()]
    # The settings before those of the recipe, the others after them.
    guides.write([ours[0], *guides.blocks_of(text), *ours[1:]], folder)
    (folder / "photos/ada").mkdir(parents=True)
    (folder / "photos/ada/1.jpg").write_bytes(picture("obama"))
    (folder / "again.jpg").write_bytes(picture("obama2"))
    (folder / "stranger.jpg").write_bytes(picture("biden"))
    environment.run("python manage.py migrate", folder)
    environment.run(
        "python manage.py face_enrol photos --consent 1 --create --domain example.com", folder
    )
    return environment, folder


def test_face_brings_a_token_that_ends_with_it(project):
    environment, folder = project
    (folder / "visit.py").write_text(VISIT)
    environment.run("python visit.py", folder, DJANGO_SETTINGS_MODULE="mysite.settings")
