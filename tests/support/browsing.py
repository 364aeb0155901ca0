"""Opens pages as a visitor would, and watches what a visitor would not see."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    Playwright,
    expect,
)

from accounts.models import User
from tests.support import chromium, mail
from tests.support.accounts import log_in_by_face
from tests.support.webcam import ENROLMENT, Webcam, snapshot

# A name that leads to this machine and that browsers, unlike localhost, do not trust over http.
INSECURE_HOST = "faceauth.test"

PASSWORD = "a lovely engine of brass"
NOT_RECOGNISED = "We didn’t recognise you. Try again, or log in with your password."
NOT_RECOGNISED_ALONE = (
    "We didn’t recognise you. Enter your username or email as well, or log in with your password."
)

# A file for a file input that says of itself that it is a photo.
UNREADABLE: FilePayload = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}

# Somebody who turns their head to and fro needs a few seconds, and a busy machine some more.
PATIENTLY = 60_000

# What the browser does about the camera: it was allowed before, is allowed or refused when the
# page asks, was refused before, there is none, or there are three.
Camera = Literal[
    "allowed", "allowed when asked", "refused when asked", "refused", "missing", "three"
]

# What Chromium says on the console of answers that the page handles, and of an insecure host.
EXPECTED = ("Failed to load resource", "The Cross-Origin-Opener-Policy header has been ignored")


class Visitors:
    """Opens pages on the site, each for a visitor of its own, who shares nothing with the others.

    Console errors and requests to anywhere else are collected in `mishaps`.
    """

    def __init__(self, playwright: Playwright, executable: str | None, webcam: Webcam) -> None:
        self._playwright = playwright
        self._executable = executable
        self._webcam = webcam
        self._browsers: dict[str, Browser] = {}
        self._contexts: list[BrowserContext] = []
        self.site = ""
        self.mishaps: list[str] = []

    def open(
        self,
        path: str = "/",
        *,
        user: User | None = None,
        camera: Camera = "allowed",
        host: str = "",
        **options: Any,
    ) -> Page:
        """Open that page of the site, as somebody who is logged in if `user` is given.

        `options` are those of Playwright's contexts: viewport, color_scheme, java_script_enabled.
        """
        site = urlsplit(self.site)
        origin = f"http://{host or site.hostname}:{site.port}"
        context = self._browser(camera).new_context(
            base_url=origin,
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options},
        )
        if camera != "refused when asked":
            context.grant_permissions([] if camera == "refused" else ["camera"])
        if camera == "allowed when asked":
            # Chromium can be made to say yes without asking, but then it tells the page so.
            context.add_init_script("navigator.permissions.query = async () => ({state: 'prompt'})")
        self._webcam.watch(context)
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        self._watch(context, origin)
        if user:
            client = Client()
            log_in = log_in_by_face if user.has_face else Client.force_login
            log_in(client, user)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            name = settings.SESSION_COOKIE_NAME
            context.add_cookies([{"name": name, "value": session, "url": origin}])
        page = context.new_page()
        page.goto(path)
        return page

    def leave(self) -> None:
        """Close everything that is open, without forgetting the mishaps."""
        while self._contexts:
            self._contexts.pop().close()

    def close(self) -> None:
        """Close the browsers."""
        for browser in self._browsers.values():
            browser.close()

    def _browser(self, camera: Camera) -> Browser:
        switches = [f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1"]
        if camera != "missing":
            count = 3 if camera == "three" else 1
            switches.append(f"--use-fake-device-for-media-stream=device-count={count}")
        # Of several, Chromium lets none show a file: they show a test card.
        if camera not in ("missing", "three"):
            switches.append(f"--use-file-for-fake-video-capture={self._webcam.path}")
        key = " ".join(switches)
        if key not in self._browsers:
            self._browsers[key] = self._playwright.chromium.launch(
                executable_path=self._executable, args=[*chromium.ARGUMENTS, *switches]
            )
        return self._browsers[key]

    def _watch(self, context: BrowserContext, origin: str) -> None:
        def request(url: str) -> None:
            if not url.startswith((f"{origin}/", "blob:", "data:")):
                self.mishaps.append(f"a request left the site: {url}")

        def console(kind: str, text: str) -> None:
            if kind in {"error", "warning"} and not text.startswith(EXPECTED):
                self.mishaps.append(f"console {kind}: {text}")

        context.on("request", lambda made: request(made.url))
        context.on("console", lambda message: console(message.type, message.text))
        context.on("weberror", lambda error: self.mishaps.append(f"uncaught: {error.error}"))


def status(page: Page) -> Locator:
    """Return the line under the picture."""
    return page.locator("[data-part=status]")


def explanation(page: Page) -> Locator:
    """Return what stands where the picture would be: why there is none, or why it is refused."""
    return page.locator("[data-part=explanation]")


def photo(name: str) -> FilePayload:
    """Return a photo of that person for a file input."""
    return {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": snapshot(name)}


def fill_in_account(page: Page) -> None:
    """Give a name and an address in the sign-up form."""
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Email address").fill("ada@example.com")


def enter_code(page: Page) -> None:
    """Sign up, and enter the code from the mail."""
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.get_by_label("Code").fill(mail.code())
    page.get_by_role("button", name="Create my account").click()


def pose(page: Page, webcam: Webcam, name: str) -> None:
    """Sit before the camera as that person, and take on each pose once its turn has come."""
    for number, pose in enumerate(ENROLMENT, start=1):
        webcam.show(name + pose)
        expect(page.get_by_role("img", name=f"Picture {number}:")).to_be_visible()


def photos_of(name: str) -> list[FilePayload]:
    """Return as many different photos of that person as an enrolment takes."""
    return [photo(name + pose) for pose in ENROLMENT]


def log_in_by_password(page: Page, password: str) -> None:
    """Fill in and send the login page's other form."""
    form = page.get_by_role("region", name="With your password")
    form.get_by_label("Username").fill("ada")
    form.get_by_label("Password").fill(password)
    form.get_by_role("button", name="Log in with password").click()


def posts(page: Page, path: str) -> list[str]:
    """Collect the forms that the page sends there from now on."""
    sent: list[str] = []

    def note(method: str, url: str) -> None:
        if method == "POST" and url.endswith(path):
            sent.append(url)

    page.on("request", lambda request: note(request.method, request.url))
    return sent


def sent_to(page: Page, path: str) -> list[list[tuple[str, Any]]]:
    """Collect the forms that the page's scripts send there from now on: names and values."""
    forms: list[list[tuple[str, Any]]] = []

    def note(url: str, fields: list[list[Any]]) -> None:
        if urlsplit(url).path == path:
            forms.append([(name, value) for name, value in fields])

    # Chromium does not tell what is in requests that carry files.
    page.expose_function("noteForm", note)
    page.evaluate(
        """() => {
            const send = window.fetch;
            window.fetch = (url, options) => {
                noteForm(new URL(url, location).href, [...options.body]);
                return send(url, options);
            };
        }"""
    )
    return forms
