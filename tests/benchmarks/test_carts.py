"""Carts parted by user, what was never taken, simple rates, and our ranker on a made-up log."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from peers import fake_peer

from shelfwise.schema.errors import DataError

if TYPE_CHECKING:
    from benchmarks.cart_pairs import CartPairs
    from benchmarks.result import Result

USERS, ITEMS, CARTS = 30, 40, 10
TUNED = ("fake/carts (tuned)",)
VARIANTS = ("single-task", "shared-bottom", "mmoe", "ple", "esmm")
# Forecasts no carts; of purchases the truth: even items are bought.
FORECAST = """\
import argparse, json
from pathlib import Path
import numpy as np, polars as pl
parser = argparse.ArgumentParser()
for name in ("--task", "--out", "--seconds", "--seed"):
    parser.add_argument(name)
parser.add_argument("--tune", action="store_true")
given = parser.parse_args()
item = pl.read_parquet(Path(given.task, "test.parquet"))["item"].to_numpy()
bought = (item % 2 == 0).astype(np.float32)
np.save(Path(given.out, "forecast.npy"), np.stack([np.full_like(bought, np.nan), bought], axis=1))
Path(given.out, "peer.json").write_text(json.dumps({"system": "fake/carts", "trials": 1}))
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 users with 10 carts each of 40 items; even items are bought, and one pair was no cart."""
    folder = tmp_path_factory.mktemp("carts")
    rng = np.random.default_rng(0)
    rows = []
    for user in range(USERS):
        for item in rng.choice(ITEMS, CARTS, replace=False).tolist():
            rows.append(("cart", f"u{user:02}", f"i{item:02}"))
            if item % 2 == 0:
                rows.append(("purchase", f"u{user:02}", f"i{item:02}"))
    carted = {(user, item) for _, user, item in rows}
    outside = next(
        ("purchase", "u00", f"i{item:02}")
        for item in range(ITEMS)
        if ("u00", f"i{item:02}") not in carted
    )
    names = ["event", "user_id", "item_id"]
    pl.DataFrame([*rows, outside], schema=names, orient="row").write_parquet(
        folder / "events.parquet"
    )
    (folder / "shop.toml").write_text('[shop]\nname = "carts"\n')
    return folder


@pytest.fixture(scope="module")
def pairs(shop: Path) -> CartPairs:
    from benchmarks.cart_pairs import cart_pairs

    return cart_pairs(shop, seed=0)


def test_each_users_carts_are_parted_in_the_order_of_their_digests(pairs: CartPairs) -> None:
    carts = np.flatnonzero(pairs.cart_N)
    by_user: dict[str, list[tuple[bytes, int]]] = {}
    for row in carts:
        user, item = pairs.users[pairs.user_N[row]], pairs.items[pairs.item_N[row]]
        digest = hashlib.sha256(f"{user}|{item}".encode()).digest()
        by_user.setdefault(user, []).append((digest, int(pairs.part_N[row])))

    # 10 carts: seven train, one validates, two are the test.
    assert len(by_user) == USERS
    for found in by_user.values():
        assert [part for _, part in sorted(found)] == [0] * 7 + [1] + [2] * 2


def test_labels_and_counts(pairs: CartPairs) -> None:
    even_N = np.array([int(pairs.items[item][1:]) % 2 == 0 for item in pairs.item_N])
    np.testing.assert_array_equal(pairs.bought_N, pairs.cart_N & even_N)

    counts = pairs.counts()
    assert counts["carts"] == USERS * CARTS
    assert counts["purchases outside carts"] == 1
    assert counts["carts of test"] == USERS * 2
    assert counts["rows of the test's entire space"] == USERS * 2 * 5


def test_non_carts_were_never_taken_by_their_user(shop: Path, pairs: CartPairs) -> None:
    from benchmarks.cart_pairs import cart_pairs

    events = pl.read_parquet(shop / "events.parquet")
    taken = set(events.select("user_id", "item_id").iter_rows())
    others = np.flatnonzero(~pairs.cart_N)

    assert len(others) == 4 * USERS * CARTS
    for row in others:
        assert (pairs.users[pairs.user_N[row]], pairs.items[pairs.item_N[row]]) not in taken
    # The same seed draws the same.
    np.testing.assert_array_equal(pairs.item_N, cart_pairs(shop, seed=0).item_N)


def test_a_log_without_carts_is_refused(tmp_path: Path) -> None:
    from benchmarks.cart_pairs import cart_pairs

    pl.DataFrame({"event": ["view"], "user_id": ["u"], "item_id": ["i"]}).write_parquet(
        tmp_path / "events.parquet"
    )

    with pytest.raises(DataError, match="has no cart"):
        cart_pairs(tmp_path, seed=0)


def small_pairs(part: list[int]) -> CartPairs:
    """Two users and two items: carts at rows 0, 5, 10, 15, of which 0 and 10 were bought."""
    from benchmarks.cart_pairs import CartPairs

    cart_N = np.tile([True, False, False, False, False], 4)
    item_N = np.array([0, 1, 1, 1, 1, 1, 0, 0, 0, 0] * 2)
    bought_N = np.zeros(20, bool)
    bought_N[[0, 10]] = True
    return CartPairs(
        ["a", "b"],
        ["x", "y"],
        np.repeat([0, 1], 10),
        item_N,
        cart_N,
        bought_N,
        np.repeat(part, 5),
        0,
    )


def test_item_rates_by_hand() -> None:
    from benchmarks.cart_models import item_rates

    answer = item_rates(small_pairs([0, 0, 1, 2]))

    # Training: cart 0 (item x, bought), cart 1 (item y, not). Mean 1/2. Validation: x, bought: the
    # less a rate is shrunk the better, so by one row: (1 + .5) / 2 for x, (0 + .5) / 2 for y.
    assert answer.told == {"settings": {"shrunk by rows": 1.0}}
    np.testing.assert_allclose(answer.convert_N[[0, 5, 10, 15]], [0.75, 0.25, 0.75, 0.25])
    # Shown in training: x once as a cart and four times not, as y. Both 1/5: (1 + .2) / (5 + 1).
    np.testing.assert_allclose(answer.cart_N[[0, 5]], [0.2, 0.2])


def test_a_training_rows_own_label_is_not_among_its_figures() -> None:
    from benchmarks.cart_models import _figures

    pairs = small_pairs([0, 0, 0, 0])
    kept = np.flatnonzero(pairs.cart_N)

    found = _figures(pairs.item_N, pairs.bought_N, kept, strength=1.0)

    # Four carts, four folds. Cart 0 (x, bought) sees y no, x yes, y no: mean 1/3, x 1 of 1:
    # (1 + 1/3) / 2 = 2/3, logit log 2. Cart 1 (y) sees x yes, x yes, y no: (0 + 2/3) / 2 = 1/3.
    np.testing.assert_allclose(found[0], [np.log(2), np.log(2)])
    np.testing.assert_allclose(found[5], [-np.log(2), np.log(2)])


def test_training_carts_keep_their_order_and_every_part_its_time(pairs: CartPairs) -> None:
    from benchmarks.cart_log import moments, requests_of

    at_N, request_N = moments(pairs), requests_of(pairs)

    trained = np.flatnonzero(pairs.cart_N & (pairs.part_N == 0))
    for user in range(USERS):
        rows = trained[pairs.user_N[trained] == user]
        # Seven carts on five visits: place * 5 // 7.
        visits = (request_N[rows] - request_N[rows[0]]).tolist()
        assert visits == [0, 0, 1, 2, 2, 3, 4]
        assert (np.diff(at_N[rows])[np.diff(visits) > 0] > 0).all()
    for part, other in (("train", "validation"), ("validation", "test")):
        assert at_N[pairs.rows(part)].max() < at_N[pairs.rows(other)].min()
    # A request has one moment and one user; five of training, one to validate and one to test.
    for numbers in (at_N, pairs.user_N):
        assert len(set(zip(request_N, numbers, strict=True))) == len(set(request_N))
    assert len(set(request_N)) == USERS * (5 + 1 + 1)


@pytest.fixture(scope="module")
def compared(shop: Path, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Result:
    from benchmarks.asking import Asking
    from benchmarks.cart_contest import compare_carts

    from shelfwise.schema.progress import Silent

    settings = (
        f"model.encoder.name={tiny_encoder}",
        "model.width=32",
        "train.threads=1",
        "train.epochs=15",
        "train.batch_requests=64",
        "train.patience=30",
    )
    folder = tmp_path_factory.mktemp("peers")
    fake_peer(folder, "absent", FORECAST, installed=False, verb="forecast")
    scripts, environments = fake_peer(folder, "fake", FORECAST, verb="forecast")
    asking = Asking(
        *(shop, 1, 0.5, (), settings),
        keep=folder / "kept",
        scripts=scripts,
        environments=environments,
    )
    found = compare_carts("Carts.", asking, Silent())
    # A peer by its defaults and tuned, and five variants of ours.
    assert len(list((folder / "kept").glob("*.npz"))) == 2 + len(VARIANTS)
    return found


def test_what_depends_on_the_item_alone_is_told_by_its_rate(compared: Result) -> None:
    found = {(row["system"], row["metric"]): row for row in compared.rows if "metric" in row}

    # Even items are always bought and odd ones never.
    for system in ("item rate", "logistic regression"):
        assert found[system, "auc"]["value"] > 0.9
    assert found["shelfwise", "auc"]["value"] > 0.7
    assert found["shelfwise", "auc"]["support"] == USERS
    assert {metric for _, metric in found} == {"auc", "gauc", "cvr_auc", "ctcvr_auc"}


def test_ours_is_compared_on_the_same_users(compared: Result) -> None:
    gaps = {(gap["a"], gap["b"], gap["metric"]): gap for gap in compared.differences}
    rows = [row for row in compared.rows if "metric" in row]
    found = {(row["system"], row["metric"]): row["value"] for row in rows}
    chosen = next(told["chosen"] for told in compared.systems if "chosen" in told)

    others = ("item rate", "logistic regression", "random order", "fake/carts", *TUNED)
    variants = [f"shelfwise/{name}" for name in VARIANTS]
    single, shared, *finer = variants
    pairs = [("shelfwise", other) for other in (*others, *variants) if other != chosen]
    pairs += [(shared, single)] + [(one, plain) for one in finer for plain in (single, shared)]
    assert set(gaps) == {
        (*pair, metric) for pair in pairs for metric in ("auc", "gauc", "ctcvr_auc")
    }
    for (a, b, metric), gap in gaps.items():
        if metric != "gauc":  # over users who have a value for both
            expected = found[a, metric] - found[b, metric]
            assert gap["value"] == pytest.approx(expected, nan_ok=True)


def test_ours_is_the_variant_that_validation_chose(compared: Result) -> None:
    told = {one["system"]: one for one in compared.systems}
    rows = [row for row in compared.rows if "metric" in row]
    found = {(row["system"], row["metric"]): row["value"] for row in rows}
    known = {name: told[f"shelfwise/{name}"]["validation"]["convert_auc"] for name in VARIANTS}

    chosen = told["shelfwise"]["chosen"]

    assert known[chosen.removeprefix("shelfwise/")] == max(known.values())
    for metric in ("auc", "gauc", "ctcvr_auc"):
        assert found["shelfwise", metric] == found[chosen, metric]


def test_peers_are_rows_and_one_that_is_not_there_is_its_reason(compared: Result) -> None:
    rows = [row for row in compared.rows if "metric" in row]
    found = {(row["system"], row["metric"]): row for row in rows}

    for system in ("fake/carts", *TUNED):
        assert found[system, "auc"]["value"] == 1.0
        # It forecasts no carts, so nothing can be said of both together.
        assert np.isnan(found[system, "ctcvr_auc"]["value"])
        assert found[system, "ctcvr_auc"]["support"] == 0
    assert [row for row in compared.rows if "failed" in row] == [
        {"system": "absent", "failed": "not installed; make it with: make peers"}
    ]


def test_a_random_order_is_right_in_half_of_all_pairs(compared: Result) -> None:
    values = [row["value"] for row in compared.rows if row["system"] == "random order"]

    assert values == pytest.approx([0.5] * 4)


def test_a_draw_that_was_asked_for_is_not_worked_out_again() -> None:
    from benchmarks.cart_contest import _Once

    from shelfwise.metrics.bootstrap import bootstrap_rows

    asked: list[float] = []

    def total(weight: np.ndarray) -> float:
        asked.append(weight.sum())
        return float(weight @ np.arange(len(weight)))

    users, once = np.arange(20) // 2, _Once(total)

    found = [bootstrap_rows(once, users, draws=30, seed=seed) for seed in (0, 0, 1)]

    assert found[0] == found[1] == bootstrap_rows(total, users, draws=30, seed=0)
    assert found[2] == bootstrap_rows(total, users, draws=30, seed=1)
    assert len(asked) == 31 + 30 + 2 * 31  # the value on all rows is the same for both seeds
