"""What every baseline keeps, whatever it learns: the contract of `Family` and `Fitted`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shelfwise.evaluation.baselines.ease import Ridge, ease
from shelfwise.evaluation.baselines.ease_and_recent import ease_and_recent
from shelfwise.evaluation.baselines.item_knn import by_bm25, by_cosine
from shelfwise.evaluation.baselines.markov import markov
from shelfwise.evaluation.baselines.own_counts import own_counts
from shelfwise.evaluation.baselines.popularity import LastDays, of_all_time, of_late
from shelfwise.evaluation.baselines.role import Family
from shelfwise.evaluation.baselines.vectors import near_texts
from shelfwise.evaluation.baselines.words import shared_words
from shelfwise.retrieval.taken import Taken

from .small import ALL_ROWS, HISTORY, ITEMS, LEARNED, TARGETS, VECTORS, WORDS, ints

FAMILIES: dict[str, Family[Any]] = {
    family.name: family
    for family in (
        of_all_time(),
        of_late(longest=100),
        by_cosine(),
        by_bm25(),
        markov(),
        own_counts(timed=True),
        ease(ITEMS),
        ease_and_recent(Ridge(10, False), LastDays(2)),
        shared_words(WORDS),
        near_texts(VECTORS),
    )
}


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family[Any]:
    return FAMILIES[request.param]


def test_every_setting_scores_the_chosen_rows(family: Family[Any]) -> None:
    found = list(family.fit(LEARNED, family.settings))

    assert len(found) == len(set(family.settings)) == len(family.settings)
    for fitted in found:
        everything = fitted.scores(TARGETS, ALL_ROWS)
        assert everything.shape == (3, ITEMS)
        assert everything.dtype == np.float32
        assert np.isfinite(everything).all()
        for rows in ([2], [0, 2], []):
            some = fitted.scores(TARGETS, ints(*rows))
            assert some.shape == (len(rows), ITEMS)
            assert some == pytest.approx(everything[ints(*rows)], abs=1e-6)


def test_a_setting_learned_alone_is_the_same(family: Family[Any]) -> None:
    together = list(family.fit(LEARNED, family.settings))

    for setting, fitted in zip(family.settings, together, strict=True):
        alone = next(family.fit(LEARNED, [setting]))
        scores = alone.scores(TARGETS, ALL_ROWS)
        assert scores == pytest.approx(fitted.scores(TARGETS, ALL_ROWS), abs=1e-6)


def test_nothing_after_the_request_is_looked_at(family: Family[Any]) -> None:
    # The last event of owners 1 and 2 is cut off, and then becomes another item.
    earlier = replace(TARGETS, end_T=ints(3, 6, 7))
    item_E = HISTORY.item_E.copy()
    item_E[[6, 7]] = 3
    otherwise = LEARNED._replace(history=HISTORY._replace(item_E=item_E))

    for setting in family.settings:
        before = next(family.fit(LEARNED, [setting])).scores(earlier, ALL_ROWS)
        after = next(family.fit(otherwise, [setting])).scores(earlier, ALL_ROWS)
        assert np.array_equal(before, after)


def test_numbering_items_otherwise_changes_no_score(family: Family[Any]) -> None:
    new_number = ints(2, 0, 3, 1)
    item_E = np.where(HISTORY.item_E >= 0, new_number[HISTORY.item_E], -1).astype(np.int32)
    renamed = LEARNED._replace(
        history=HISTORY._replace(item_E=item_E),
        taken=LEARNED.taken._replace(item_E=new_number[LEARNED.taken.item_E]),
    )

    if "BM25 of texts" in family.name or "encoder" in family.name:
        pytest.skip("items keep their texts, which are numbered as well")
    for setting in family.settings:
        before = next(family.fit(LEARNED, [setting])).scores(TARGETS, ALL_ROWS)
        after = next(family.fit(renamed, [setting])).scores(TARGETS, ALL_ROWS)
        assert after[:, new_number] == pytest.approx(before, abs=1e-5)


def test_a_log_in_which_nothing_was_taken_tells_no_item_from_another(family: Family[Any]) -> None:
    none = Taken(ints(), ints(), ints(), 3, ITEMS)
    nothing_yet = HISTORY._replace(
        offset_U1=ints(0, 0, 0, 0),
        **{name: getattr(HISTORY, name)[:0] for name in ("item_E", "query_E", "kind_E", "at_E")},
    )
    learned = LEARNED._replace(history=nothing_yet, taken=none)
    empty = replace(TARGETS, end_T=ints(0, 0, 0))

    for setting in family.settings:
        scores = next(family.fit(learned, [setting])).scores(empty, ALL_ROWS)
        assert len(np.unique(scores)) == 1


def test_who_has_no_past_is_shown_what_is_popular(family: Family[Any]) -> None:
    # Owner 2 knows nothing; items 0 and 1 were taken twice, item 2 once, item 3 never.
    for setting in family.settings:
        scores = next(family.fit(LEARNED, [setting])).scores(TARGETS, ints(2))[0]
        assert scores[3] <= scores.min()
        assert scores[2] <= scores[:2].max()
