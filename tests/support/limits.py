"""Settings without limits, for tests that send more than a visitor may."""

from __future__ import annotations

LIMITS = (
    *("MAX_FAILURES", "MAX_FAILURES_BEFORE_DISABLING"),
    *("MAX_FAILURES_PER_ADDRESS", "MAX_FAILURES_PER_NETWORK", "MAX_ANONYMOUS_FAILURES_PER_HOUR"),
    *("FRAME_CPU_SECONDS_PER_MINUTE", "CHALLENGES_PER_MINUTE"),
    *("ENROLMENTS_PER_HOUR", "PASSWORDS_PER_HOUR", "CODES_PER_HOUR"),
)
UNLIMITED = dict.fromkeys(LIMITS, 10**9)
