"""Sign-up: an account is created only once its owner has shown that they read its mail.

Until then, what they entered is kept in their session. The answers are the same whether or not the
address has an account: its owner gets a mail that says so, and nobody else learns it. Which
usernames are taken is said only to visitors who have entered their code.
"""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from faceauth import logins

from .models import User

_SESSION_KEY = "signup"


class Pending(NamedTuple):
    """An account that is not created yet.

    Attributes:
        username: The name that was asked for.
        email: The address that the code was sent to.
        password: The hash of the password; an unusable one if none was chosen.
        next: The page to go to afterwards.
        proven: True once the code was entered.
    """

    username: str
    email: str
    password: str
    next: str
    proven: bool = False


def begin(
    request: HttpRequest, *, username: str, email: str, password: str, next_page: str
) -> None:
    """Keep the account in the session, and mail the code.

    Raises:
        TooManyCodes: Too many mails were sent to this address.
    """
    # None makes a password that nothing matches.
    pending = Pending(username, email, make_password(password or None), next_page)
    send(request, pending)
    keep(request, pending)


def send(request: HttpRequest, pending: Pending) -> None:
    """Mail a code; or, to an address that has an account, that it has one.

    Raises:
        TooManyCodes: Too many mails were sent to this address.
    """
    owner, purpose = owner_of(pending.email), purpose_of(pending)
    if owner is None:
        logins.send_code(request, purpose, pending.email, mail="code_for_signup")
    else:
        # To the owner's spelling: some databases take similar letters for the same.
        logins.send_code(request, purpose, owner.email, mail="account_exists", decoy=True)


def purpose_of(pending: Pending) -> str:
    """Return what the code for this account is for: it proves no other address.

    Of two forms that a visitor sends at the same time, one can leave its code and the other its
    address.
    """
    return f"signup {pending.email}"


def owner_of(email: str) -> User | None:
    """Return the user who has this address, in any spelling."""
    return User.objects.filter(email__iexact=email).first()


def pending_of(request: HttpRequest) -> Pending | None:
    """Return what is kept in the session, if anything."""
    kept = request.session.get(_SESSION_KEY)
    return Pending(*kept) if kept else None


def keep(request: HttpRequest, pending: Pending) -> None:
    """Keep this in the session."""
    request.session[_SESSION_KEY] = list(pending)


def forget(request: HttpRequest) -> None:
    """Delete what is kept in the session."""
    request.session.pop(_SESSION_KEY, None)


def create(pending: Pending, username: str) -> User | None:
    """Create the account, whose address is confirmed.

    Returns:
        The user. None if somebody has just taken the username or the address.
    """
    user = User(username=username, email=pending.email, password=pending.password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        return None
    logins.confirm_address(user)
    return user
