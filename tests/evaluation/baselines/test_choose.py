from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from data.small_log import event, prepared_shop

from shelfwise.data.history import KINDS
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.baselines.choose import (
    baselines,
    match_kind_numbers,
    taken_in,
)
from shelfwise.evaluation.baselines.item_knn import CHOICES
from shelfwise.schema.event import EventKind


def test_taken_is_what_matched_before_the_moment(prepared_sample: PreparedShop) -> None:
    moment = prepared_sample.moments.test

    taken = taken_in(prepared_sample, LEARNED)

    early = prepared_sample.positives.filter(pl.col("at") < moment)
    assert len(taken.item_E) == len(early) > 0
    assert taken.at_E.max() < moment
    order = list(zip(taken.owner_E.tolist(), taken.at_E.tolist(), strict=True))
    assert order == sorted(order)
    owner_of = prepared_sample.requests["owner"].to_list()
    expected = sorted(
        (owner_of[row["request"]], row["item"], row["at"]) for row in early.rows(named=True)
    )
    found = zip(taken.owner_E.tolist(), taken.item_E.tolist(), taken.at_E.tolist(), strict=True)
    assert sorted(found) == expected


def test_kinds_are_those_of_the_log(prepared_sample: PreparedShop) -> None:
    kinds = {KINDS[number] for number in match_kind_numbers(prepared_sample).tolist()}

    assert kinds == {EventKind.CLICK, EventKind.PURCHASE}


def test_every_shop_has_its_baselines(prepared_sample: PreparedShop) -> None:
    taken = taken_in(prepared_sample, LEARNED)

    names = [baseline.name for baseline in baselines(prepared_sample, taken, 30)]

    assert names == [
        "popularity",
        "popularity (last 30 days)",
        "item-kNN (cosine)",
        "last-click Markov",
        "own purchase counts",
    ]


def knn_neighbours_of_itself(folder: Path, repeats: bool) -> bool:
    """Whether validation chose to rank what was taken before first."""
    rows = []
    for user in range(6):
        usual = [f"i{user}", f"i{(user + 1) % 6}"]
        rows += [event("purchase", f"u{user}", hour, usual[hour % 2]) for hour in range(0, 50, 9)]
        coming = usual[0] if repeats else f"i{(user + 2) % 6}"
        rows += [event("purchase", f"u{user}", hour, coming) for hour in (65, 95)]
    prepared = prepared_shop(folder, rows)
    taken = taken_in(prepared, LEARNED)
    knn = next(b for b in baselines(prepared, taken, 30) if b.name.startswith("item-kNN"))
    return bool(np.diag(knn.similar_VV.toarray()).any())  # type: ignore[attr-defined]


def test_settings_are_chosen_on_validation(tmp_path: Path) -> None:
    assert knn_neighbours_of_itself(tmp_path / "again", repeats=True)
    assert not knn_neighbours_of_itself(tmp_path / "new", repeats=False)


def test_without_validation_the_first_setting_stays(tmp_path: Path) -> None:
    rows = [event("purchase", "u1", hour, f"i{hour % 3}") for hour in (0, 9, 18, 85, 99)]
    prepared = prepared_shop(tmp_path, rows)
    taken = taken_in(prepared, LEARNED)

    knn = next(b for b in baselines(prepared, taken, 30) if b.name.startswith("item-kNN"))

    assert np.diag(knn.similar_VV.toarray()).any() == CHOICES[0].itself  # type: ignore[attr-defined]


def test_a_validation_of_old_items_alone_chooses_nothing(tmp_path: Path) -> None:
    # Where only new items count, no validation request is left with a right answer.
    rows = [event("purchase", "u1", hour, f"i{hour % 3}") for hour in (0, 1, 2, 65, 66, 99)]
    prepared = prepared_shop(tmp_path, rows, match={"seen": "remove"})
    taken = taken_in(prepared, LEARNED)

    assert len(baselines(prepared, taken, 30)) == 5
