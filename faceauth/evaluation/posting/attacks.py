"""The attacks that are tried against each person, and their results."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import count
from typing import NamedTuple

import numpy as np
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core import mail

from faceauth.audit import outbox
from faceauth.evaluation import accounts
from faceauth.evaluation.pad import photo_attacks, talk
from faceauth.evaluation.pad.following import Attacker
from faceauth.evaluation.pad.portraits import Portrait
from faceauth.evaluation.pad.puppet_attacks import Actor
from faceauth.evaluation.pad.species import puppet_of
from faceauth.evaluation.pad.talk import Outcome, QuickClock, RealClock, Reply
from faceauth.evaluation.pad.targets import Target
from faceauth.evaluation.pad.visitor import Visitor

from .browser import Browser

# How often each attack is tried on a person.
TRIES = 2

# How many codes are entered after one face: the site's own number of tries, and one more.
GUESSES = 6

PASSWORD = "the owner's own"  # noqa: S105, of accounts that exist for a few minutes

# What the browser signs before the nonce: see `devices.keys`.
_PREFIX = "faceauth device "

_numbers = count()


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


class Victim(NamedTuple):
    """A person with an account.

    Attributes:
        target: The person.
        username: What the person logs in with.
        url: Of the login page of a running site; "" for the site of this process.
    """

    target: Target
    username: str
    url: str = ""

    @property
    def public(self) -> Portrait:
        """The photo that the attacker has."""
        return self.target.photo

    @property
    def best(self) -> Portrait:
        """The best photo that the attacker may have: an enrolled one, if they are known."""
        return self.target.enrolled[0] if self.target.enrolled and not self.url else self.public

    @property
    def own(self) -> Portrait:
        """Another photo, of those that look ahead: as the person is seen by their own camera."""
        others = [each for each in self.target.enrolled if each.path != self.best.path]
        return min(others, key=lambda each: abs(each.face.yaw), default=self.best)


class Attack(NamedTuple):
    """A kind of attack, one row of the report.

    Attributes:
        name: Its name in the report.
        run: Attack one person.
        stolen: The attacker has a copy of the cookie of the person's own device.
        own_site: It takes what only the site's operator can do.
    """

    name: str
    run: Callable[[Victim], Iterator[Try]]
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


def still(victim: Victim) -> Iterator[Try]:
    """Post a photo that does not move."""
    for _again in range(TRIES):
        yield _try(victim, _show(victim, photo_attacks.Still(victim.public, _random())))


def warped(victim: Victim) -> Iterator[Try]:
    """Post a public photo that does what is asked, warped in three dimensions."""
    for _again in range(TRIES):
        yield _try(victim, _show(victim, _puppet(victim.public)))


def enrolled(victim: Victim) -> Iterator[Try]:
    """Do the same with the very pictures that were enrolled."""
    for number in range(TRIES):
        photos = victim.target.enrolled
        yield _try(victim, _show(victim, _puppet(photos[number % len(photos)])))


def guessed(victim: Victim) -> Iterator[Try]:
    """Post a warped photo, and then codes at random as long as any is looked at."""
    for _again in range(TRIES):
        browser = _browser(victim)
        answer = _show(victim, _puppet(victim.best), browser)
        if answer.code == "code_required":
            for _guess in range(GUESSES):
                answer = browser.log_in({"code": f"{secrets.randbelow(10**6):06}"})
                if answer.user:
                    break
        yield _try(victim, answer)


def stolen(victim: Victim) -> Iterator[Try]:
    """Post a warped photo with the cookie of the owner's device, but without its key."""
    key = Key()
    cookies = _trusted(victim, {"device_key": key.public})
    attempt = _try(victim, _show(victim, _puppet(victim.best), Visitor(cookies), Key()))
    before = _mails(victim)
    # The owner gives no name: the device knows who they are. And looks another way than the thief,
    # or the site would see the same film again.
    owner = _show(victim._replace(username=""), _puppet(victim.own), Visitor(cookies), key)
    came_in = owner.user == victim.username
    yield attempt._replace(noticed=_mails(victim) > before if came_in else None)


def stolen_without_key(victim: Victim) -> Iterator[Try]:
    """Post a warped photo with the cookie of a device that has no key."""
    thief = Visitor(_trusted(victim, {}))
    yield _try(victim, _show(victim, _puppet(victim.best), thief))


ATTACKS = (
    Attack("a public photo, still", still),
    Attack("a public photo, warped live", warped),
    Attack("the enrolled pictures, warped live", enrolled, own_site=True),
    Attack(f"a warped photo, then {GUESSES} guesses at the mailed code", guessed),
    Attack("a warped photo and a stolen cookie, without its key", stolen, True, True),
    Attack("a warped photo and a stolen cookie without a key", stolen_without_key, True, True),
)


def _browser(victim: Victim) -> Visitor | Browser:
    return Browser(victim.url) if victim.url else Visitor()


def _show(
    victim: Victim,
    attacker: Attacker,
    browser: Visitor | Browser | None = None,
    key: Key | None = None,
) -> Reply:
    """Answer a challenge and send the form of the login."""
    browser = browser or _browser(victim)
    quick, real = QuickClock(), RealClock()
    with nullcontext() if victim.url else quick.installed():
        outcome = talk.talk(
            browser.frames,
            attacker.frame,
            real if victim.url else quick,
            username=victim.username,
        )
    if not outcome.passed:
        return _refused(outcome)
    fields = {"challenge": outcome.challenge, "username": victim.username}
    if key is not None:
        fields.update(key.sign(outcome.nonce))
    return browser.log_in(fields)


def _refused(outcome: Outcome) -> Reply:
    return Reply(403, {"error": {"code": outcome.reason}})


def _puppet(photo: Portrait) -> Actor:
    return Actor(puppet_of(photo), _random())


def _random() -> np.random.Generator:
    return np.random.default_rng(next(_numbers))


def _trusted(victim: Victim, fields: Mapping[str, str]) -> dict[str, str]:
    """Log in as the owner, with the password, and return the cookie of the trusted device."""
    owner = Visitor()
    form = {"username": victim.username, "password": PASSWORD, "trust": "on", **fields}
    answer = owner.log_in(form)
    if not owner.device_cookies:
        raise OSError(f"The owner is not logged in by password: {answer.code}")
    return owner.device_cookies


def _mails(victim: Victim) -> int:
    """Return the number of mails that the owner has got."""
    outbox.flush()
    sent: Sequence[mail.EmailMessage] = getattr(mail, "outbox", [])
    return sum(accounts.address(victim.username) in each.to for each in sent)


def _try(victim: Victim, answer: Reply) -> Try:
    return Try(victim.target.name, bool(answer.user), "" if answer.user else answer.code)
