"""Opens pages as a visitor would, and watches what a visitor would not see."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.support import chromium
from tests.support.webcam import Webcam

# A name that leads to this machine and that browsers, unlike localhost, do not trust over http.
INSECURE_HOST = "faceauth.test"

Camera = Literal["granted", "refused", "missing"]


class Visitors:
    """Opens pages on the site, each for a visitor of its own, who shares nothing with the others.

    Console errors and requests to anywhere else are collected in `mishaps`.
    """

    def __init__(self, playwright: Playwright, executable: str | None, webcam: Webcam) -> None:
        self._playwright = playwright
        self._executable = executable
        self._webcam = webcam
        self._browsers: dict[bool, Browser] = {}
        self._contexts: list[BrowserContext] = []
        self.site = ""
        self.mishaps: list[str] = []

    def open(
        self, path: str = "/", *, camera: Camera = "granted", host: str = "", **options: Any
    ) -> Page:
        """Open that page of the site in a browser with these options (of Playwright's contexts)."""
        site = urlsplit(self.site)
        origin = f"http://{host or site.hostname}:{site.port}"
        context = self._browser(camera != "missing").new_context(
            base_url=origin,
            permissions=["camera"] if camera == "granted" else [],
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options},
        )
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        self._watch(context, origin)
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

    def _browser(self, has_camera: bool) -> Browser:
        if has_camera not in self._browsers:
            names = f"MAP {INSECURE_HOST} 127.0.0.1"
            arguments = [*chromium.ARGUMENTS, f"--host-resolver-rules={names}"]
            if has_camera:
                arguments += [
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-video-capture={self._webcam.path}",
                ]
            self._browsers[has_camera] = self._playwright.chromium.launch(
                executable_path=self._executable, args=arguments
            )
        return self._browsers[has_camera]

    def _watch(self, context: BrowserContext, origin: str) -> None:
        def request(url: str) -> None:
            if not url.startswith((f"{origin}/", "blob:", "data:")):
                self.mishaps.append(f"a request left the site: {url}")

        def console(kind: str, text: str) -> None:
            # Chromium says this of every refused form, which the page handles.
            handled = text.startswith("Failed to load resource")
            if kind in {"error", "warning"} and not handled:
                self.mishaps.append(f"console {kind}: {text}")

        context.on("request", lambda made: request(made.url))
        context.on("console", lambda message: console(message.type, message.text))
        context.on("weberror", lambda error: self.mishaps.append(f"uncaught: {error.error}"))
