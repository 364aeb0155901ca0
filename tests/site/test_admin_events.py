"""The list of events in the admin, and the dashboard."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import User
from faceauth.admin import charts, statistics
from faceauth.admin import staff as doing
from faceauth.db import to_local_time
from faceauth.enrolment import lookalikes
from faceauth.models import FaceEvent, LoginTiming
from faceauth.recognition import policy
from tests.support.admin import made_up, member, staff

pytestmark = pytest.mark.postgres

EVENTS, DASHBOARD = "/admin/faceauth/faceevent/", "/admin/faceauth/faceevent/dashboard/"


def event(kind, days=0.0, **fields):
    fields = {"mode": "username", "outcome": "accepted" if kind == "login" else "too_far"} | fields
    return FaceEvent.objects.create(kind=kind, at=timezone.now() - timedelta(days=days), **fields)


@pytest.fixture
def week(db):
    """Three logins and a refusal yesterday, a refusal a week ago, and a login last year."""
    for _ in range(3):
        event("login", 1, distance=0.205)
    event("refused", 1, distance=0.5)
    event("refused", 7, mode="alone", outcome="not_live:other_way")
    event("login", 400, distance=0.1)


def drawing(page, number=0):
    """Return the rectangles of the page's SVG, with their class and title."""
    svg = re.findall(r"<svg viewBox.*?</svg>", page.text, re.S)[number]
    root = ElementTree.fromstring(svg)
    return [(each.get("class"), each.findtext("title")) for each in root.iter("rect")]


def test_list_rounds_what_was_compared(admin_client, obama):
    event("login", user=obama, distance=0.08375617813349182, max_distance=0.2061, rate=0.0000476)
    event("refused", distance=0.5)
    page = admin_client.get("/admin/faceauth/faceevent/").text
    assert "0.084 / 0.206 (1 in 21,000)" in page
    assert ">0.500<" in page


def test_chart_of_successes_and_refusals_a_day(admin_client, week):
    rectangles = drawing(admin_client.get(EVENTS))
    assert [kind for kind, _ in rectangles] == ["faceauth-bad", "faceauth-good", "faceauth-bad"]
    assert [title.split(": ")[1] for _, title in rectangles] == [
        "1 refused",
        "3 logged in",
        "1 refused",
    ]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("outcome=not_live:other_way", 1),
        ("outcome=accepted", 4),
        ("kind__exact=refused", 2),
        ("mode__exact=alone", 1),
        ("q=ada", 1),
    ],
)
def test_filters(admin_client, week, query, count):
    event("locked", user=member("ada"))
    page = admin_client.get(f"{EVENTS}?{query}")
    assert len(re.findall(r'class="field-kind"', page.text)) == count


def test_events_are_filtered_by_date(admin_client, week):
    page = admin_client.get(EVENTS)
    links = re.findall(r'href="\?(at__gte=[^"]+)"', page.text)
    counts = []
    for link in links:  # today, the past 7 days, this month, this year
        answer = admin_client.get(f"{EVENTS}?{unescape(link)}")
        counts.append(len(re.findall(r'class="field-kind"', answer.text)))
    assert (counts[0], counts[1]) == (0, 5)
    assert counts[3] < 6  # without last year's
    midnight = to_local_time(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = {"at__gte": str(midnight - timedelta(days=1)), "at__lt": str(midnight)}
    assert len(re.findall(r'class="field-kind"', admin_client.get(EVENTS, yesterday).text)) == 4


def test_outcomes_are_told_in_words(admin_client, week):
    page = admin_client.get(EVENTS)
    assert '<td class="field-outcome_label">not live: another movement</td>' in page.text


def test_list_takes_few_queries(admin_client, week):
    for number in range(20):
        event("login", 2, user=member(f"user{number}"))
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(EVENTS)
    assert len(queries) <= 10
    (read,) = (each["sql"] for each in queries if '."address"' in each["sql"])
    assert "encodings" not in read


def test_dashboard_counts(admin_client, week, enrolled):
    ada, grace = member("ada", 1), member("grace", 2)
    member("eve")
    doing.disable(None, ada)
    User.objects.filter(pk=grace.pk).update(face_quality=0.2, face_flagged_at=timezone.now())
    page = admin_client.get(DASHBOARD)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))
    assert "50.0 % 2 of 4" in text  # with the admin
    assert "Look-alikes flagged 1" in text
    assert "Low quality 1" in text
    assert "Disabled by staff 1" in text
    assert "face alone 0 1 100.0 %" in text
    assert "with a username 3 1 25.0 %" in text
    assert "all 3 2 40.0 %" in text
    assert "not live: another movement 1" in text
    (link,) = re.findall(r'href="([^"]*disabled=staff)"', page.text)
    assert "ada" in admin_client.get(link).text


def test_histogram_stands_against_the_limit_that_decides(admin_client, week, settings):
    member("ada", 1)
    chart = statistics.distances(enrolled=1)
    with_name = policy.limit(5, 1, settings.FACEAUTH.get("MAX_FALSE_MATCH_RATE", 1e-4)).distance
    place = next(at for at, each in enumerate(chart.columns) if each.good)
    (line, alone) = chart.lines
    step = (charts.WIDTH - charts.LEFT) / len(chart.columns)
    assert chart.columns[place] == ("0.20", 3, 0)
    assert line.text == "limit with a username"
    left = charts.LEFT + step * (place + (with_name - 0.20) / statistics.STEP)
    assert line.x == pytest.approx(left, abs=1.5)
    assert alone.text == "limit for face alone, 1 enrolled"
    # Last year's login is not counted.
    assert sum(each.good for each in chart.columns) == 3


