from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.support import passkeys
from tests.support.webcam import Webcam


@pytest.fixture
def webcam(tmp_path) -> Webcam:
    return Webcam(tmp_path / "webcam.y4m")


@pytest.fixture
def page(live_server, webcam) -> Iterator[Page]:
    """A page of the site in a browser that keeps passkeys."""
    site = live_server.url.replace("127.0.0.1", "localhost")
    with passkeys.browser(webcam, site) as context:
        opened = context.new_page()
        passkeys.add_authenticator(opened)
        yield opened
