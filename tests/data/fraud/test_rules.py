"""Each rule's ramp, by hand, against a population that is written down here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shelfwise.data.fraud.options import ActorKind, FraudOptions
from shelfwise.data.fraud.population import FIGURES, Population
from shelfwise.data.fraud.rules import Rule, buys_as_usual, company_rules, rules_for

# One purchase of ten clicks, clicks a tenth of what is shown, at most ten acts an hour.
_PEOPLE = Population(
    actors=100,
    median={
        "pace": 4.0,
        "most_in_hour": 10.0,
        "click_through": 0.1,
        "owners": 1.0,
        "gap_variation": 1.5,
        "equal_gaps": 0.05,
        "hasty": 0.0,
        "hours_in_day": 3.0,
        "top_item": 0.1,
        "top_category": 0.5,
        "distinct_items": 0.9,
        "night": 0.05,
    },
    spread={name: 0.5 for name in FIGURES} | {"top_category": 0.1, "night": 0.05},
    purchases_per_taken=0.1,
)
_PERSON: dict[str, Any] = {
    "owners": 1,
    "impressions": 400,
    "clicks": 40,
    "taken": 40,
    "purchases": 4,
    "active_hours": 20,
    "gaps": 60,
} | {name: _PEOPLE.median[name] for name in FIGURES if name != "owners"}


def _evidence(rule: str, actor: ActorKind = "owner", **changed: Any) -> float | None:
    found = next(one for one in _rules(actor) if one.name == rule)
    told: float | None = pl.DataFrame([_PERSON | changed]).select(found.evidence).item()
    return told


def _rules(actor: ActorKind) -> list[Rule]:
    return list(rules_for(actor, _PEOPLE, FraudOptions(acts_in_hour=30)))


@pytest.mark.parametrize("actor", ["owner", "session", "ip"])
def test_nothing_speaks_against_the_usual_person(actor: ActorKind) -> None:
    found = pl.DataFrame([_PERSON]).select(one.evidence.alias(one.name) for one in _rules(actor))

    assert {share or 0 for share in found.row(0)} == {0}


@pytest.mark.parametrize(
    ("rule", "changed", "evidence"),
    [
        # e ** 3 = 20.1 times the usual rate is 3 / .5 = 6 spreads up; the ramp is 4.5 to 7.5.
        ("too fast", {"most_in_hour": 10 * 20.0855}, 0.5),
        ("too fast", {"most_in_hour": 30}, None),  # never odd, whatever is usual
        # Evidence of the pace counts from three active hours on.
        ("too fast", {"pace": 4 * 20.0855, "most_in_hour": 90}, 0.5),
        # Variation 1.5 - .75 * 1.5; the ramp goes from .6 to .9 of the usual variation below it.
        ("steady gaps", {"gap_variation": 0.375}, 0.5),
        # .05 + .375 of equal gaps; the ramp is .25 to .5 above the usual.
        ("steady gaps", {"equal_gaps": 0.425}, 0.5),
        ("steady gaps", {"gap_variation": 0.0, "gaps": 19}, None),
        ("no dwell", {"hasty": 0.5}, 0.5),  # .3 to .7
        ("no dwell", {"hasty": 1.0, "taken": 14}, None),
        ("round the clock", {"hours_in_day": 18}, 0.5),  # 16 to 20
        ("same item again", {"top_item": 0.55}, 0.5),  # .3 to .6 above .1
        # 2 spreads of .1 below .5; the ramp is 1 to 3.
        ("looks at everything", {"top_category": 0.3}, 0.5),
        ("at night", {"night": 0.35}, 0.5),  # 6 spreads of .05; 4 to 8
        ("at night", {"night": 1.0, "active_hours": 14}, None),
        # 5.46 purchases expected, log((5.46 + 1) / (0 + 1)) = 1.866; the ramp is 1.1 to 2.3.
        ("buys nothing", {"taken": 54.6, "purchases": 0}, (1.8656 - 1.1) / 1.2),
        ("buys nothing", {"taken": 20, "purchases": 0}, 0),  # log(3 / 1) = 1.0986
        # logit(.9) - logit(.1) = 4.39 is 8.8 spreads up, beyond the 5 at which the ramp ends.
        ("clicks everything", {"click_through": 0.95, "impressions": 100}, 1),
        # The same rate from four impressions could be chance, and four clicks are too few.
        ("clicks everything", {"click_through": 1.0, "impressions": 4, "clicks": 4}, None),
    ],
)
def test_evidence_by_hand(rule: str, changed: dict[str, Any], evidence: float | None) -> None:
    assert _evidence(rule, **changed) == (
        None if evidence is None else pytest.approx(evidence, abs=1e-4)
    )


def test_chance_is_given_its_due() -> None:
    # 20 of 40 clicked: .5 - 2 * (.25 / 40) ** .5 = .342; logit -.655 + 2.197 = 1.542, 3.08 spreads
    # up, (3.08 - 2) / 3 = .361. Of 4,000 impressions the same rate is .484: logit -.063, 4.27
    # spreads, .756.
    few = _evidence("clicks everything", click_through=0.5, impressions=40, clicks=20)
    many = _evidence("clicks everything", click_through=0.5, impressions=4_000, clicks=2_000)

    assert few == pytest.approx(0.361, abs=2e-3)
    assert many == pytest.approx(0.756, abs=2e-3)


def test_a_crowd_begins_above_a_household() -> None:
    assert _evidence("crowded address", "ip", owners=5) is None
    # log 20 / .5 = 5.99 spreads; the ramp is 4.5 to 7.5.
    assert _evidence("crowded address", "ip", owners=20) == pytest.approx(0.497, abs=1e-3)


def test_an_address_is_not_asked_what_many_together_do() -> None:
    asked = {rule.name for rule in _rules("ip")}

    assert asked.isdisjoint({"round the clock", "at night", "looks at everything", "buys nothing"})


@pytest.mark.parametrize(
    ("purchases", "taken", "believed"),
    [(4, 40, True), (3, 40, False), (2, 10, False), (3, 10, True), (9, 0, False)],
)
def test_who_buys_at_the_usual_rate_is_believed(purchases: int, taken: int, believed: bool) -> None:
    # Usual is one of ten, and fewer than three purchases say nothing.
    actor = pl.DataFrame({"purchases": [purchases], "taken": [taken]})

    assert actor.select(buys_as_usual(_PEOPLE)).item() is believed


def test_reasons_say_the_figure_and_the_usual_one() -> None:
    texts = {
        rule.name: pl.DataFrame([_PERSON | {"most_in_hour": 412}]).select(rule.text).item()
        for rule in [*_rules("owner"), *_rules("ip")]
    }

    assert texts["too fast"] == "up to 412 acts an hour (usual: 10)"
    assert texts["buys nothing"] == "4 purchases from 40 views and clicks (usual: 4.0)"
    assert texts["clicks everything"] == "10% of what was shown is clicked (usual: 10%)"
    assert None not in texts.values()


def test_the_page_about_it_tells_the_weights_and_defaults() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "fraud.md").read_text(encoding="utf-8")

    told = dict(re.findall(r"^\| ([a-z ]+) \| (\.\d+)", page, flags=re.MULTILINE))
    rules = [*_rules("ip"), *_rules("owner"), *company_rules()]
    weights = {rule.name: rule.weight for rule in rules}
    forest = {"stands alone": 0.2}
    assert {name: float(weight) for name, weight in told.items()} == weights | forest
    block = tomllib.loads(page.split("```toml")[1].split("```")[0])
    assert FraudOptions.model_validate(block["fraud"]) == FraudOptions()
