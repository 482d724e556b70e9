"""Baselines on real logs reach what they are known to reach (views of DESIGN, section 7)."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli.command import done

from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.data.targets import match_targets
from shelfwise.evaluation.baselines.choose import baselines, learned_from
from shelfwise.evaluation.baselines.ease import Ease, Ridge
from shelfwise.evaluation.baselines.ease_and_recent import Mixture, ease_and_recent
from shelfwise.evaluation.baselines.item_knn import Bm25, Cosine, by_bm25, by_cosine
from shelfwise.evaluation.baselines.markov import Steps, markov
from shelfwise.evaluation.baselines.own_counts import Fading, own_counts
from shelfwise.evaluation.baselines.popularity import Ever, LastDays, of_all_time, of_late
from shelfwise.evaluation.baselines.role import Family, Fitted, Learned
from shelfwise.evaluation.match import rank_all, views
from shelfwise.schema.progress import Silent

DATA = Path(__file__).parents[3] / "shared" / "data"


def prepared_set(name: str, folder: str, out: Path) -> PreparedShop:
    if not (DATA / folder).is_dir():
        pytest.skip(f"no real data at {DATA / folder}")
    done("datasets", "convert", name, "--from", DATA / folder, "--out", out / "shop")
    done("prepare", out / "shop", "--out", out / "prepared")
    return open_prepared_shop(out / "prepared")


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return prepared_set("online-retail", "online_retail", tmp_path_factory.mktemp("retail"))


@pytest.fixture(scope="module")
def eshop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return prepared_set("eshop-clothing", "eshop_clothing", tmp_path_factory.mktemp("eshop"))


@pytest.fixture(scope="module")
def learned(retail: PreparedShop) -> Learned:
    return learned_from(retail, LEARNED)


def ndcg(prepared: PreparedShop, fitted: Fitted) -> dict[str, float]:
    """NDCG@10 of the test, by view."""
    targets = match_targets(prepared, "test")
    taken = learned_from(prepared, LEARNED).taken
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    looked_at = views(prepared, targets, warm_V)
    ranked = rank_all({"a": fitted.scores}, targets, looked_at, taken.items, Silent())
    return {name: float(np.nanmean(found.ndcg(10))) for (_, name), found in ranked.items()}


# Settings that validation chooses, and the least of NDCG@10 on the test in `new` and `all`.
RETAIL: list[tuple[Family[Any], Any, float, float]] = [
    (of_all_time(), Ever(), 0.034, 0.085),
    (of_late(300), LastDays(7), 0.100, 0.140),
    (of_late(300), LastDays(30), 0.070, 0.125),
    (own_counts(timed=True), Fading(inf, inf), 0.0, 0.335),
    (by_cosine(), Cosine(20, True), 0.075, 0.245),
    (by_bm25(), Bm25(100, True, 1.2, 0.75), 0.078, 0.300),
    (markov(), Steps(10, 0.8, 10), 0.045, 0.130),
    (ease_and_recent(Ridge(200, False), LastDays(7)), Mixture(0.1, 0.25), 0.108, 0.290),
]


@pytest.mark.parametrize(
    ("family", "setting", "new", "everything"),
    RETAIL,
    ids=[f"{family.name} {setting}" for family, setting, _, _ in RETAIL],
)
def test_retail_baselines_are_strong(
    retail: PreparedShop,
    learned: Learned,
    family: Family[Any],
    setting: Any,
    new: float,
    everything: float,
) -> None:
    found = ndcg(retail, next(family.fit(learned, [setting])))

    assert found["new"] > new
    assert found["all"] > everything


def test_retail_ease_of_sets_finds_the_new_and_of_counts_the_usual(
    retail: PreparedShop, learned: Learned
) -> None:
    sets = ndcg(retail, Ease.of(learned, Ridge(200, False)))
    counts = ndcg(retail, Ease.of(learned, Ridge(50, True)))

    assert sets["new"] > 0.095
    assert counts["all"] > 0.295
    assert sets["new"] > counts["new"]


def test_eshop_last_click_and_the_two_before_it(eshop: PreparedShop) -> None:
    learned = learned_from(eshop, LEARNED)
    last = ndcg(eshop, next(markov().fit(learned, [Steps(1, 1.0, 1)])))
    three = ndcg(eshop, next(markov().fit(learned, [Steps(3, 0.1, 2)])))
    popular = ndcg(eshop, next(of_all_time().fit(learned, [Ever()])))

    assert three["main"] > 0.31
    assert last["main"] > 0.31
    assert popular["main"] < 0.08


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_retail_validation_chooses_well(retail: PreparedShop) -> None:
    found = {rival.name: rival for rival in baselines(retail).found}

    assert found["recent popularity"].setting == LastDays(7)
    assert ndcg(retail, found["EASE"])["new"] > 0.095
    assert ndcg(retail, found["EASE and recent popularity"])["new"] > 0.108
    assert ndcg(retail, found["item-kNN (BM25)"])["all"] > 0.29
