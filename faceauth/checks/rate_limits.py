"""Whether what is counted, failures and pictures, is counted for the right visitor and up to a
number that protects: warnings of `checks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Warning
from django.utils.module_loading import import_string

from faceauth import conf

# How many failures in a row NIST SP 800-63B-4 lets an account have, by any means of logging in.
MOST_BEFORE_DISABLING = 100


def of_failures() -> Iterator[CheckMessage]:
    """Of how many failures are let through."""
    now = conf.get()
    # The default is NIST's figure for a face.
    most = replace(now, MAX_FAILURES=None).failures
    if now.failures > most:
        challenge = "with" if now.CHALLENGE else "without"
        yield _of_most("MAX_FAILURES", f"{most} {challenge} a challenge", "faceauth.W012")
    if now.failures_before_disabling > MOST_BEFORE_DISABLING:
        most = MOST_BEFORE_DISABLING
        yield _of_most("MAX_FAILURES_BEFORE_DISABLING", f"{most} on an account", "faceauth.W013")


def of_cache() -> Iterator[CheckMessage]:
    """Of the cache that pictures are counted in."""
    backend: Any = import_string(settings.CACHES[DEFAULT_CACHE_ALIAS]["BACKEND"])
    if issubclass(backend, DummyCache):
        message = "The default cache keeps nothing: nobody is kept from sending too many pictures."
    elif issubclass(backend, LocMemCache) and not settings.DEBUG:
        message = (
            "The default cache is each process's own: every one of them lets through as many "
            "pictures as PREVIEWS_PER_MINUTE and ENROLMENTS_PER_HOUR say, and a restart forgets "
            "the count."
        )
    else:
        return
    hint = "Set CACHES to one that all processes share: in files, in Redis or in Memcached."
    yield Warning(message, hint=hint, id="faceauth.W014")


def of_addresses() -> Iterator[CheckMessage]:
    """Of the address that a visitor is counted by."""
    header: Any = settings.SECURE_PROXY_SSL_HEADER
    if header and conf.get().TRUSTED_PROXIES is None:
        message = (
            "SECURE_PROXY_SSL_HEADER says that a proxy is in front, and FACEAUTH has no "
            "TRUSTED_PROXIES: all visitors are counted as one, by the proxy's address."
        )
        hint = (
            "Set it to how many proxies append to X-Forwarded-For. Where they put the visitor's "
            "address into REMOTE_ADDR, add 'faceauth.W015' to SILENCED_SYSTEM_CHECKS."
        )
        yield Warning(message, hint=hint, id="faceauth.W015")


def _of_most(key: str, most: str, name: str) -> CheckMessage:
    message = (
        f"FACEAUTH[{key!r}] of {getattr(conf.get(), key)} lets more failures in a row pass than "
        f"NIST SP 800-63B-4 does: {most}."
    )
    hint = f"Leave it out. Where you mean it, add {name!r} to SILENCED_SYSTEM_CHECKS."
    return Warning(message, hint=hint, id=name)
