from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from shelfwise.data.history import KINDS
from shelfwise.data.judged import JUDGED
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.verdicts import verdicts
from shelfwise.schema.event import EventKind

from .baselines.small import HISTORY, TARGETS, ints

RETURN = KINDS.index(EventKind.RETURN)


def judgements(*rows: tuple[int, int, float]) -> pl.DataFrame:
    return pl.DataFrame([(*row, "test") for row in rows], schema=JUDGED, orient="row")


def test_by_hand(prepared_sample: PreparedShop) -> None:
    # Owner 0 returns the item 1 it bought; owner 1 bought 1 and 2, owner 2 bought 1. Target 1
    # types query 4, for which item 3 has the lowest grade and item 0 a higher one.
    kinds = HISTORY.kind_E.copy()
    kinds[1] = RETURN
    shop = replace(
        prepared_sample,
        history=HISTORY._replace(kind_E=kinds),
        judgements=judgements((4, 3, 0.0), (4, 0, 2.0), (5, 1, 0.0)),
    )

    found = verdicts(shop, replace(TARGETS, query_T=ints(-1, 4, -1)))

    told = sorted(
        zip(found.target_J.tolist(), found.item_J.tolist(), found.wrong_J.tolist(), strict=True)
    )
    assert told == [
        (0, 0, False),
        (0, 1, True),
        (1, 0, False),
        (1, 1, False),
        (1, 2, False),
        (1, 3, True),
        (2, 1, False),
    ]
    assert "7 verdicts on the test's requests, 2 of them wrong" in found.note


def test_what_came_after_the_test_is_not_looked_at(prepared_sample: PreparedShop) -> None:
    # Owner 0 bought item 0 on days 0 and 2 and item 1 on day 1; the test ends as day 1 begins.
    moments = prepared_sample.moments._replace(end=int(HISTORY.at_E[1]))
    shop = replace(prepared_sample, history=HISTORY, moments=moments, judgements=judgements())

    found = verdicts(shop, TARGETS)

    told = sorted(zip(found.target_J.tolist(), found.item_J.tolist(), strict=True))
    assert told == [(0, 0), (1, 1)]


def test_grades_that_are_all_alike_and_no_judges(prepared_sample: PreparedShop) -> None:
    history = HISTORY._replace(kind_E=np.zeros_like(HISTORY.kind_E))
    for rows in (judgements((4, 3, 1.0), (4, 0, 1.0)), judgements()):
        shop = replace(prepared_sample, history=history, judgements=rows)

        found = verdicts(shop, replace(TARGETS, query_T=ints(4, 4, 4)))

        assert len(found.target_J) == 0
