"""What came of a run of ``face_import``: for scripts, and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from faceauth import conf
from faceauth.folders.admission import ENROLLED, OUTCOMES, REPLACED, Case
from faceauth.folders.rosters import Unused

from . import reasons


def results(cases: Sequence[Case], unused: Iterable[Unused]) -> dict[str, Any]:
    """Everything, as JSON has it: counts, everybody, and the encodings that are nobody's."""
    outcomes = Counter(case.outcome for case in cases)
    seen = [each for case in cases for each in case.photos]
    found = sum(len(case.entry.photos) for case in cases)
    needless = sum(each.reason == "enough" for each in seen)
    good = sum(not each.reason for each in seen)
    new = [case for case in cases if case.outcome in (ENROLLED, REPLACED)]
    return {
        "people": {
            "found": len(cases),
            **{outcome: outcomes[outcome] for outcome in OUTCOMES},
            "created": sum(case.created for case in new),
            "alike": sum(bool(case.alike) for case in new),
            "few_encodings": sum(_shots(case) < conf.get().ENROLMENT_SHOTS for case in new),
        },
        "encodings": {
            "found": found,
            "good": good,
            "unusable": len(seen) - good - needless,
            "needless": needless,
            "not_looked_at": found - len(seen),
        },
        "results": [_person(case) for case in cases],
        "unused": [{"place": str(each.file), **_why(each.reason, {})} for each in unused],
    }


def text(found: dict[str, Any]) -> str:
    """The counts in words."""
    admitted = _(
        "People: %(found)d. Enrolled: %(enrolled)d, enrolled anew: %(replaced)d, enrolled before: "
        "%(already)d, refused: %(refused)d. Accounts created: %(created)d."
    )
    read = _(
        "Encodings: %(found)d. Good: %(good)d, not usable: %(unusable)d, not needed: %(needless)d, "
        "not looked at: %(not_looked_at)d."
    )
    return f"{admitted % found['people']}\n{read % found['encodings']}"


def warnings(found: dict[str, Any]) -> Iterator[str]:
    """What the staff should know of those who are enrolled now."""
    if few := found["people"]["few_encodings"]:
        yield _(
            "Enrolled from fewer encodings than the %(shots)d that the site asks for: %(few)d. "
            "They will be refused more often than others, until they enrol again."
        ) % {"shots": conf.get().ENROLMENT_SHOTS, "few": few}
    for person in found["results"]:
        if person["alike"]:
            yield _("%(username)s has nearly the same face as %(alike)s.") % person


def _shots(case: Case) -> int:
    return sum(not each.reason for each in case.photos)


def _person(case: Case) -> dict[str, Any]:
    return {
        "username": case.entry.username,
        "outcome": case.outcome or "not_looked_at",
        "reason": case.reason,
        "text": reasons.of_person(case.reason, case.details) if case.reason else "",
        "created": case.created and case.outcome == ENROLLED,
        "alike": case.alike,
        "shots": _shots(case),
        "encodings": [
            {"place": str(each.path), **_why(each.reason, each.details)} for each in case.photos
        ],
    }


def _why(reason: str, details: dict[str, Any]) -> dict[str, str]:
    return {"reason": reason, "text": reasons.of_encoding(reason, details) if reason else ""}
