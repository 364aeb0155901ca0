"""The results of a run of ``face_enrol``, as JSON and as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from faceauth import conf

from . import files, messages
from .enrolment import ENROLLED, OUTCOMES, REPLACED, Candidate
from .manifests import Unused


def results(
    candidates: Sequence[Candidate], unused: Iterable[Unused], root: Path
) -> dict[str, Any]:
    """Return everything for JSON: counts, every person, and the files without a username.

    Args:
        candidates: All people.
        unused: The files without a username.
        root: The folder that files are named relative to.
    """
    return {
        "people": count_people(candidates, few="few_photos"),
        "photos": count_shots(candidates),
        "results": [_person(each, root) for each in candidates],
        "unused": [_unused(each, root) for each in unused],
    }


def count_people(candidates: Sequence[Candidate], *, few: str) -> dict[str, int]:
    """Return the number of people by outcome.

    Args:
        candidates: All people.
        few: The key for the number of people who were enrolled with few pictures.
    """
    outcomes = Counter(each.outcome for each in candidates)
    new = [each for each in candidates if each.outcome in (ENROLLED, REPLACED)]
    return {
        "found": len(candidates),
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        "created": sum(each.created for each in new),
        "alike": sum(bool(each.look_alike) for each in new),
        few: sum(_shots(each) < conf.get().ENROLMENT_SHOTS for each in new),
    }


def count_shots(candidates: Sequence[Candidate]) -> dict[str, int]:
    """Return the number of photos or encodings by usefulness."""
    examined = [photo for each in candidates for photo in each.photos]
    # Photos that were never examined: they belong to people who already have a face or were
    # refused, or the run was interrupted before them.
    skipped = sum(len(each.person.photos) - len(each.photos) for each in candidates)
    needless = sum(photo.reason == "enough" for photo in examined)
    good = sum(not photo.reason for photo in examined)
    return {
        "found": len(examined) + skipped,
        "good": good,
        "unusable": len(examined) - good - needless,
        "needless": needless,
        "not_looked_at": skipped,
    }


def person(
    candidate: Candidate, person_reason: Callable[[str, dict[str, Any]], str]
) -> dict[str, Any]:
    """Return a person's results for JSON.

    Args:
        candidate: The person.
        person_reason: A function that returns the message for a refusal.
    """
    reason, details = candidate.reason, candidate.details
    return {
        "username": candidate.person.username,
        "outcome": candidate.outcome or "not_looked_at",
        "reason": reason,
        "text": person_reason(reason, details) if reason else "",
        "created": candidate.created and candidate.outcome == ENROLLED,
        "alike": candidate.look_alike,
        "shots": _shots(candidate),
    }


def text(results: dict[str, Any], shots: str = "photos") -> str:
    """Return the counts as text.

    Args:
        results: The results of an enrolment.
        shots: The key of the counts in `results` that are not of people: "photos" or "encodings".
    """
    people = (
        "People: {found}. Enrolled: {enrolled}, face replaced: {replaced}, already enrolled: "
        "{already}, refused: {refused}. Accounts created: {created}."
    ).format(**results["people"])
    counts = (
        "Good: {good}, not usable: {unusable}, not needed: {needless}, "
        "not processed: {not_looked_at}."
    ).format(**results[shots])
    return f"{people}\n{shots.capitalize()}: {results[shots]['found']}. {counts}"


def warnings(results: dict[str, Any], shots: str = "photos") -> Iterator[str]:
    """Yield what the operator should know about the people who are enrolled now.

    The arguments are those of `text`.
    """
    if few := results["people"][f"few_{shots}"]:
        yield (
            f"People enrolled with fewer than {conf.get().ENROLMENT_SHOTS} {shots} "
            f"(ENROLMENT_SHOTS): {few}. They will be refused more often than others until they "
            "enrol again."
        )
    for each in results["results"]:
        if each["alike"]:
            yield f"{each['username']} has nearly the same face as {each['alike']}."


def _shots(candidate: Candidate) -> int:
    return sum(not photo.reason for photo in candidate.photos)


def _person(candidate: Candidate, root: Path) -> dict[str, Any]:
    return {
        **person(candidate, messages.person_reason),
        "photos": [
            {
                "file": files.relative(photo.path, root),
                "reason": photo.reason,
                "text": messages.photo_reason(photo.reason, photo.details) if photo.reason else "",
            }
            for photo in candidate.photos
        ],
        "unused": [_unused(each, root) for each in candidate.person.unused],
    }


def _unused(each: Unused, root: Path) -> dict[str, str]:
    return {
        "file": files.relative(each.file, root),
        "reason": each.reason,
        "text": messages.photo_reason(each.reason),
    }