def login_times(page):
    """Return the rows of the dashboard's table of how long logins took."""
    section = re.search(r'aria-labelledby="faceauth-times".*?</section>', page.text, re.S)
    rows = re.findall(r"<tr>(.*?)</tr>", section[0], re.S)
    return [[unescape(each.strip()) for each in re.findall(r">([^<]+)</t", row)] for row in rows]


def test_how_long_logins_take(admin_client):
    now = timezone.now()
    for tenths in range(1, 101):  # 0.1 to 10 seconds
        times = {"camera": 0.52, "face": 0.9, "steps": tenths / 10, "answer": tenths / 10 + 0.04}
        LoginTiming.objects.create(kind="phone", at=now, **times)
    LoginTiming.objects.create(kind="computer", at=now, steps=80, answer=500)
    LoginTiming.objects.create(kind="tablet", at=now - timedelta(days=31), answer=1)
    with CaptureQueriesContext(connection) as queries:
        page = admin_client.get(DASHBOARD)
    assert login_times(page) == [
        ["Stage", "phone", "computer"],
        ["Camera on", "0.5 (0.5)", "–"],
        ["Face found", "0.9 (0.9)", "–"],
        ["Steps done", "5.0 (9.5)", "≥ 60 (≥ 60)"],
        ["Answer", "5.0 (9.5)", "≥ 60 (≥ 60)"],
        ["Logins", "100", "1"],
    ]
    assert sum("logintiming" in each["sql"] for each in queries) == 1
    page = admin_client.get(DASHBOARD, headers={"Accept-Language": "es"})
    assert login_times(page)[:2] == [
        ["Etapa", "teléfono", "ordenador"],
        ["Cámara encendida", "0,5 (0,5)", "–"],
    ]


def test_figures_of_an_empty_site(admin_client):
    page = admin_client.get(DASHBOARD)
    assert page.status_code == 200
    assert page.text.count("None in this period.") == 2
    assert "0.0 %" in page.text
    assert "No logins were measured in this period." in page.text
    assert "No two faces are similar enough" in page.text


def test_drawing_is_one_in_every_language(admin_client, week, settings):
    settings.USE_THOUSAND_SEPARATOR = True
    event("refused", 1, distance=0.52)
    with translation.override("de"):
        page = admin_client.get(DASHBOARD, headers={"Accept-Language": "de"})
    for svg in re.findall(r"<svg viewBox.*?</svg>", page.text, re.S):
        for name in ("x", "y", "width", "height", "x1", "y2"):
            assert all(each.isdigit() for each in re.findall(rf' {name}="([^"]+)"', svg))


# Look-alikes


def test_doubles_are_listed_for_who_may_know(client, db):
    ada, twin = member("ada", 1), member("twin")
    other = made_up(7, like=made_up(1))
    from faceauth import enrolment

    enrolment.enrol(twin, other)
    member("eve", 3)
    client.force_login(staff("clerk", "view_faceevent", "view_face", "view_user"))
    page = client.get(DASHBOARD)
    assert "1 pair is similar enough" in page.text
    assert f'<a href="/admin/accounts/user/{ada.pk}/change/">ada</a>' in page.text
    assert ">eve<" not in page.text
    client.force_login(staff("reader", "view_faceevent"))
    page = client.get(DASHBOARD)
    assert "You don’t have permission to see look-alikes." in page.text
    assert ">ada<" not in page.text
    client.force_login(staff("nobody", "view_user"))
    assert client.get(DASHBOARD).status_code == 403


def test_pairs_are_those_that_logging_in_would_mistake(db, monkeypatch):
    monkeypatch.setattr(lookalikes, "_BLOCK", 3)
    faces = [made_up(seed, shots=2 + seed % 3) for seed in range(8)]
    from faceauth import enrolment

    for number in (1, 4, 6):
        faces.append(made_up(100 + number, like=faces[number]))
    for number, rows in enumerate(faces):
        enrolment.enrol(member(f"user{number}"), rows)
    found = lookalikes.find(max_pairs=50)
    assert {frozenset(each.username for each in pair[:2]) for pair in found.pairs} == {
        frozenset(("user1", "user8")),
        frozenset(("user4", "user9")),
        frozenset(("user6", "user10")),
    }
    assert (found.too_close, found.compared, found.enrolled) == (3, 11, 11)
    assert [pair.distance for pair in found.pairs] == sorted(pair.distance for pair in found.pairs)
    assert len(lookalikes.find(max_pairs=2).pairs) == 2
    assert lookalikes.find(max_pairs=2).too_close == 3


def test_page_says_how_many_were_not_looked_at(admin_client, db, monkeypatch):
    for number in range(3):
        member(f"user{number}", number)
    monkeypatch.setattr(lookalikes, "MAX_COMPARED", 2)
    page = admin_client.get(DASHBOARD)
    assert "Searched the 2 most recently changed of 3 faces." in re.sub(r"\s+", " ", page.text)


def test_lists_that_nobody_edits_ask_nobody_to_select_anything(admin_client):
    assert "<h1>Face events</h1>" in admin_client.get("/admin/faceauth/faceevent/").text
    assert "<h1>Trusted devices</h1>" in admin_client.get("/admin/faceauth/devicetrust/").text
