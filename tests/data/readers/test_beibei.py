"""Hand-written carts and purchases."""

from __future__ import annotations

from pathlib import Path

from shelfwise.data.readers.beibei import CARD, read
from shelfwise.data.readers.published import PublishedFolder


def test_pairs_become_events_without_time_or_order(tmp_path: Path) -> None:
    # as published: in a folder of the repository
    folder = tmp_path / "Data" / "Beibei"
    folder.mkdir(parents=True)
    (folder / "cart.txt").write_text("0 3 7\n1 7\n")
    (folder / "train.txt").write_text("0 3\n")
    (folder / "test.txt").write_text("0 5\n1 7\n")

    rows_in, shop = read(PublishedFolder(CARD, tmp_path))

    assert rows_in == 6
    assert shop.tables["events"].rows() == [
        ("cart", "0", "3", "train"),
        ("cart", "0", "7", "train"),
        ("cart", "1", "7", "train"),
        ("purchase", "0", "3", "train"),
        ("purchase", "0", "5", "test"),
        ("purchase", "1", "7", "test"),
    ]
    assert shop.tables["events"].columns == ["event", "user_id", "item_id", "published_part"]
    assert shop.tables["catalogue"]["item_id"].to_list() == ["3", "5", "7"]
    # user 0 buys 5 without having put it in the cart
    assert shop.found == {
        "users": 2,
        "items": 3,
        "purchases of test": 2,
        "purchases of train": 1,
        "purchases of test outside the cart": 1,
    }
