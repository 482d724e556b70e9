"""Protocols of the benchmarks on the real sets: how many rows each part has (DESIGN, section 7)."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelfwise.schema.progress import Silent

DATA = Path(__file__).parents[3] / "shared" / "data"


def folder_of(name: str) -> Path:
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.mark.long
def test_beibei_is_parted_by_the_protocol(tmp_path: Path) -> None:
    from benchmarks.cart_pairs import cart_pairs
    from benchmarks.shops import shop_of

    shop = shop_of(folder_of("beibei"), "beibei", tmp_path, (), Silent())

    counts = cart_pairs(shop.folder, seed=0).counts()

    assert (counts["users"], counts["items"]) == (21_716, 7_977)
    assert (counts["carts"], counts["purchases outside carts"]) == (642_622, 8_191)
    parts = [counts[f"carts of {part}"] for part in ("train", "validation", "test")]
    assert parts == [459_031, 62_777, 120_814]


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "reader", "folds", "queries"),
    [("home_depot", "home-depot", 1, 11_793), ("qbqtc", "qbqtc", 5, 791)],
)
def test_judged_queries_are_parted_by_the_protocol(
    name: str, reader: str, folds: int, queries: int, tmp_path: Path
) -> None:
    from benchmarks.judged import folds_of, judged_of
    from benchmarks.shops import shop_of

    shop = shop_of(folder_of(name), reader, tmp_path, (), Silent())
    judged = judged_of(shop, tmp_path / "prepared", Silent())
    query_N = judged.rows["query"].to_numpy()

    found = list(folds_of(judged))

    assert judged.folds == len(found) == folds
    ranked = set(judged.rows.filter(~judged.rows["trains_only"])["query"])
    assert len(ranked) == queries
    tested = [set(query_N[fold.test]) for fold in found]
    assert sum(map(len, tested)) == len(set().union(*tested))  # no query is tested twice
    if folds == 5:
        assert set().union(*tested) == ranked
    for fold, test in zip(found, tested, strict=True):
        assert not test & set(query_N[fold.train])
        assert not test & set(query_N[fold.validation])
        assert len(test) == pytest.approx(queries / 5, abs=1)
