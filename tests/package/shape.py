"""What the small projects of the shapes have in common.

Each is what ``django-admin startproject mysite .`` makes, with these files: those in ``mysite/``
are added to, the others are new.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.support import guides

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.org"

# The key of the user's second factor.
KEY = b"12345678901234567890"
COMMON = {
    "mysite/settings.py": """
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
""",
    "mysite/views.py": """
from django.http import HttpResponse


def me(request):
    return HttpResponse(request.user.email if request.user.is_authenticated else "nobody")
""",
    "mysite/urls.py": """
from mysite.views import me

urlpatterns += [path("me/", me)]
""",
    "templates/base.html": """\
<!DOCTYPE html>
<html lang="en">
  <head>
    <title>{% block title %}{% endblock %}</title>
    {% block head %}{% endblock %}
  </head>
  <body class="site">{% block content %}{% endblock %}</body>
</html>
""",
    "templates/registration/login.html": """\
{% extends "base.html" %}
{% block content %}
  <form method="post">{% csrf_token %}{{ form }}<button>Log in</button></form>
{% endblock %}
""",
}

# What the guide adds to a login page, and that page with it.
LINKING = "Linking to the face login from your own page"
LINK = guides.blocks_of(guides.section("installation.md", LINKING))[0].text
LOGIN_PAGE = "templates/registration/login.html"
LINKED = {LOGIN_PAGE: COMMON[LOGIN_PAGE].replace("{% endblock %}", f"{LINK}{{% endblock %}}")}


def recipe(title: str, folder: str = "") -> dict[str, str]:
    """Return the files of a recipe of docs/recipes.md, in that folder of the project."""
    blocks = guides.blocks_of(guides.section("recipes.md", title))
    return {f"{folder}{each.path}": each.text for each in blocks}


class Shape(NamedTuple):
    """A project, and how a user of it logs in.

    Attributes:
        files: Its files.
        user: The fields of a user, beside the email address.
        page: The path of the login page.
        fields: What the user types there; the last is the password.
        protect: Code that gives `user` a second factor.
        token_page: The path of the page that asks for it.
        token_fields: What is sent there; "{token}" stands for the token.
        needs: Packages that the project needs.
        by_hand: Paragraphs that `face_setup` leaves to a person start so.
        served: The command that serves it.
        postgres: True if the database is PostgreSQL.
        faces: The prefix of the pages of faceauth.
        link: What people add to link to the face login, by file.
        start: What Python runs to write the project.
        common: False if the project gets none of the common files.
    """

    files: dict[str, str]
    user: dict[str, str]
    page: str
    fields: dict[str, str]
    protect: str = ""
    token_page: str = ""
    token_fields: dict[str, str] = {}
    needs: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    served: str = "manage.py runserver --noreload {port}"
    postgres: bool = False
    faces: str = "/face/"
    link: dict[str, str] = LINKED
    start: tuple[str, ...] = ("-m", "django", "startproject", "mysite", ".")
    common: bool = True
