from __future__ import annotations

import pytest

from faceauth.evaluation.pad.report import broken, over_people, rows, share, text
from faceauth.evaluation.pad.species import SPECIES
from faceauth.evaluation.pad.trial import Attempt

INDICES = {each.name: index for index, each in enumerate(SPECIES)}
STILL = INDICES["flat photo, still"]
POSTED = INDICES["photo warped in 3-D live, posted"]


def attempt(person="anna", reason="", *, live=True, species=STILL, kind="full"):
    return Attempt(species, kind, person, live, not reason, reason, 0.5)


# From R's binom::binom.wilson.
@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        (0, 300, 0.0, 0.012643),
        (300, 300, 0.987357, 1.0),
        (10, 100, 0.055229, 0.174368),
        (1, 2, 0.094530, 0.905470),
    ],
)
def test_interval_is_wilsons(count, of, low, high):
    found = share(count, of)
    assert (found.events, found.of, found.value) == (count, of, count / of)
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-5)


def test_many_attempts_on_one_person_are_one_fact():
    # A tenth of the attempts: all on one of ten people, or one on each.
    one = over_people((str(n), n == 0) for n in range(10) for _again in range(10))
    each = over_people((str(n), again == 0) for n in range(10) for again in range(10))
    assert (one.events, one.of) == (each.events, each.of) == (10, 100)
    assert one.high - one.low > 0.25 > each.high - each.low
    never = over_people((str(n), False) for n in range(10) for _again in range(100))
    assert never.high == share(0, 10).high


def test_attacks_that_look_alive_and_those_that_log_in_are_counted_apart():
    attacks = [attempt() for _again in range(3)]
    attacks += [attempt(reason="not_recognised")] * 2
    attacks += [attempt(f"person{n}", "late", live=False) for n in range(95)]
    (row,) = rows(attacks)
    assert (row["attempts"], row["apcer"]["events"], row["iapar"]["events"]) == (100, 5, 3)
    assert (row["people"]["events"], row["people"]["of"]) == (1, 96)
    assert row["reasons"] == {"late": 95, "not_recognised": 2}
    assert row["holds"] is False
    assert broken([row]) == ["flat photo, still"]


def test_nothing_is_broken_if_nothing_is_promised():
    (row,) = rows([attempt(species=POSTED)])
    assert row["iapar"]["value"] == 1
    assert broken([row]) == []


def test_table_lists_the_reasons_for_refusals():
    reasons = ["late"] * 5 + ["other_way"] * 4 + ["mirrored"] * 3 + ["another"] * 2
    reasons += ["no_face", "too_small"]
    printed = text(rows(attempt(reason=reason, live=False) for reason in reasons))
    line = next(line for line in printed.splitlines() if line.startswith("flat photo, still"))
    assert line.split()[3:6] == ["16", "0.0", "0.0"]
    assert line.endswith("late 5, other_way 4, mirrored 3, another 2, others 2")
    assert "16 attempts took 8 s of CPU time, 0.50 s each." in printed
    both = text(rows([attempt(kind="full"), attempt(reason="late", kind="short")]))
    assert both.index("short challenge") < both.index("full challenge")
    assert "0 !" in both
