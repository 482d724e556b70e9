from __future__ import annotations

from pathlib import Path

import polars as pl

from .command import shelfwise


def test_a_shop_of_at_least_so_many_events(tmp_path: Path) -> None:
    ended = shelfwise(
        "sample", tmp_path / "shop", "--events", "20000", "--days", "20", "--items", "300", "--json"
    )

    assert ended.code == 0
    # 20000 / 26 = 769.2 visits and 6 sqrt(769.2) = 166.4 more; 935.6 / (2.8 * 20 / 30) = 501.2
    assert ended.json["users"] == 502
    assert ended.json["synthetic"] is True
    events = pl.read_parquet(tmp_path / "shop" / "events.parquet")
    assert len(events) == ended.json["events"]
    assert 20_000 <= len(events) < 29_000


def test_bots_and_books_where_asked_for(tmp_path: Path) -> None:
    ended = shelfwise(
        *("sample", tmp_path / "shop", "--users", "60", "--items", "300", "--days", "20"),
        *("--domains", "2", "--bot-share", "0.2", "--bot-strength", "easy", "--json"),
    )

    assert ended.code == 0
    assert ended.json["bots"] > 0
    assert set(pl.read_csv(tmp_path / "shop" / "catalogue.csv")["domain"]) == {"goods", "books"}
    bots = pl.read_parquet(tmp_path / "shop" / "truth" / "bots.parquet")
    assert set(bots["strength"]) == {"easy"}


def test_two_ways_to_say_how_big_are_one_too_many(tmp_path: Path) -> None:
    ended = shelfwise("sample", tmp_path / "shop", "--events", "20000", "--users", "100")

    assert ended.code == 1
    assert "each sets the number of shoppers; give one" in ended.err
    assert not (tmp_path / "shop").exists()


def test_a_shop_too_small_for_its_events_is_explained(tmp_path: Path) -> None:
    ended = shelfwise("sample", tmp_path / "shop", "--events", "10")

    assert ended.code == 1
    assert "--events 10 makes a shop that cannot be" in ended.err
    assert "users: Input should be greater than or equal to 20" in ended.err
