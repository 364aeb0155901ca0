"""Codes by email: six digits that show that a visitor can read the mail of an address.

A code belongs to one session and one purpose. A decoy is a code that was never sent, for visitors
who must not learn whether an account exists: it takes the same work, and no code is correct.
"""

from __future__ import annotations

import secrets
import unicodedata
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from faceauth import errors
from faceauth.db import atomic
from faceauth.encryption import records
from faceauth.encryption.crypto import DecryptionError
from faceauth.models import EmailCode

DIGITS = 6
VALID_FOR = timedelta(minutes=10)
MAX_TRIES = 5

# Compared for decoys. No code has this hash.
_NO_HASH = "0" * 64

# Where the session keeps its part of the codes' keys. The session's own key changes at each login.
_SESSION_KEY = "faceauth_codes"


def issue(
    request: HttpRequest,
    purpose: str,
    user: Any = None,
    *,
    decoy: bool = False,
    attached: bytes = b"",
) -> str:
    """Create a code for this session, in place of the last one of the same purpose.

    The caller sends it, and limits how many are sent: see `audit.outbox`.

    Args:
        request: The request of the visitor who will enter the code. A session is begun if there is
            none.
        purpose: What the code is for, such as "login". Codes of other purposes stay valid.
        user: The user whose address gets the code. None if there is no account yet.
        decoy: Create a code that nobody can enter.
        attached: What is kept with the code, encrypted, until it is entered: see `attached_to`.

    Returns:
        The code's digits, or "" for a decoy.
    """
    code = "".join(secrets.choice("0123456789") for _digit in range(DIGITS))
    if _SESSION_KEY not in request.session:
        request.session[_SESSION_KEY] = get_random_string(32)
    key, now = _key(request, purpose), timezone.now()
    code_hash = _hash(key, code)
    EmailCode.objects.filter(forget_at__lt=now).delete()
    EmailCode.objects.update_or_create(
        key=key,
        defaults={
            "code_hash": "" if decoy else code_hash,
            "user": None if decoy else user,
            "tries": 0,
            "attached": records.seal(attached, key.encode()),
            "forget_at": now + VALID_FOR,
        },
    )
    return "" if decoy else code


def redeem(request: HttpRequest, purpose: str, code: str) -> EmailCode:
    """Use up the code of this session and purpose. It can't be entered again.

    Each try is counted before it is compared, so parallel requests can't exceed `MAX_TRIES`.

    Args:
        request: The request of the visitor who entered the code.
        purpose: What the code is for.
        code: The text that was entered.

    Returns:
        The code that was used, with its `user`; it is no longer in the database.

    Raises:
        CodeWrong: The code is not correct. Another try is possible.
        CodeExpired: There is no code, it is too old, or it was tried too often.
    """
    key, digits = _key(request, purpose), normalise(code)
    given = _hash(key, digits)
    with atomic(EmailCode):
        # One statement decides whether there is a try left and counts it. The row stays locked,
        # so no new code takes its place before the comparison.
        counted = EmailCode.objects.filter(
            key=key, tries__lt=MAX_TRIES, forget_at__gt=timezone.now()
        ).update(tries=F("tries") + 1)
        found = EmailCode.objects.select_related("user").filter(key=key).first()
        correct = constant_time_compare(given, (found and found.code_hash) or _NO_HASH)
        used = counted and correct and EmailCode.objects.filter(key=key).delete()[0]
    if found is None or not counted:
        raise errors.CodeExpired()
    if not used:
        raise errors.CodeWrong()
    return found


def attached_to(code: EmailCode) -> bytes:
    """Return what was attached to a code, or b"" if it can't be read any more."""
    try:
        return records.unseal(bytes(code.attached), code.key.encode())
    except DecryptionError:
        return b""


def withdraw(request: HttpRequest, purpose: str) -> None:
    """Delete the code of this session and purpose, if there is one."""
    EmailCode.objects.filter(key=_key(request, purpose)).delete()


def normalise(text: str) -> str:
    """Return a code as it was issued: without spaces and dashes, in the digits 0 to 9."""
    return "".join(
        str(unicodedata.decimal(each, each))
        for each in text
        if unicodedata.category(each) not in ("Zs", "Pd", "Cf", "Cc")
    )


def _key(request: HttpRequest, purpose: str) -> str:
    """Return the primary key of this session's code. Without the session, nobody can derive it."""
    session = request.session.get(_SESSION_KEY, "")
    return salted_hmac("faceauth.code", f"{session}:{purpose}", algorithm="sha256").hexdigest()


def _hash(key: str, code: str) -> str:
    """Return the keyed hash of a code. A code of another session has another hash."""
    return salted_hmac("faceauth.code.digits", f"{key}:{code}", algorithm="sha256").hexdigest()
