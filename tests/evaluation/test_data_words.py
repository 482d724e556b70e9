"""What the numbers are said to mean: each lead at the value where it turns."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from data.report.small_report import small_report

from shelfwise.data.report.concentration import Concentration
from shelfwise.data.report.days import DayMark, Days
from shelfwise.data.report.delays import Delays
from shelfwise.data.report.flagged import Flagged, FlaggedKind
from shelfwise.data.report.funnel import Step
from shelfwise.data.report.kinds import KindCount
from shelfwise.data.report.labels import Judgements
from shelfwise.data.report.parts import PartRows
from shelfwise.data.report.rate import rate
from shelfwise.data.report.rows import RejectReason, Rows
from shelfwise.data.report.spread import Spread
from shelfwise.data.report.tasks import Task
from shelfwise.data.report.visits import Visits
from shelfwise.evaluation import data_words as words


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.1234, "12.3 %"),
        (0.0123, "1.2 %"),
        (0.00123, "0.12 %"),
        (0.000012, "0.0012 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.99996, "over 99.9 %"),
        (nan, "-"),
    ],
)
def test_shares_as_people_read_them(share: float, said: str) -> None:
    assert words.percent(share) == said


def test_rates_have_their_interval() -> None:
    # Wilson, 4 of 4: the lower end is 4 / (4 + 1.96 squared) = .51.
    assert words.rate_words(rate(4, 4)) == "100 % [51.0, 100]"
    assert words.rate_words(rate(0, 0)) == "-"


@pytest.mark.parametrize(
    ("hours", "said"),
    [(0.005, "18 s"), (0.5, "30 min"), (5.25, "5.2 h"), (72.0, "3 days"), (nan, "-")],
)
def test_hours_in_the_unit_that_fits(hours: float, said: str) -> None:
    assert words.hours_words(hours) == said


@pytest.mark.parametrize(
    ("rejected", "tone"), [(0, "fine"), (1, "fine"), (2, "look"), (99, "look"), (100, "act")]
)
def test_refused_rows_matter_from_one_in_a_thousand_and_from_one_in_twenty(
    rejected: int, tone: str
) -> None:
    reasons = (RejectReason("code", "price", "a price is a number", rejected, ()),)
    rows = Rows((), 2_000, 2_000 - rejected, rejected, 0, reasons if rejected else ())

    assert words.rows_lead(rows).tone == tone


def test_no_rows_at_all() -> None:
    assert words.rows_lead(Rows((), 0, 0, 0, 0, ())).tone == "act"


def test_tasks() -> None:
    able, thin, none = Task("a", 100, "", ""), Task("b", 99, "", ""), Task("c", 0, "", "")

    assert words.tasks_lead([able, none]).tone == "fine"
    assert "1 of the 2 things" in words.tasks_lead([able, none]).sentence
    assert words.tasks_lead([able, thin]).tone == "look"
    assert words.tasks_lead([none]).tone == "act"


SHOWN = KindCount("impression", 1, 1, 1, {})


@pytest.mark.parametrize(
    ("clicked", "without", "tone"),
    [(10, 0, "fine"), (10, 2, "fine"), (10, 3, "look"), (51, 0, "look"), (0, 0, "look")],
)
def test_click_rates_that_cannot_be(clicked: int, without: int, tone: str) -> None:
    click = Step("click", clicked + without, "impression", rate(clicked, 100), without)

    assert words.funnel_lead([SHOWN], [click]).tone == tone


def test_a_log_without_impressions_or_clicks() -> None:
    assert "does not say what was shown" in words.funnel_lead([], []).sentence
    assert words.funnel_lead([SHOWN], []).sentence.endswith("Log clicks.")


def test_days() -> None:
    days = Days("2026-01-05", "2026-01-06", "UTC", {"view": (1, 2)}, (), ("Sunday",), (0,) * 24)
    gap, spike = DayMark("2026-01-05", "gap", 0, 9.0), DayMark("2026-01-06", "spike", 90, 9.0)

    assert words.days_lead(days).tone == "fine"
    assert "Nothing is ever logged on a Sunday." in words.days_lead(days).sentence
    told = words.days_lead(replace(days, marks=(gap, spike)))
    assert told.tone == "look"
    assert "1 day without any event and 1 day far above the usual" in told.sentence
    clicks = words.days_lead(replace(days, marks=(replace(spike, kind="click"),)))
    assert clicks.tone == "look"
    assert "but some do in: click." in clicks.sentence


@pytest.mark.parametrize(("quiet", "tone"), [(0, "fine"), (22, "fine"), (10, "look")])
def test_a_shop_that_is_quiet_by_day_has_the_wrong_zone(quiet: int, tone: str) -> None:
    hours = [9] * 24
    for hour in range(quiet, quiet + 6):
        hours[hour % 24] = 0
    days = Days("2026-01-05", "2026-01-05", "Asia/Tokyo", {"view": (9,)}, (), (), tuple(hours))

    lead = words.hours_lead(days)

    assert lead.tone == tone
    assert f"from {quiet}:00 to {(quiet + 6) % 24}:00 in Asia/Tokyo" in lead.sentence


def held(once: float, top: float) -> Concentration:
    return Concentration("items", "", 9, 9, 0.1, {"1 %": top, "20 %": 0.8}, once, 1.0, ())


@pytest.mark.parametrize(
    ("once", "top", "tone"), [(0.5, 0.5, "fine"), (0.51, 0.5, "look"), (0.5, 0.51, "look")]
)
def test_head_and_tail(once: float, top: float, tone: str) -> None:
    assert words.concentration_lead(held(once, top), held(0, 0)).tone == tone


ONE = Spread(10, 1, 1, 1, 1, 1, 1)


@pytest.mark.parametrize(("alone", "tone"), [(5, "fine"), (6, "look")])
def test_shoppers_without_a_past(alone: int, tone: str) -> None:
    visits = Visits(30, ONE, ONE, ONE, ONE, {"1": alone, "2": 10 - alone})

    assert words.visits_lead(visits).tone == tone


def test_delays() -> None:
    usual = Delays(
        "click", 100, rate(100, 100), replace(ONE, p99=30.0), rate(95, 100), 1.0, (), 9, rate(1, 9)
    )

    assert words.delays_lead(usual).sentence.endswith("The window fits.")
    # 99 % come within 30 hours, so within two days.
    short = words.delays_lead(replace(usual, within_window=rate(80, 100)))
    assert "purchase_window_days = 2 " in short.sentence
    astray = words.delays_lead(replace(usual, touched=rate(70, 100)))
    assert "30.0 % of all purchases have no click" in astray.sentence
    young = words.delays_lead(replace(usual, still_open=rate(5, 9)))
    assert "55.6 % of the clicks are too young" in young.sentence
    assert words.delays_lead(replace(usual, touched=rate(0, 100))).tone == "look"
    timeless = words.delays_lead(replace(usual, hours=replace(ONE, most=0)))
    assert "the very time of its click" in timeless.sentence


def test_the_catalogue() -> None:
    report = small_report()
    assert report.catalogue is not None

    untitled = words.catalogue_lead(report.catalogue, report.fills)
    assert (untitled.tone, "1 have no title" in untitled.sentence) == ("act", True)
    whole = [replace(fill, columns=tuple(replace(c, missing=0) for c in fill.columns))
             for fill in report.fills]  # fmt: skip
    said = words.catalogue_lead(report.catalogue, whole).sentence
    assert "1 group of nearly the same title" in said
    assert "1 price of 0 or far out" in said
    assert "1 category path written in another way" in said


def test_parts() -> None:
    part = PartRows("train", "", "", 1, 1, 1, 1, 1, 100)

    assert words.parts_lead([part] * 3).tone == "fine"
    assert words.parts_lead([part, part, replace(part, part="test", positives=99)]).tone == "look"
    assert words.parts_lead([part] * 2).tone == "act"


@pytest.mark.parametrize(
    ("flagged", "requests", "tone"), [(0, 0, "fine"), (2, 10, "look"), (2, 11, "act")]
)
def test_machines(flagged: int, requests: int, tone: str) -> None:
    found = Flagged((FlaggedKind("ip", flagged, 9),), (), (), rate(requests, 100))

    lead = words.flagged_lead(found)

    assert lead.tone == tone
    assert ("2 addresses" in lead.sentence) == (flagged == 2)


def test_labels_and_judgements_and_columns() -> None:
    report = small_report()
    assert report.labels is not None

    assert "1 text has several labels" in words.labels_lead(report.labels).sentence
    alone = replace(report.labels, contradicted=0)
    assert words.labels_lead(alone).tone == "look"  # one text in the rarest class
    assert words.labels_lead(replace(alone, classes={"a": 100}, class_count=1)).tone == "fine"
    judged = Judgements(4, 2, 4, replace(ONE, mean=2.0), {"0": 2, "1": 2}, 1)
    assert words.judgements_lead(judged).tone == "fine"
    assert words.judgements_lead(replace(judged, one_grade=2)).tone == "look"
    # The purchase and the view of five events name no surface: under a half. Position: three.
    said = words.columns_lead(report.fills).sentence
    assert "events.position (60.0 %)" in said
    assert "events.surface" not in said
