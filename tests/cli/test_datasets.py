"""Public sets by the command line: what the list says, and what a conversion prints."""

from __future__ import annotations

from pathlib import Path

from data.readers.event_samples import EVENT_SAMPLES
from data.readers.samples import SAMPLES

from cli.command import done, shelfwise


def test_the_list_says_what_each_set_can_show() -> None:
    ended = done("datasets", "list", "--json")
    cards = {card["name"]: card for card in ended.json["datasets"]}

    assert sorted(cards) == sorted([*SAMPLES, *EVENT_SAMPLES])
    assert all(card["shows"] and card["terms"] and card["citation"] for card in cards.values())
    assert not cards["beibei"]["prepares"]


def test_a_conversion_prints_its_counts_and_the_next_step(tmp_path: Path) -> None:
    source = SAMPLES["home-depot"].write(tmp_path / "published")
    out = tmp_path / "shop"

    ended = done("datasets", "convert", "home-depot", "--from", source, "--out", out, "--json")

    assert ended.json["rows_in"] == 3
    assert ended.json["kept"] == {"judgement": 2}
    assert ended.json["left_out"] == {"relevance outside 1 to 3": 1}
    assert list(ended.json["sources"]) == ["train.csv"]
    told = done("datasets", "convert", "home-depot", "--from", source, "--out", out).out
    assert "left out: relevance outside 1 to 3" in told
    assert f"next: shelfwise prepare {out}" in told.replace("\n", " ").replace("  ", " ")


def test_a_set_that_cannot_be_prepared_says_so(tmp_path: Path) -> None:
    source = SAMPLES["beibei"].write(tmp_path / "published")

    told = done("datasets", "convert", "beibei", "--from", source, "--out", tmp_path / "shop").out

    assert "next: read its tables" in told
    assert "prepare" in told


def test_a_missing_file_ends_with_its_name_and_address(tmp_path: Path) -> None:
    ended = shelfwise("datasets", "convert", "qbqtc", "--from", tmp_path, "--out", tmp_path / "x")

    assert ended.code == 1
    assert "qbqtc needs one of train_old.json" in ended.err
    assert "https://github.com/CLUEbenchmark/QBQTC" in ended.err.replace("\n", "")
    assert not (tmp_path / "x").exists()
