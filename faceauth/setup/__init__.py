"""What a project lacks for the face login, as ``face_setup`` prints and writes it.

The package imports no models, so that it runs before faceauth is in ``INSTALLED_APPS``.
"""

from __future__ import annotations

from .plan import Change, Plan, plan
from .project import PRINT_MAILS, below_prefix, own_host, visit
from .second_factors import find_second_factor

__all__ = [
    "PRINT_MAILS",
    "Change",
    "Plan",
    "below_prefix",
    "find_second_factor",
    "own_host",
    "plan",
    "visit",
]
