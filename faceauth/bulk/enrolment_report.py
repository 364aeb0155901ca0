"""What came of a run of ``face_enrol``: for scripts, and in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from faceauth import conf

from . import files, messages
from .enrolment import ENROLLED, OUTCOMES, REPLACED, Case
from .manifests import Unused


def results(cases: Sequence[Case], unused: Iterable[Unused], root: Path) -> dict[str, Any]:
    """Everything, as JSON has it: counts, everybody, and the files that are nobody's. Files are
    named as they are below `root`.
    """
    return {
        "people": people(cases, few="few_photos"),
        "photos": shown(cases),
        "results": [_person(case, root) for case in cases],
        "unused": [_unused(each, root) for each in unused],
    }


def people(cases: Sequence[Case], *, few: str) -> dict[str, int]:
    """How many people came to what; few: the name for those enrolled from few pictures."""
    outcomes = Counter(case.outcome for case in cases)
    new = [case for case in cases if case.outcome in (ENROLLED, REPLACED)]
    return {
        "found": len(cases),
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        "created": sum(case.created for case in new),
        "alike": sum(bool(case.alike) for case in new),
        few: sum(_shots(case) < conf.get().ENROLMENT_SHOTS for case in new),
    }


def shown(cases: Sequence[Case]) -> dict[str, int]:
    """How many of what there is of these people is of use."""
    seen = [photo for case in cases for photo in case.photos]
    # Those of people with a face, or who were refused, or came after an interruption.
    passed = sum(len(case.entry.photos) - len(case.photos) for case in cases)
    needless = sum(photo.reason == "enough" for photo in seen)
    good = sum(not photo.reason for photo in seen)
    return {
        "found": len(seen) + passed,
        "good": good,
        "unusable": len(seen) - good - needless,
        "needless": needless,
        "not_looked_at": passed,
    }


def person(case: Case, of_person: Callable[[str, dict[str, Any]], str]) -> dict[str, Any]:
    """What came of somebody; of_person: why they were refused, in words."""
    return {
        "username": case.entry.username,
        "outcome": case.outcome or "not_looked_at",
        "reason": case.reason,
        "text": of_person(case.reason, case.details) if case.reason else "",
        "created": case.created and case.outcome == ENROLLED,
        "alike": case.alike,
        "shots": _shots(case),
    }


def text(found: dict[str, Any]) -> str:
    """The counts in words."""
    seen = _(
        "Photos: %(found)d. Good: %(good)d, not usable: %(unusable)d, not needed: %(needless)d, "
        "not looked at: %(not_looked_at)d."
    )
    return f"{people_text(found)}\n{seen % found['photos']}"


def people_text(found: dict[str, Any]) -> str:
    """Those of `people` in words."""
    admitted = _(
        "People: %(found)d. Enrolled: %(enrolled)d, enrolled anew: %(replaced)d, enrolled before: "
        "%(already)d, refused: %(refused)d. Accounts created: %(created)d."
    )
    return admitted % found["people"]


def warnings(found: dict[str, Any]) -> Iterator[str]:
    """What the staff should know of those who are enrolled now."""
    if few := found["people"]["few_photos"]:
        yield _(
            "Enrolled from fewer photos than the %(shots)d that the site asks for: %(few)d. They "
            "will be refused more often than others, until they enrol again."
        ) % {"shots": conf.get().ENROLMENT_SHOTS, "few": few}
    yield from alike(found)


def alike(found: dict[str, Any]) -> Iterator[str]:
    """Who is enrolled with nearly the same face as somebody else."""
    for each in found["results"]:
        if each["alike"]:
            yield _("%(username)s has nearly the same face as %(alike)s.") % each


def _shots(case: Case) -> int:
    return sum(not photo.reason for photo in case.photos)


def _person(case: Case, root: Path) -> dict[str, Any]:
    return {
        **person(case, messages.of_person),
        "photos": [
            {
                "file": files.named(photo.path, root),
                "reason": photo.reason,
                "text": messages.of_photo(photo.reason, photo.details) if photo.reason else "",
            }
            for photo in case.photos
        ],
        "unused": [_unused(each, root) for each in case.entry.unused],
    }


def _unused(each: Unused, root: Path) -> dict[str, str]:
    return {
        "file": files.named(each.file, root),
        "reason": each.reason,
        "text": messages.of_photo(each.reason),
    }
