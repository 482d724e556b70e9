"""Every kind of leak is told at once; what `prepare` makes of a clean shop passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from shelfwise.data.leakage import find_leaks, refuse_leaks
from shelfwise.data.leaks.counts import Counted
from shelfwise.data.leaks.labels import Offered
from shelfwise.data.leaks.negatives import Passed
from shelfwise.data.prepared import PreparedShop

from .leaks.planted import HOUR, IMPRESSIONS, POSITIVES, REQUESTS, made, planted, refusal


def test_all_kinds_in_one_refusal() -> None:
    bought = np.arange(200) % 2 == 0
    rows = pl.DataFrame({"value": bought * 2.5, "bought": bought})
    raw = pl.DataFrame({"item": [1], "owner": [0], "at": [5 * HOUR], "key": [1]})
    told = pl.DataFrame({"key": [1], "at": [2 * HOUR], "count": [1]})
    sick = replace(
        made(
            [3, 5, 4],
            requests=planted(REQUESTS, 2, request_id="b"),
            impressions=planted(
                planted(IMPRESSIONS, 0, item=2, position=None), 2, clicked_at=2 * HOUR
            ),
            positives=planted(POSITIVES, 0, at=2 * HOUR),
        ),
        offered=(Offered(rows, ("bought",), ("value",)),),
        counted=(Counted("views of item 1", told, raw),),
        passed=(Passed(pl.DataFrame({"item": [1], "owner": [0], "at": [4 * HOUR]}), raw),),
    )

    assert [line.split(":")[0].strip() for line in refusal(sick)] == [
        "history reaches the request's own time or beyond",
        "history runs into another owner's events",
        "the same impression stands twice",
        "an outcome lies before its impression",
        "a match lies before its request",
        "a request straddles the split",
        "feature 'value' tells 'bought' by itself (AUC 1.0000, 100 of 200 rows bought); "
        "leave it out of [features]",
        "views of item 1 counts what had not happened yet",
        "items of the future stand as negatives",
        "users of the future stand as negatives",
    ]


def test_nothing_is_found_in_a_sound_log() -> None:
    assert find_leaks(made()) == []
    refuse_leaks(made())


def test_the_sample_shop_was_let_through(prepared_sample: PreparedShop) -> None:
    # `prepare` asks the guard before it seals anything.
    assert len(prepared_sample.requests) > 0
