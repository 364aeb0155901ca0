"""The results of a run of ``face_import``, as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from faceauth import conf
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


def text(results: dict[str, Any]) -> str:
    """Return the counts as text."""
    encodings = (
        "Encodings: {found}. Good: {good}, not usable: {unusable}, not needed: {needless}, "
        "not processed: {not_looked_at}."
    ).format(**results["encodings"])
    return f"{enrolment_report.people_text(results)}\n{encodings}"


def warnings(results: dict[str, Any]) -> Iterator[str]:
    """Yield what the operator should know about the people who are enrolled now."""
    if few := results["people"]["few_encodings"]:
        yield (
            f"People enrolled with fewer than {conf.get().ENROLMENT_SHOTS} encodings "
            f"(ENROLMENT_SHOTS): {few}. They will be refused more often than others until they "
            "enrol again."
        )
    yield from enrolment_report.look_alike_warnings(results)


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
