"""The guard is shown the figures: honest ones pass, those of a moment too late do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.data.attribution import DAY
from shelfwise.data.features.behaviour import Log
from shelfwise.data.features.guarded import counted_figures, offered_figures
from shelfwise.data.features.point_in_time import Standings
from shelfwise.data.leaks.counts import leaks_in_counts
from shelfwise.data.leaks.labels import leaks_from_labels
from shelfwise.data.prepared import PreparedShop


@pytest.fixture(scope="module")
def log(prepared_sample: PreparedShop) -> Log:
    return Log.of(prepared_sample)


def test_the_sample_shop_passes(log: Log) -> None:
    standings = Standings.of_log(log)
    counted = list(counted_figures(log, standings))

    assert len(counted) == 9
    # Some rows are told of something, or nothing would be compared.
    assert all(one.told["count"].max() > 0 for one in counted)
    assert [leaks_in_counts(one) for one in counted] == [[]] * 9
    (offered,) = offered_figures(log, standings)
    assert leaks_from_labels(offered) == []


def test_counts_of_a_later_moment_are_refused(log: Log) -> None:
    standings = Standings.of_log(log)
    # Days that begin two days early: what happens today is told as if it were past.
    late = replace(standings, first=standings.first - 2 * DAY)

    wrong = {one.name for one in counted_figures(log, late) if leaks_in_counts(one)}

    assert {"item_shown", "query_shown"} <= wrong
    assert "user_shown" not in wrong


def test_a_figure_that_tells_the_label_is_refused(log: Log) -> None:
    (offered,) = offered_figures(log, Standings.of_log(log))
    clicked = pl.col("clicked").cast(pl.Float32) + pl.Series(np.linspace(0, 0.1, len(offered.rows)))
    planted = offered._replace(rows=offered.rows.with_columns(user_shown=clicked))

    found = leaks_from_labels(planted)

    assert [leak.what.split(" (")[0] for leak in found] == [
        "feature 'user_shown' tells 'clicked' by itself"
    ]


def test_few_rows_of_an_outcome_give_no_verdict(log: Log) -> None:
    few = log._replace(impressions=log.impressions.head(300))

    assert offered_figures(few, Standings.of_log(log)) == ()
