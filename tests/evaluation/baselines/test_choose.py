from __future__ import annotations

from math import isnan
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from data.small_log import PUBLISHED, event, prepared_shop, write_table

from shelfwise.data.attribution import DAY
from shelfwise.data.config import DataOptions
from shelfwise.data.history import KINDS
from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import match_targets
from shelfwise.evaluation.baselines import ease
from shelfwise.evaluation.baselines.choose import (
    Chosen,
    Rivals,
    baselines,
    learned_from,
    match_kind_numbers,
    taken_in,
)
from shelfwise.evaluation.baselines.item_knn import COSINE, Cosine
from shelfwise.evaluation.baselines.popularity import LastDays, of_late
from shelfwise.evaluation.match import rank_all, views
from shelfwise.models.config import EncoderOptions
from shelfwise.schema.event import EventKind
from shelfwise.schema.progress import Silent


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


@pytest.fixture(scope="module")
def rivals(prepared_sample: PreparedShop, tiny_encoder: Path) -> Rivals:
    return baselines(prepared_sample, encoder=EncoderOptions(name=str(tiny_encoder)))


def test_every_shop_has_its_baselines(rivals: Rivals) -> None:
    assert [rival.name for rival in rivals.found] == [
        "popularity",
        "recent popularity",
        "item-kNN (cosine)",
        "item-kNN (BM25)",
        "last-click Markov",
        "own purchase counts",
        "EASE",
        "BM25 of texts",
        "frozen encoder (cosine)",
        "EASE and recent popularity",
    ]
    assert rivals.notes == []


def test_the_setting_is_told(rivals: Rivals) -> None:
    recent = rivals.found[1]
    assert isinstance(recent.setting, LastDays)

    assert recent.told() == f"recent popularity: days {recent.setting.days}"
    assert rivals.found[0].told() == "popularity"
    figures = rivals.figures()
    assert figures["baseline recent popularity: days"] == recent.setting.days
    assert {type(value) for value in figures.values()} == {float}


def test_the_setting_is_the_best_of_validation(
    rivals: Rivals, prepared_sample: PreparedShop
) -> None:
    recent = rivals.found[1]
    assert isinstance(recent.setting, LastDays)
    targets = match_targets(prepared_sample, "validation")
    learned = learned_from(prepared_sample, TRAINED)
    warm_V = np.bincount(learned.taken.item_E, minlength=learned.taken.items) > 0
    head = views(prepared_sample, targets, warm_V)[0]
    settings = of_late((prepared_sample.moments.validation - prepared_sample.moments.first) / DAY)

    def ndcg(days: LastDays) -> float:
        fitted = next(settings.fit(learned, [days]))
        systems = {"a": fitted.scores}
        ranked = rank_all(systems, targets, [head], learned.taken.items, Silent())
        return float(np.nanmean(ranked["a", head.name].ndcg(10)))

    values = {setting.days: ndcg(setting) for setting in settings.settings}
    assert recent.tried == len(values)
    assert recent.validation == pytest.approx(max(values.values()))
    assert values[recent.setting.days] == recent.validation


def test_what_was_chosen_learns_from_validation_as_well(
    rivals: Rivals, prepared_sample: PreparedShop
) -> None:
    popularity = rivals.found[0].scores(match_targets(prepared_sample, "test"), np.array([0]))[0]

    taken = taken_in(prepared_sample, LEARNED)
    assert popularity.tolist() == np.bincount(taken.item_E, minlength=taken.items).tolist()


def test_a_large_catalogue_has_no_ease(
    prepared_sample: PreparedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ease, "MOST_ITEMS", 299)

    found = baselines(prepared_sample)

    assert not any("EASE" in rival.name for rival in found.found)
    assert found.notes == ["EASE was left out: 300 items, and it is solved for 299 at most."]


def knn_neighbours_of_itself(folder: Path, repeats: bool) -> bool:
    """Whether validation chose to rank what was taken before first."""
    rows = []
    for user in range(6):
        usual = [f"i{user}", f"i{(user + 1) % 6}"]
        rows += [event("purchase", f"u{user}", hour, usual[hour % 2]) for hour in range(0, 50, 9)]
        coming = usual[0] if repeats else f"i{(user + 2) % 6}"
        rows += [event("purchase", f"u{user}", hour, coming) for hour in (65, 95)]
    knn = chosen_cosine(prepared_shop(folder, rows))
    assert knn.tried == len(COSINE)
    setting = knn.setting
    assert isinstance(setting, Cosine)
    return setting.itself


def chosen_cosine(prepared: PreparedShop) -> Chosen:
    return next(b for b in baselines(prepared).found if b.name == "item-kNN (cosine)")


def test_settings_are_chosen_on_validation(tmp_path: Path) -> None:
    assert knn_neighbours_of_itself(tmp_path / "again", repeats=True)
    assert not knn_neighbours_of_itself(tmp_path / "new", repeats=False)


def test_without_validation_the_first_setting_stays(tmp_path: Path) -> None:
    rows = [event("purchase", "u1", hour, f"i{hour % 3}") for hour in (0, 9, 18, 85, 99)]

    knn = chosen_cosine(prepared_shop(tmp_path, rows))

    assert knn.setting == COSINE[0]
    assert isnan(knn.validation)


def test_a_validation_of_old_items_alone_chooses_nothing_of_the_new(tmp_path: Path) -> None:
    # Where only new items count, no validation request is left with a right answer; where
    # repeats count, there is one, and own counts are chosen there.
    rows = [event("purchase", "u1", hour, f"i{hour % 3}") for hour in (0, 1, 2, 65, 66, 99)]
    prepared = prepared_shop(tmp_path, rows, match={"seen": "remove"})

    found = {rival.name: rival for rival in baselines(prepared).found}

    assert isnan(found["popularity"].validation)
    assert found["own purchase counts"].validation > 0


def test_a_log_that_knows_an_order_has_no_recent_days(tmp_path: Path) -> None:
    rows = [
        {"event": "view", "user_id": f"u{user}", "item_id": f"i{(user + place) % 4}",
         "sequence": place}
        for user in range(5)
        for place in range(5)
    ]  # fmt: skip
    write_table(tmp_path / "shop", "events", rows)
    options = {"split": {"kind": "leave_last_out"}, "match": {"target": "next"}}
    prepared = prepare(
        tmp_path / "shop",
        tmp_path / "prepared",
        DataOptions.model_validate(options | {"privacy": PUBLISHED}),
    )
    assert isinstance(prepared, PreparedShop)

    rivals = baselines(prepared)
    found = {rival.name: rival for rival in rivals.found}

    assert rivals.notes == ["Baselines of texts were left out: no item has a title."]
    assert not any("recent" in name for name in found)
    assert found["last-click Markov"].validation == 1  # everybody walks the same circle
    assert found["own purchase counts"].tried == 5
