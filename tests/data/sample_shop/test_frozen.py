"""The sample shop's parameters are frozen, and its page in the docs says what they are."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.data.sample_shop.outcomes import CLICK, DEVICES, PURCHASE, SURFACES, Utility
from shelfwise.data.sample_shop.purchase_delay import share_within

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "sample-shop.md"
FROZEN = "7d91ba7a7696fda1"


def test_a_small_shop_is_what_it_was(tmp_path: Path) -> None:
    # No figures in floating point, which may differ in their last bit from machine to machine.
    write_sample_shop(
        tmp_path,
        SampleOptions(users=60, items=600, days=20, language="both", domains=2, bot_share=0.1),
    )
    digest = hashlib.sha256()
    events = pl.read_parquet(tmp_path / "events.parquet")
    digest.update(events.drop("propensity").write_csv().encode())
    bots = pl.read_parquet(tmp_path / "truth" / "bots.parquet")
    digest.update(bots.select("user_id", "strength", "farm").write_csv().encode())
    for name in ("catalogue", "campaigns", "judgements"):
        digest.update((tmp_path / f"{name}.csv").read_bytes())

    # Another digest means another shop: figures measured on the one before no longer hold. Only
    # a release of numpy whose generators draw differently may change it without our doing.
    assert digest.hexdigest()[:16] == FROZEN


def _rows() -> dict[str, list[str]]:
    """The page's table rows, up to those on bots, by their first cell."""
    before_bots = PAGE.read_text(encoding="utf-8").partition("## Bots")[0]
    rows = re.findall(r"^\| (.+) \|$", before_bots, re.MULTILINE)
    return {cells[0]: cells[1:] for cells in (row.split(" | ") for row in rows)}


@pytest.mark.parametrize(("place", "utility"), [(0, CLICK), (1, PURCHASE)])
def test_the_page_has_the_weights_that_the_code_has(place: int, utility: Utility) -> None:
    said = {
        name: float(cells[place])
        for name, cells in _rows().items()
        if len(cells) == 3 and re.fullmatch(r"-?[\d.]+", cells[place])
    }

    plain = ("match", "intent", "interest", "taste", "quality", "again", "consumable")
    expected = {name: getattr(utility, name) for name in plain}
    expected |= {"price": -utility.price, "books": utility.domain[1]}
    expected |= dict(zip(SURFACES, utility.base, strict=True))
    expected |= dict(zip(DEVICES, utility.device, strict=True))
    countries = ("second country", "third country", "fourth country")
    expected |= dict(zip(countries, utility.country[1:], strict=True))
    assert said == pytest.approx(expected)


def test_the_page_has_the_options_that_the_code_has() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    options = SampleOptions()

    assert f"{options.users} shoppers, {options.items} items, {options.days} days" in text
    for name in ("visits_per_month", "exploration_share", "typo_share", "new_item_share"):
        assert f"`{name}` ({getattr(options, name)})" in text
    for days in (3, 6, 7):
        assert re.search(
            rf"within {days} days (come )?{100 * share_within(days):.0f}\b", text, re.I
        )
