"""Splits of real logs, against the published rows themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from cli.command import done

from shelfwise.data.part_rows import LEARNED, taken_of_parts
from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.data.privacy import PrivacyOptions
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.targets import match_targets

DATA = Path(__file__).parents[3] / "shared" / "data"
SEQUENCES = DATA / "beauty" / "sequences.txt"


@pytest.fixture(scope="module")
def beauty(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    if not SEQUENCES.is_file():
        pytest.skip(f"no real data at {SEQUENCES}")
    out = tmp_path_factory.mktemp("beauty")
    shop = out / "shop"
    done("datasets", "convert", "amazon-beauty", "--from", SEQUENCES.parent, "--out", shop)
    prepared = done("prepare", shop, "--out", out / "prepared")
    assert "other shoppers' later behaviour is in training" in prepared.out
    return open_prepared_shop(out / "prepared")


def test_each_users_last_item_is_the_test_and_the_one_before_validates(
    beauty: PreparedShop,
) -> None:
    names = Pseudonyms.of(PrivacyOptions(published_key=True), Path())
    lines = [line.split() for line in SEQUENCES.read_text().splitlines()]
    last = {names.name("user", user): items for user, *items in lines}
    for part, place in (("test", -1), ("validation", -2)):
        targets = match_targets(beauty, part)  # type: ignore[arg-type]  # the two words above
        owners = beauty.owners["owner_id"].gather(targets.owner_T).to_list()
        found = dict(zip(owners, right_items(beauty, targets.right_item_P), strict=True))
        assert found == {user: items[place] for user, items in last.items()}
        assert len(targets) == 22_363
        # The past is everything before that item, in the order of the sequence.
        some = np.arange(0, len(targets), 997)
        for row in some.tolist():
            begin = beauty.history.offset_U1[targets.owner_T[row]]
            past = right_items(beauty, beauty.history.item_E[begin : targets.end_T[row]])
            assert past == last[owners[row]][:place]


def right_items(beauty: PreparedShop, numbers: np.ndarray) -> list[str]:
    return beauty.items["item_id"].gather(numbers.astype(np.int64)).to_list()


def test_all_else_is_learned_from(beauty: PreparedShop) -> None:
    # 198,502 rows, less one of each of 22,363 users for the test.
    assert len(taken_of_parts(beauty, LEARNED)) == 198_502 - 22_363
    parts = dict(beauty.requests.group_by("part").len().iter_rows())
    assert parts == {"train": 153_776, "validation": 22_363, "test": 22_363}
    assert beauty.requests["at"].is_sorted()
    assert beauty.positives.filter(pl.col("request").is_duplicated()).is_empty()
