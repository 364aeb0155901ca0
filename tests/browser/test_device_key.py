"""The key of a trusted device, in a real browser."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.templatetags.static import static
from playwright.sync_api import Page

from tests.support.browsing import INSECURE_HOST, Visitors

TEXT = "faceauth device ñ"


def test_key_stays_with_the_browser_and_signs(visitors: Visitors, db):
    page = visitors.open("/face/notice/")
    assert call(page, "sign", TEXT) is None
    key = call(page, "publicKey")
    page.goto("/face/login/")
    assert call(page, "publicKey") == key
    verify(key, call(page, "sign", TEXT), TEXT)

    other = visitors.open("/face/notice/")
    assert call(other, "publicKey") != key


def test_tabs_that_open_together_have_one_key(visitors: Visitors, db):
    page = visitors.open("/face/notice/")
    url = static("faceauth/device-key.js")
    keys = page.evaluate(
        "async (url) => { const { publicKey } = await import(url);"
        " return Promise.all([publicKey(), publicKey(), publicKey()]); }",
        url,
    )
    assert keys[0]
    assert len(set(keys)) == 1


def test_no_script_can_read_the_private_key(visitors: Visitors, db):
    page = visitors.open("/face/notice/")
    call(page, "publicKey")
    error = page.evaluate(
        """() => new Promise((done) => {
            const opening = indexedDB.open("faceauth");
            opening.onsuccess = () => {
                const asked = opening.result.transaction("keys").objectStore("keys").get("device");
                asked.onsuccess = () => crypto.subtle
                    .exportKey("pkcs8", asked.result.privateKey)
                    .then(() => done("exported"), ({ name }) => done(name));
            };
        })"""
    )
    assert error == "InvalidAccessError"


def test_page_without_https_has_no_key(visitors: Visitors, db):
    page = visitors.open("/face/notice/", host=INSECURE_HOST)
    assert call(page, "publicKey") is None
    assert call(page, "sign", TEXT) is None


def call(page: Page, name: str, *arguments: str) -> Any:
    """Call a function of the module in the page."""
    return page.evaluate(
        "async ([url, name, args]) => (await import(url))[name](...args)",
        [static("faceauth/device-key.js"), name, arguments],
    )


def verify(key: str, signature: str, text: str) -> None:
    """Verify a signature of the browser, as a server does."""
    raw = b64decode(signature)
    r, s = (int.from_bytes(each, "big") for each in (raw[:32], raw[32:]))
    public = load_der_public_key(b64decode(key))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(encode_dss_signature(r, s), text.encode(), ec.ECDSA(SHA256()))
