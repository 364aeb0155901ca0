"""A visit to a project of one of the shapes in Chromium, as somebody with a webcam makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.package.shaped import Project, token
from tests.support import passkeys
from tests.support.browsing import PATIENTLY, status
from tests.support.webcam import Webcam

SESSION = "sessionid"


class Visit:
    """A person in front of one browser, which outlives the server of the project.

    Attributes:
        page: What the browser shows.
    """

    def __init__(self, project: Project, page: Page, webcam: Webcam) -> None:
        self.page = page
        self._project, self._webcam = project, webcam
        self._name, self._takes = "", count()

    @property
    def who(self) -> str:
        """The email address of the user who is logged in, or "nobody"."""
        self.open("/me/")
        return self.page.locator("body").inner_text()

    @property
    def path(self) -> str:
        """The path of the page that is shown."""
        return urlsplit(self.page.url).path

    def open(self, path: str) -> None:
        self.page.goto(f"{self._project.site}{path}")

    def log_in(self, *, with_token: bool = False) -> None:
        """On the project's own page."""
        self.open(self._project.shape.page)
        self._send(self._project.shape.fields)
        if with_token:
            self.enter_token()

    def enter_token(self) -> None:
        self._send(self._project.shape.token_fields)

    def enrol(self, name: str) -> None:
        """Enrol the face by the page, and leave the browser trusted, as it proposes."""
        self._sit_down(name)
        self.open(f"{self._project.shape.faces}enrol/")
        self.page.get_by_label("I agree").check()
        self._try(lambda: "All set." in status(self.page).inner_text())
        self.page.get_by_role("button", name="Enrol my face").click()
        self._leave("enrol/")

    def add_passkey(self) -> None:
        """On the page of allauth, which asks for the password again."""
        passkeys.add_authenticator(self.page)
        self.open("/accounts/2fa/webauthn/add/")
        *_others, password = self._project.shape.fields.values()
        self._send({"password": password})
        self.page.get_by_label("Passwordless").check()
        self.page.get_by_role("button", name="Add").click()
        expect(self.page.get_by_role("heading", name="Recovery Codes")).to_be_visible()

    def log_in_by_passkey(self) -> None:
        """On the login page of allauth."""
        self.open(self._project.shape.page)
        self.page.get_by_role("button", name="Sign in with a passkey").click()
        self._leave(self._project.shape.page)

    def log_out(self) -> None:
        """Forget the session, but not the trust in the browser."""
        self.page.context.clear_cookies(name=SESSION)

    def log_in_by_face(self, name: str) -> None:
        """Follow the link on the project's own login page, and move as the camera's page asks."""
        self._sit_down(name)
        self.open(self._project.shape.page)
        self.page.get_by_role("link", name="Log in with your face").click()
        self.page.wait_for_url("**/face/login/**")
        self._try(lambda: "/face/login/" not in self.page.url)

    def _sit_down(self, name: str) -> None:
        """Follow the page from now on, each time a little otherwise."""
        self._name = name
        self._webcam.follow(name, seed=next(self._takes))

    def _try(self, done: Callable[[], bool]) -> None:
        """Wait until it is done. Where a movement was not believed, try again, as people do."""
        again = self.page.get_by_role("button", name="Try again")
        deadline = time.monotonic() + 2 * PATIENTLY / 1000
        while not done():
            assert time.monotonic() < deadline, self.page.locator("body").inner_text()
            if again.is_visible() and again.is_enabled():
                self._sit_down(self._name)
                again.click()
            self.page.wait_for_timeout(250)

    def _leave(self, page: str) -> None:
        """Wait until the page leads on."""
        self.page.wait_for_url(lambda url: page not in url, timeout=PATIENTLY)

    def _send(self, fields: Mapping[str, str]) -> None:
        """Fill in what there is to see of a form, and press Enter in its last field."""
        *_others, last = (self.page.locator(f"input[name='{name}']") for name in fields)
        expect(last).to_be_visible()
        for name, value in fields.items():
            field = self.page.locator(f"input[name='{name}']")
            if field.is_visible():
                field.fill(value.format(token=token()))
        with self.page.expect_navigation():
            last.press("Enter")


@contextmanager
def visit(project: Project, webcam: Webcam) -> Iterator[Visit]:
    """Open a browser for a project that is served."""
    with passkeys.browser(webcam, project.site) as context:
        yield Visit(project, context.new_page(), webcam)
        webcam.leave()
