"""Whole-catalogue benchmarks: metrics of a view by hand, and one run of everything, small."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from peers import ANSWER, HEAD, MODELS, fake_peer

from shelfwise.schema.errors import ConfigError

if TYPE_CHECKING:
    from benchmarks.result import Result

SMALL = ("model.width=32", "train.threads=1", "train.epochs=1", "train.batch_requests=256")


def one_target(first: list[int], last: list[int], items: list[int]) -> tuple:
    from shelfwise.data.targets import MatchTargets
    from shelfwise.evaluation.match import Ranked
    from shelfwise.metrics.ranks import TiedRanks

    none = np.empty(0, np.int64)
    target_P = np.array([0, 0, 1])
    targets = MatchTargets(
        np.array([7, 9]), *(np.zeros(2, np.int64),) * 3, target_P, np.array(items), none, none
    )
    ranks = TiedRanks(np.array(first), np.array(last))
    return Ranked(ranks, target_P, np.array(items), np.array([2, 1])), targets


def test_metrics_of_shoppers_by_hand() -> None:
    from benchmarks.catalogue import unit_values

    # The first shopper's two right items stand at 1 and 12, the second's one at 3; of 50 items.
    found, targets = one_target([1, 12, 3], [1, 12, 3], [4, 5, 6])

    values = unit_values(found, "new", targets, 50)

    # Ideal gain of two items: 1 + 1/log2(3) = 1.63093; only the first stands within 10.
    np.testing.assert_allclose(values["ndcg@10"], [1 / 1.6309297535714575, 1 / 2])
    np.testing.assert_allclose(values["hr@10"], [1, 1])
    np.testing.assert_allclose(values["recall@10"], [0.5, 1])
    np.testing.assert_allclose(values["mrr"], [1, 1 / 3])


def test_rare_items_are_those_that_few_took_and_somebody_did() -> None:
    from benchmarks.catalogue import _of_rare_items

    from shelfwise.evaluation.match import View

    none = np.empty(0, np.int64)
    view = View("new", np.array([0, 0, 1, 2]), np.array([0, 1, 2, 3]), np.array([2]), none)

    found = _of_rare_items(view, np.array([6, 5, 0, 1]), 5)

    assert found.name == "taken 5 times at most"
    assert found.right_target_P.tolist() == [0, 2]
    assert found.right_item_P.tolist() == [1, 3]
    assert found.excluded_target_X.tolist() == [2]


def test_cold_items_are_the_units_of_their_view() -> None:
    from benchmarks.catalogue import unit_values

    # Item 4 is asked for twice: at place 100, and in a tie of places 91 to 110, half of it within
    # 100. Item 6 stands beyond.
    found, targets = one_target([100, 91, 101], [100, 110, 101], [4, 4, 6])

    values = unit_values(found, "cold", targets, 200)

    assert list(values) == ["recall@100"]
    np.testing.assert_allclose(values["recall@100"], [(1 + 0.5) / 2, 0])


def test_a_misspelt_system_stops_before_anything_runs(tmp_path: Path) -> None:
    from benchmarks.asking import Asking
    from benchmarks.catalogue import Protocol, compare

    from shelfwise.schema.progress import Silent

    asking = Asking(tmp_path, systems=("shelfwize",), scripts=tmp_path)

    with pytest.raises(
        ConfigError, match="no shelfwize; known are shelfwise, variants, baselines, peers"
    ):
        compare(Protocol("retail", "online-retail", "."), asking, Silent())


@pytest.fixture(scope="module")
def compared(
    sample_shop: Path, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Result:
    """Ours with two seeds, the baselines, one peer that answers and one that is not there."""
    from benchmarks.asking import Asking
    from benchmarks.catalogue import Protocol, compare

    from shelfwise.schema.progress import Silent

    folder = tmp_path_factory.mktemp("peers")
    fake_peer(folder, "absent", HEAD + ANSWER, installed=False)
    fake_peer(folder, "clumsy", HEAD + "parser.parse_args()\nraise SystemExit('ranks nothing')\n")
    where = fake_peer(folder, "fake", HEAD + MODELS + ANSWER)
    encoder = (f"model.encoder.name={tiny_encoder}", "model.encoder.tuning.mode=frozen")
    asking = Asking(sample_shop, 2, 0.5, (), (*SMALL, *encoder), *where)
    protocol = Protocol("retail", "online-retail", "As published.", {"main": "headline"})
    return compare(protocol, asking, Silent())


def test_every_system_is_a_row_on_the_same_requests(compared: Result) -> None:
    rows = [row for row in compared.rows if row.get("metric") == "ndcg@10"]
    main = {row["system"]: row for row in rows if row["view"] == "headline"}

    assert {"shelfwise", "random order", "popularity"} < set(main)
    assert {"fake/one", "fake/one (tuned)", "fake/two", "fake/two (tuned)"} < set(main)
    assert len({row["support"] for row in main.values()}) == 1
    assert all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 for row in rows)
    # Seeds change ours; a peer that answers the same twice is one run.
    assert main["shelfwise"]["seeds"] == 2
    assert main["fake/one"]["seeds"] == 1
    assert compared.section == ""  # the page's own
    assert compared.data["counts"]["requests of the test"] == main["shelfwise"]["support"]


def test_a_random_order_earns_what_chance_gives(compared: Result) -> None:
    (row,) = (
        row
        for row in compared.rows
        if (row["system"], row.get("view"), row.get("metric"))
        == ("random order", "headline", "recall@10")
    )

    # Every item is as likely to stand within the first 10 of all, whoever asks.
    assert row["value"] == pytest.approx(10 / compared.data["counts"]["items"])


def test_what_is_not_installed_is_a_row_with_the_reason(compared: Result) -> None:
    failed = {row["system"]: row["failed"] for row in compared.rows if "failed" in row}

    # One that fails with its defaults and when tuned is told once.
    assert failed == {
        "absent": "not installed; make it with: make peers",
        "clumsy": "ranks nothing",
    }


def test_ours_is_compared_with_every_other(compared: Result) -> None:
    others = {row["system"] for row in compared.rows if "view" in row} - {"shelfwise"}
    gaps = [gap for gap in compared.differences if gap["view"] == "headline"]

    assert {gap["b"] for gap in gaps} == others
    assert {gap["metric"] for gap in gaps} == {"ndcg@10"}
    assert {gap["a"] for gap in gaps} == {"shelfwise"}
    assert {gap["seeds"] for gap in gaps} == {2}


def test_it_says_how_each_was_run(compared: Result) -> None:
    fake = next(one for one in compared.systems if one["system"] == "fake/one (tuned)")

    assert fake["settings"] == {"seconds": 30.0, "seed": 0}
    assert [one["seed"] for one in compared.systems if one["system"] == "shelfwise"] == [0, 1]
    assert "ndcg@10 sd over seeds" in compared.figures
    # Not Online Retail's protocol, but that of the shop it was run on.
    assert compared.protocol.startswith("Split by time, one moment for everybody; validation")
    assert compared.protocol.endswith("Budget 0.5 minutes a system and seed.")
