"""The results of a run of ``face_import`` for JSON; `enrolment_report` gives the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from faceauth.bulk import enrolment_report
from faceauth.bulk.enrolment import Candidate
from faceauth.bulk.manifests import Unused

from . import messages


def results(candidates: Sequence[Candidate], unused: Iterable[Unused]) -> dict[str, Any]:
    """Return everything for JSON: counts, every person, and the encodings without a username."""
    return {
        "people": enrolment_report.count_people(candidates, few="few_encodings"),
        "encodings": enrolment_report.count_shots(candidates),
        "results": [_person(each) for each in candidates],
        "unused": [{"place": str(each.file), **_reason(each.reason, {})} for each in unused],
    }


def _person(candidate: Candidate) -> dict[str, Any]:
    return {
        **enrolment_report.person(candidate, messages.person_reason),
        "encodings": [
            {"place": str(each.path), **_reason(each.reason, each.details)}
            for each in candidate.photos
        ],
    }


def _reason(reason: str, details: dict[str, Any]) -> dict[str, str]:
    return {"reason": reason, "text": messages.encoding_reason(reason, details) if reason else ""}
