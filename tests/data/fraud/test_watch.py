from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from tests.data.fraud.small_log import crowd, metronome, numbered

from shelfwise.data.config import DataOptions
from shelfwise.data.fraud_watch import FraudWatch, with_reasons
from shelfwise.data.split import Moments

_CATEGORY_V = pl.Series([item // 20 for item in range(200)], dtype=pl.Int64)
MACHINE = 99


@pytest.fixture
def events() -> pl.DataFrame:
    """Sixty people, and a machine that starts when all of them have gone; each at an address."""
    people, machine = numbered(crowd(60)), numbered(metronome(MACHINE))
    late = pl.col("at") - machine["at"].min() + people["at"].max() + 1
    return pl.concat([people, machine.with_columns(late)])


def _moments(events: pl.DataFrame, *, validation: bool) -> Moments:
    people = events.filter(pl.col("owner") != MACHINE)
    end = int(events["at"].max()) + 1
    return Moments(
        int(events["at"].min()), int(people["at"].max()) + 1 if validation else end, end, end
    )


def test_who_turns_into_a_machine_later_costs_later_rows_alone(
    events: pl.DataFrame, tmp_path: Path
) -> None:
    watch = FraudWatch(
        DataOptions(), _moments(events, validation=True), tmp_path, _CATEGORY_V, timed=True
    )
    for owners in (pl.col("owner") < 30, pl.col("owner") >= 30):
        watch.add(events.filter(owners))

    flags = watch.flags()

    assert not flags.trained["flagged"].any()
    flagged = flags.later.filter("flagged")
    assert flagged["id"].unique().to_list() == [MACHINE]
    assert flagged["actor"].unique().sort().to_list() == ["ip", "owner", "session"]
    requests = pl.DataFrame(
        {
            "owner": [MACHINE, MACHINE, MACHINE, 3],
            "session": [990, 991, 992, 993],
            "part": ["train", "validation", "test", "validation"],
        }
    )
    reasons = with_reasons(requests, flags)["fraud"]
    assert reasons.is_null().to_list() == [True, False, False, True]
    assert str(reasons[1]).startswith("owner: ")


def test_figures_made_anew_are_those_of_the_whole(events: pl.DataFrame, tmp_path: Path) -> None:
    middle = int(events["at"].quantile(0.4) or 0)
    end = int(events["at"].max()) + 1
    parted = FraudWatch(
        DataOptions(), Moments(0, middle, end, end), tmp_path, _CATEGORY_V, timed=True
    )
    whole = FraudWatch(DataOptions(), Moments(0, end, end, end), tmp_path, _CATEGORY_V, timed=True)
    for watch in (parted, whole):
        watch.add(events)

    assert (
        parted.flags().later.sort("actor", "id").equals(whole.flags().trained.sort("actor", "id"))
    )


def test_without_a_filter_nobody_is_judged(events: pl.DataFrame, tmp_path: Path) -> None:
    options = DataOptions.model_validate({"fraud": {"enabled": False}})
    watch = FraudWatch(
        options, _moments(events, validation=True), tmp_path, _CATEGORY_V, timed=True
    )
    watch.add(events)

    assert [len(one) for one in watch.flags()] == [0, 0]
