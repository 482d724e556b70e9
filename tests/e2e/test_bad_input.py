"""A shop with every fault the project promises to answer, and artefacts that were tampered with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from cli.command import Ended, done, shelfwise

from .planted import GOOD_EVENTS, GOOD_ITEMS, plant

# Code, file and row of each planted fault, as `planted.py` says.
PLANTED = {
    ("duplicate-item", "catalogue.csv", 9),
    ("negative-price", "catalogue.csv", 10),
    ("nul-byte", "catalogue.csv", 11),
    ("invalid-utf8", "catalogue.csv", 12),
    ("long-title", "catalogue.csv", 13),
    ("no-actor", "log-2-rows.csv", 1),
    ("unparsable-time", "log-2-rows.csv", 2),
    ("negative-price", "log-2-rows.csv", 3),
    ("unknown-item", "log-2-rows.csv", 4),
    ("time-in-future", "log-2-rows.csv", 5),
    ("unknown-event", "log-2-rows.csv", 6),
    ("mixed-time-zones", "log-2-rows.csv", 7),
    ("missing-column", "log-3-no-time.csv", None),
    ("empty-file", "log-4-empty.csv", None),
    ("wrong-type", "log-5-type.csv", None),
    ("truncated-archive", "log-6-cut.csv.gz", None),
    ("truncated-archive", "log-6-cut.csv.gz", 3),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return plant(tmp_path_factory.mktemp("planted") / "shop")


@pytest.fixture(scope="module")
def checked(shop: Path) -> Ended:
    return shelfwise("check", shop, "--json")


def test_every_fault_is_told_at_once(checked: Ended) -> None:
    examples = [one for group in checked.json["faults"] for one in group["examples"]]

    assert checked.code == 1
    assert checked.json["ok"] is False
    assert {(one["code"], one["file"], one["row"]) for one in examples} == PLANTED


def test_and_printed_with_its_file_its_row_and_the_way_out(checked: Ended) -> None:
    blocks = checked.out.split("the rule: ")[1:]
    files = [line.split(":")[0].split(" ")[0] for line in checked.out.splitlines()]

    assert len(blocks) == len(PLANTED)
    assert all("\n    way out: " in block for block in blocks)
    for _, file, row in PLANTED:
        assert file in files
        assert row is None or f"\n    row {row}" in checked.out
    # Nothing is printed that a terminal would obey, and no line drowns the others.
    assert all(c.isprintable() or c == "\n" for c in checked.out)
    assert max(map(len, checked.out.splitlines()[:-1])) < 200
    assert "good rows can be prepared" in checked.out
    assert checked.err == ""


@pytest.fixture(scope="module")
def prepared(shop: Path) -> Ended:
    return done("prepare", shop, "--out", shop.parent / "prepared", "--json")


def test_good_rows_are_prepared_and_the_counts_add_up(prepared: Ended, checked: Ended) -> None:
    by_file = {count["file"]: count for count in prepared.json["rows"]}

    assert [list(count.values()) for count in by_file.values()] == [
        # rows in, kept, rejected, duplicates
        ["catalogue.csv", 13, GOOD_ITEMS, 5, 0],
        ["log-1-sound.csv", 120, 120, 0, 0],
        ["log-2-rows.csv", 8, 2, 6, 0],
        ["log-3-no-time.csv", 2, 0, 2, 0],
        ["log-4-empty.csv", 0, 0, 0, 0],
        ["log-5-type.csv", 9, 0, 9, 0],
        ["log-6-cut.csv.gz", 3, 2, 1, 0],
    ]
    assert checked.json["files"] == list(by_file.values())
    assert prepared.json["counts"]["items"] == GOOD_ITEMS
    assert sum(prepared.json["counts"]["events"].values()) == GOOD_EVENTS


def test_bad_rows_lie_aside_with_their_reasons(prepared: Ended) -> None:
    folder = Path(prepared.json["folder"])
    rejects = pl.read_parquet(folder / "rejects.parquet")

    rejected = {count["file"]: count["rejected"] for count in prepared.json["rows"]}
    found = dict(rejects.group_by("file").len().iter_rows())
    assert found == {file: count for file, count in rejected.items() if count}
    assert rejects.select("code", "rule", "found").null_count().sum_horizontal().item() == 0
    # Mixed zones are told, and the row is read all the same; a file without rows rejects none.
    codes = {code for code, _, _ in PLANTED} - {"mixed-time-zones", "empty-file"}
    assert set(rejects["code"]) == codes
    # A row is given in full, but for those of which no column was understood: of a whole file,
    # or of half a line. Whose ids stand there cannot be told, so they are not repeated.
    whole = rejects.filter(pl.col("raw").is_null())
    assert set(whole["file"]) == {"log-3-no-time.csv", "log-6-cut.csv.gz"}
    assert str(folder / "rejects.parquet") in prepared.out


@pytest.mark.parametrize("broken", ["catalogue.csv", "log.csv"])
def test_a_table_of_which_nothing_is_left_stops_it(tmp_path: Path, broken: str) -> None:
    (tmp_path / "shop").mkdir()
    sound = {
        "catalogue.csv": "item_id\ni1\n",
        "log.csv": "event,user_id,item_id,timestamp\nview,u1,i1,2026-01-01\n",
        "shop.toml": '[events]\nfile = "log*.csv"\n',
    }
    for name, text in (sound | {broken: "a,b\n1,2\n"}).items():
        (tmp_path / "shop" / name).write_text(text)

    checked = shelfwise("check", tmp_path / "shop")
    ended = shelfwise("prepare", tmp_path / "shop", "--out", tmp_path / "out")

    table = "catalogue" if broken == "catalogue.csv" else "events"
    assert (
        checked.out.splitlines()[-1] == f"cannot be prepared yet: nothing can be used of: {table}"
    )
    assert ended.code == 1
    assert f"  {broken}: the file must have the column" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_an_empty_table_of_campaigns_costs_only_the_ads(shop: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(shop, tmp_path / "shop")
    (copy / "campaigns.csv").write_text("campaign_id,item_id,bid\n")

    assert shelfwise("check", copy).code == 1
    ended = done("prepare", copy, "--out", tmp_path / "prepared", "--json")

    assert ended.json["rows"][-1] == {
        "file": "campaigns.csv", "rows_in": 0, "kept": 0, "rejected": 0, "duplicates": 0,
    }  # fmt: skip


def altered(run: Path) -> str:
    data = bytearray((run / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (run / "model.safetensors").write_bytes(data)
    return "model.safetensors: altered or truncated"


def truncated(run: Path) -> str:
    data = (run / "tables.safetensors").read_bytes()
    (run / "tables.safetensors").write_bytes(data[: len(data) // 2])
    return "tables.safetensors: altered or truncated"


def missing(run: Path) -> str:
    (run / "encoder" / "tokenizer.json").unlink()
    return "encoder/tokenizer.json: missing"


def added(run: Path) -> str:
    (run / "encoder" / "adapter.bin").touch()
    return "encoder/adapter.bin: not listed in manifest.json"


def of_another_version(run: Path) -> str:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"format_version": 99}))
    return "manifest.json: format_version 99 found, this shelfwise"


def of_another_kind(run: Path) -> str:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"kind": "prepared"}))
    return "this is a prepared folder, a run folder is needed"


def cut_manifest(run: Path) -> str:
    text = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(text[: len(text) // 2])
    return "manifest.json: not valid JSON"


def without_facts(run: Path) -> str:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "manifest.json").write_text(json.dumps(manifest | {"facts": {}}))
    return "manifest.json: facts."


@pytest.mark.parametrize(
    "damage",
    [
        altered, truncated, missing, added, of_another_version, of_another_kind, cut_manifest,
        without_facts,
    ],
)  # fmt: skip
def test_a_run_that_is_not_as_it_was_sealed_is_refused(
    tiny_run: Path, tmp_path: Path, damage: object
) -> None:
    run = shutil.copytree(tiny_run, tmp_path / "run")

    message = damage(run)  # type: ignore[operator]

    for command in ("evaluate", "rank", "serve"):
        ended = shelfwise(command, run, "--json")
        assert ended.code == 1, command
        assert str(run) in ended.err
        assert message in ended.err
        assert ended.json["ok"] is False


def test_prepared_data_that_changed_is_refused(walked: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(walked / "prepared", tmp_path / "prepared")
    data = (folder / "items.parquet").read_bytes()
    (folder / "items.parquet").write_bytes(data[:-1])

    commands = (
        ("train", folder, "--out", tmp_path / "run"),
        ("evaluate", walked / "run", "--data", folder),
        ("rank", walked / "run", "--user", "x", "--data", folder),
    )
    for words in commands:
        ended = shelfwise(*words)
        assert ended.code == 1
        assert f"{folder}: does not match its manifest" in ended.err
        assert "items.parquet: altered or truncated" in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["prepared"]


def test_a_run_is_measured_on_the_data_it_was_trained_from(walked: Path, shop: Path) -> None:
    other = shop.parent / "prepared-again"
    done("prepare", shop, "--out", other)

    ended = shelfwise("evaluate", walked / "run", "--data", other)

    assert ended.code == 1
    assert "is not the run's" in ended.err
