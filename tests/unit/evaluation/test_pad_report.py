from __future__ import annotations

import pytest

from faceauth.evaluation.pad.report import broken, rows, share, text
from faceauth.evaluation.pad.scenarios import SCENARIOS, Verdict

INDICES = {each.name: index for index, each in enumerate(SCENARIOS)}
STILL = INDICES["photo, still"]
GENUINE = next(index for index, each in enumerate(SCENARIOS) if each.genuine)
UNPROMISED = next(index for index, each in enumerate(SCENARIOS) if each.limit is None)


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


def test_successful_attacks_and_refused_genuine_attempts_are_counted_apart():
    attacks = [(STILL, Verdict(True))] * 3 + [(STILL, Verdict(True, "too_far"))] * 2
    attacks += [(STILL, Verdict(False, "not_turned"))] * 95
    genuine = [(GENUINE, Verdict(True))] * 95 + [(GENUINE, Verdict(False, "jumped"))] * 5
    one, other = rows(genuine + attacks)
    assert (one["attempts"], one["live"], one["through"], one["rate"]["events"]) == (100, 5, 3, 3)
    assert one["reasons"] == {"not_turned": 95, "too_far": 2}
    assert one["holds"] is False
    assert (other["live"], other["through"], other["rate"]["events"]) == (95, 95, 5)
    assert other["holds"] is True
    assert broken([one, other]) == ["photo, still"]


def test_nothing_is_broken_if_nothing_is_promised():
    (row,) = rows([(UNPROMISED, Verdict(True))])
    assert row["rate"]["value"] == 1
    assert broken([row]) == []


def test_table_lists_the_reasons_for_refusals():
    reasons = ["not_turned"] * 5 + ["jumped"] * 4 + ["flat"] * 3 + ["another"] * 2
    reasons += ["no_face", "too_small"]
    printed = text(rows((STILL, Verdict(False, reason)) for reason in reasons))
    line = next(line for line in printed.splitlines() if line.startswith("photo, still"))
    assert line.split()[2:6] == ["16", "0", "0", "0.0"]
    assert "0.0-19.4" in line
    assert line.endswith("not_turned 5, jumped 4, flat 3, another 2, others 2")
    marked = text(rows([(STILL, Verdict(True))]))
    assert "2 !" in marked
