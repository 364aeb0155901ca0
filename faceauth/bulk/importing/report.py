"""What came of a run of ``face_import``: for scripts, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from faceauth import conf
from faceauth.bulk import enrolment_report
from faceauth.bulk.enrolment import Case
from faceauth.bulk.manifests import Unused

from . import messages


def results(cases: Sequence[Case], unused: Iterable[Unused]) -> dict[str, Any]:
    """Everything, as JSON has it: counts, everybody, and the encodings that are nobody's."""
    return {
        "people": enrolment_report.people(cases, few="few_encodings"),
        "encodings": enrolment_report.shown(cases),
        "results": [_person(case) for case in cases],
        "unused": [{"place": str(each.file), **_why(each.reason, {})} for each in unused],
    }


def text(found: dict[str, Any]) -> str:
    """The counts in words."""
    read = _(
        "Encodings: %(found)d. Good: %(good)d, not usable: %(unusable)d, not needed: %(needless)d, "
        "not looked at: %(not_looked_at)d."
    )
    return f"{enrolment_report.people_text(found)}\n{read % found['encodings']}"


def warnings(found: dict[str, Any]) -> Iterator[str]:
    """What the staff should know of those who are enrolled now."""
    if few := found["people"]["few_encodings"]:
        yield _(
            "Enrolled from fewer encodings than the %(shots)d that the site asks for: %(few)d. "
            "They will be refused more often than others, until they enrol again."
        ) % {"shots": conf.get().ENROLMENT_SHOTS, "few": few}
    yield from enrolment_report.alike(found)


def _person(case: Case) -> dict[str, Any]:
    return {
        **enrolment_report.person(case, messages.of_person),
        "encodings": [
            {"place": str(each.path), **_why(each.reason, each.details)} for each in case.photos
        ],
    }


def _why(reason: str, details: dict[str, Any]) -> dict[str, str]:
    return {"reason": reason, "text": messages.of_encoding(reason, details) if reason else ""}
