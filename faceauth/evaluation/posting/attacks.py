"""The attacks that are tried against each person, and their results."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator, Sequence
from http.cookiejar import Cookie
from itertools import count
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .browser import Answer, Browser
from .films import FILMS, Film, Target, changed
from .throwaway import PASSWORD, ThrowawaySite

# How many codes are entered after one film: the site's own number of tries, and one more.
GUESSES = 6

# What the browser signs before the nonce: see `devices.keys`.
_PREFIX = "faceauth device "

# Frames that were sent once are refused: each film is sent with another pixel changed.
_numbers = count(1)


class Try(NamedTuple):
    """One attempt and how it ended.

    Attributes:
        person: The name of the person attacked.
        logged_in: Somebody was logged in.
        reason: Why not.
        noticed: Whether the owner heard of it at the next login; None if that was not tried.
    """

    person: str
    logged_in: bool
    reason: str = ""
    noticed: bool | None = None


class Attack(NamedTuple):
    """A kind of attack, one row of the report.

    Attributes:
        name: Its name in the report.
        run: Attack one person on the site with this login page.
        stolen: The attacker has a copy of the cookie of the person's own device.
        own_site: It takes what only the site's operator can do, so it needs a `ThrowawaySite`.
    """

    name: str
    run: Callable[[str, Target, ThrowawaySite | None], Iterator[Try]]
    stolen: bool = False
    own_site: bool = False


class Key:
    """The key of a browser that is trusted."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> str:
        """The public key, as the page sends it."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def sign(self, nonce: str) -> dict[str, str]:
        """Return the fields of the form that prove that the browser has the key."""
        signature = self._key.sign((_PREFIX + nonce).encode(), ec.ECDSA(SHA256()))
        numbers = utils.decode_dss_signature(signature)
        raw = b"".join(each.to_bytes(32, "big") for each in numbers)
        return {"device_nonce": nonce, "device_signature": base64.b64encode(raw).decode()}


def still(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post photos that do not move."""
    for film in target.still:
        yield _try(target, Browser(url).show(film, target.username))


def animated(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post films of public photos that the judge accepts."""
    yield from _post_all(url, target, target.animated)


def replayed(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post one film again and again, with one pixel of each frame changed by one level."""
    for _again in range(FILMS):
        yield _try(target, Browser(url).show(_fresh(target.animated[0]), target.username))


def enrolled(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post films of the very pictures that were enrolled."""
    yield from _post_all(url, target, target.enrolled)


def guessed(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post a film, and then codes at random as long as any is looked at."""
    for _again in range(FILMS):
        browser = Browser(url)
        answer = browser.show(_fresh(_best(target)), target.username)
        if answer.reason == "code_required":
            for _guess in range(GUESSES):
                answer = browser.post(url, {"code": f"{secrets.randbelow(10**6):06}"})
                if answer.user:
                    break
        yield _try(target, answer)


def stolen(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post a film with the cookie of the owner's device, but without its key."""
    assert site is not None
    key = Key()
    cookies = _trusted(url, target, {"device_key": key.public})
    thief = Browser(url, cookies)
    film = _best(target)
    nonce = thief.challenge(film.turns)["device_nonce"]
    attempt = _try(target, thief.show(_fresh(film), target.username, **Key().sign(nonce)))
    before = len(site.mails(target.username))
    owner = Browser(url, cookies)
    nonce = owner.challenge(film.turns)["device_nonce"]
    # The owner gives no name: the device knows who they are.
    came_in = owner.show(_fresh(film), "", **key.sign(nonce)).user == target.username
    noticed = len(site.mails(target.username)) > before
    yield attempt._replace(noticed=noticed if came_in else None)


def stolen_without_key(url: str, target: Target, site: ThrowawaySite | None) -> Iterator[Try]:
    """Post a film with the cookie of a device that has no key."""
    thief = Browser(url, _trusted(url, target, {}))
    yield _try(target, thief.show(_fresh(_best(target)), target.username))


ATTACKS = (
    Attack("a public photo, still", still),
    Attack("a public photo, animated until it passes at home", animated),
    Attack("the same film again, one pixel changed", replayed),
    Attack("the enrolled pictures, animated", enrolled, own_site=True),
    Attack(f"a film, then {GUESSES} guesses at the mailed code", guessed),
    Attack("a film and a stolen cookie, without its key", stolen, stolen=True, own_site=True),
    Attack(
        "a film and a stolen cookie that has no key",
        stolen_without_key,
        stolen=True,
        own_site=True,
    ),
)


def _post_all(url: str, target: Target, films: Sequence[Film]) -> Iterator[Try]:
    for number in range(FILMS):
        yield _try(target, Browser(url).show(_fresh(films[number % len(films)]), target.username))


def _best(target: Target) -> Film:
    """Return a film of the enrolled pictures if it passes, or else one of a public photo."""
    films = [*target.enrolled, *target.animated]
    return next((each for each in films if each.passes), films[0])


def _fresh(film: Film) -> Film:
    return changed(film, next(_numbers))


def _trusted(url: str, target: Target, fields: dict[str, str]) -> list[Cookie]:
    """Log in as the owner, with the password, and return the cookie of the trusted device."""
    owner = Browser(url)
    form = {"username": target.username, "password": PASSWORD, "trust": "on", **fields}
    answer = owner.post(url, form)
    if not owner.device_cookies:
        raise OSError(f"The owner is not logged in by password: {answer.reason}")
    return owner.device_cookies


def _try(target: Target, answer: Answer) -> Try:
    return Try(target.name, bool(answer.user), "" if answer.user else answer.reason)
