"""Check that failures and pictures are counted for the right visitor, with limits that protect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from faceauth import conf

from .settings import Configs, setting_errors


@register(Tags.security)
def check_limits(app_configs: Configs, **kwargs: Any) -> list[CheckMessage]:
    """Check that nobody can try faces or send pictures without limit."""
    if setting_errors():
        return []
    return [*_failure_warnings(), *_address_warnings()]


def _failure_warnings() -> Iterator[CheckMessage]:
    config = conf.get()
    # The defaults are NIST's limits for faces (SP 800-63B-4, section 3.2.3). The higher ones are
    # for systems that withstand presentation attacks.
    defaults = replace(config, MAX_FAILURES=None, MAX_FAILURES_BEFORE_DISABLING=None)
    attacks = "with" if config.resists_attacks else "without"
    for key, given, limit, check_id in (
        ("MAX_FAILURES", config.failures, defaults.failures, "faceauth.W012"),
        (
            "MAX_FAILURES_BEFORE_DISABLING",
            config.failures_before_disabling,
            defaults.failures_before_disabling,
            "faceauth.W013",
        ),
    ):
        if given > limit:
            yield _above_nist(key, f"{limit} {attacks} a defence against photos", check_id)


def _above_nist(key: str, allowed: str, check_id: str) -> CheckMessage:
    message = (
        f"FACEAUTH[{key!r}] of {getattr(conf.get(), key)} allows more consecutive failures than "
        f"NIST SP 800-63B-4 does: {allowed}."
    )
    hint = f"Leave it out. If this is intended, add {check_id!r} to SILENCED_SYSTEM_CHECKS."
    return Warning(message, hint=hint, id=check_id)


def _address_warnings() -> Iterator[CheckMessage]:
    header: Any = settings.SECURE_PROXY_SSL_HEADER
    if header and conf.get().TRUSTED_PROXIES is None:
        message = (
            "SECURE_PROXY_SSL_HEADER says that the site is behind a proxy, but FACEAUTH has no "
            "TRUSTED_PROXIES: all visitors are counted as one, by the proxy's address."
        )
        hint = (
            "Set it to the number of proxies that append to X-Forwarded-For. If they set "
            "REMOTE_ADDR to the visitor's address, add 'faceauth.W015' to SILENCED_SYSTEM_CHECKS."
        )
        yield Warning(message, hint=hint, id="faceauth.W015")
