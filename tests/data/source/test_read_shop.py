"""What a sound shop, or a shop told about in shop.toml, is read as."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from shelfwise.data.config import DataOptions, PairsOptions
from shelfwise.data.source import read_pairs_file, read_shop
from shelfwise.data.source.files import SourceFile
from shelfwise.data.source.scan import TableScan, TableSpec
from shelfwise.data.source.table import FileSource
from shelfwise.schema.columns import CATALOGUE as CATALOGUE_COLUMNS
from shelfwise.schema.columns import EVENTS as EVENT_COLUMNS
from shelfwise.schema.errors import ConfigError, DataError

from .shop_folder import (
    CATALOGUE,
    EVENTS,
    assert_nothing_lost,
    faults,
    only_fault,
    read,
    write_shop,
)


def test_a_sound_shop(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path))

    assert tables.faults == ()
    assert tables.notes == ()
    assert tables.rejects.height == 0
    assert tables.events is not None
    assert tables.events.columns == [*(c.name for c in EVENT_COLUMNS), "row", "file"]
    assert tables.events.row(1, named=True) == dict.fromkeys(tables.events.columns) | {
        "event": "click",
        "user_id": "u1",
        "item_id": "i2",
        "timestamp": datetime(2026, 1, 1, 10, 1, tzinfo=UTC),
        "price": 12.5,
        "row": 2,
        "file": "events.csv",
    }
    assert tables.catalogue is not None
    assert tables.catalogue.columns == [*(c.name for c in CATALOGUE_COLUMNS), "row", "file"]
    assert (tables.campaigns, tables.pairs) == (None, None)


def write_events(folder: Path, name: str) -> None:
    """The same events in the format that ``name`` says."""
    text = EVENTS.encode()
    frame = pl.read_csv(text, try_parse_dates=True)
    if name.endswith(".parquet"):
        frame.write_parquet(folder / name)
    elif "jsonl" in name or "ndjson" in name:
        text = frame.write_ndjson().encode()
    elif "tsv" in name:
        text = text.replace(b",", b"\t")
    elif ";" in name:
        text = text.replace(b",", b";")
    if name.endswith(".gz"):
        text = gzip.compress(text[:40]) + gzip.compress(text[40:])  # two members are one file
    if name.endswith(".zst"):
        text = pa.compress(text, "zstd", asbytes=True)
    if not name.endswith(".parquet"):
        (folder / name).write_bytes(text)


@pytest.mark.parametrize(
    "name",
    [
        "events.tsv", "events;.csv", "events.parquet", "events.jsonl", "events.ndjson.gz",
        "events.csv.gz", "events.csv.zst", "events.jsonl.zst",
    ],
)  # fmt: skip
def test_every_format_reads_alike(tmp_path: Path, name: str) -> None:
    csv = read(write_shop(tmp_path)).events
    (tmp_path / "events.csv").unlink()
    write_events(tmp_path, name)

    other = read(tmp_path, events={"file": name})

    assert other.faults == ()
    assert other.events is not None
    assert csv is not None
    assert_frame_equal(other.events.drop("file"), csv.drop("file"))


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems(tmp_path: Path, line_end: str) -> None:
    text = "\ufeff" + CATALOGUE.replace("\n", line_end)

    tables = read(write_shop(tmp_path, catalogue=text))

    assert tables.faults == ()
    assert tables.catalogue is not None
    assert tables.catalogue["title"].to_list() == ["red shoe", "blue shoe"]


def test_mapped_columns_names_and_further_columns(tmp_path: Path) -> None:
    text = "who,what,when,thing,row,file\nu1,pv,1767261600,i1,a,b\n"
    columns = {"user_id": "who", "event": "what", "timestamp": "when", "item_id": "thing"}

    tables = read(
        write_shop(tmp_path, events=text), events={"columns": columns, "names": {"pv": "view"}}
    )

    assert tables.faults == ()
    assert tables.events is not None
    assert tables.events.columns[-4:] == ["own_row", "own_file", "row", "file"]
    # 1767261600 s = 20454 days of 86400 s and 10 h after 1970-01-01.
    assert tables.events.select("event", "user_id", "item_id", "timestamp", "own_row").rows() == [
        ("view", "u1", "i1", datetime(2026, 1, 1, 10, tzinfo=UTC), "a")
    ]


def test_a_glob_reads_several_files_and_each_row_knows_its_own(tmp_path: Path) -> None:
    write_shop(tmp_path).joinpath("events.csv").rename(tmp_path / "log-1.csv")
    (tmp_path / "log-2.jsonl").write_text(
        '{"event": "view", "user_id": "u9", "item_id": "i1", "timestamp": 1767261600, "shop": 3}\n'
        '{"event": "view", "user_id": "u9", "item_id": "i9", "timestamp": 1767261600}\n'
    )

    tables = read(tmp_path, events={"file": "log-*"})

    assert faults(tables) == [("unknown-item", "log-2.jsonl", 2)]
    assert tables.events is not None
    assert tables.events.select("file", "row").rows() == [
        ("log-1.csv", 1), ("log-1.csv", 2), ("log-1.csv", 3), ("log-2.jsonl", 1),
    ]  # fmt: skip
    assert tables.events["shop"].to_list() == [None, None, None, "3"]


def test_exact_duplicates_are_counted_and_no_fault(tmp_path: Path) -> None:
    again = EVENTS.splitlines()[1] + "\n"

    tables = read(write_shop(tmp_path, events=EVENTS + again + again))

    assert tables.faults == ()
    assert tables.counts[1].duplicates == 2
    assert tables.notes == ("events.csv: rows left out because they repeat an earlier one: 2",)


def test_unknown_items_can_be_kept(tmp_path: Path) -> None:
    tables = read(
        write_shop(tmp_path, events=EVENTS + "view,u1,,i9,2026-01-01T10:00:00Z,1\n"),
        catalogue={"unknown_items": "keep"},
    )

    assert tables.faults == ()
    assert tables.counts[1].kept == 4
    assert tables.notes[0].startswith("events.csv: the catalogue lacks the item (rows: 1)")


def test_without_a_catalogue_every_item_is_known(tmp_path: Path) -> None:
    (write_shop(tmp_path) / "catalogue.csv").unlink()

    assert read(tmp_path).faults == ()


def test_a_search_needs_no_item_and_sequence_stands_in_for_time(tmp_path: Path) -> None:
    text = "event,session_id,item_id,sequence\nsearch,s1,,1\nview,s1,i1,2.0\n"

    tables = read(write_shop(tmp_path, events=text))

    assert tables.faults == ()
    assert tables.events is not None
    assert tables.events["sequence"].to_list() == [1, 2]


def test_the_latest_moment_of_the_options_counts_before_now(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path), events={"latest": "2026-01-01T10:00:30Z"})

    assert faults(tables) == [("time-in-future", "events.csv", row) for row in (2, 3)]


def test_ids_beside_gaps_are_not_floats(tmp_path: Path) -> None:
    # pandas writes a whole-number column with a gap as floats.
    (write_shop(tmp_path, catalogue="item_id\n12\n") / "events.csv").unlink()
    pl.DataFrame(
        {
            "event": ["search", "view"],
            "user_id": [7, 7],
            "item_id": [None, 12.0],
            "timestamp": [datetime(2026, 1, 1), datetime(2026, 1, 2)],
        }
    ).write_parquet(tmp_path / "events.parquet")

    tables = read(tmp_path)

    assert tables.faults == ()
    assert tables.events is not None
    assert tables.events.select("user_id", "item_id").rows() == [("7", None), ("7", "12")]


def test_neither_events_nor_pairs(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(EVENTS)

    fault = only_fault(read(tmp_path))

    assert (fault.code, fault.file, fault.fatal) == ("file-not-found", "events.*", True)
    assert fault.found == "the folder holds log.csv"


def test_a_table_in_two_formats_is_ambiguous(tmp_path: Path) -> None:
    write_shop(tmp_path)
    (tmp_path / "catalogue.jsonl.gz").write_bytes(b"")

    fault = only_fault(read(tmp_path))

    assert (fault.code, fault.found) == ("ambiguous-file", "catalogue.csv and catalogue.jsonl.gz")


def test_a_named_file_must_exist_and_have_a_known_format(tmp_path: Path) -> None:
    (write_shop(tmp_path) / "events.xlsx").write_bytes(b"PK")

    tables = read(tmp_path, events={"file": "events.xlsx"}, campaigns={"file": "ads.csv"})

    assert [(g.code, g.file, g.fatal) for g in tables.faults] == [
        ("file-not-found", "ads.csv", True),
        ("unknown-format", "events.xlsx", True),
    ]


def test_a_broken_parquet(tmp_path: Path) -> None:
    (write_shop(tmp_path) / "events.csv").unlink()
    (tmp_path / "events.parquet").write_bytes(b"PAR1 no more PAR1")

    fault = only_fault(read(tmp_path))

    assert (fault.code, fault.file, fault.fatal) == ("broken-parquet", "events.parquet", True)


def test_broken_json_lines_cost_themselves_alone(tmp_path: Path) -> None:
    (write_shop(tmp_path) / "catalogue.csv").unlink()
    lines = [
        '{"item_id": "i1", "title": "a"',
        '{"item_id": 2, "price": 1.5}',
        "[3]",
        "",
        '{"item_id": "i2"}',
    ]
    (tmp_path / "catalogue.jsonl").write_text("\n".join(lines))

    tables = read(tmp_path)

    # The empty line is no row.
    assert faults(tables)[:2] == [("broken-json", "catalogue.jsonl", row) for row in (1, 3)]
    assert tables.catalogue is not None
    assert tables.catalogue.select("item_id", "price", "row").rows() == [
        ("2", 1.5, 2),
        ("i2", None, 4),
    ]


def test_a_column_named_twice_is_read_once(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path, catalogue="item_id,title,title\ni1,a,b\ni2,c,d\n"))

    assert only_fault(tables).code == "repeated-column"
    assert tables.catalogue is not None
    assert tables.catalogue["title"].to_list() == ["a", "c"]


def test_mistakes_in_the_options_are_told_together(tmp_path: Path) -> None:
    options = DataOptions.model_validate(
        {"events": {"timezone": "Mars/Base", "columns": {"usr": "u"}}}
    )

    with pytest.raises(ConfigError, match=r"(?s)events\.columns\.usr.*Mars/Base"):
        read_shop(tmp_path, options)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a folder"):
        read_shop(tmp_path / "nowhere", DataOptions())


def test_pairs_keep_their_duplicates(tmp_path: Path) -> None:
    path = tmp_path / "reviews[1].tsv"
    path.write_text("review\tstars\ngood\t5\ngood\t5\n\t1\nbad\t1\n")

    tables = read_pairs_file(path, PairsOptions(columns={"text": "review", "label": "stars"}))

    assert_nothing_lost(tables)
    assert faults(tables) == [("missing-text", "reviews[1].tsv", 3)]
    assert tables.pairs is not None
    assert tables.pairs.select("text", "label").rows() == [
        ("good", "5"),
        ("good", "5"),
        ("bad", "1"),
    ]


def test_a_line_that_is_no_object_changes_none_of_its_neighbours(tmp_path: Path) -> None:
    lines = (
        b'{"event":"view","user_id":1.0,"item_id":3.0,"timestamp":1767261600,"price":1e-7}\n' * 2
    )
    whole, damaged = tmp_path / "whole", tmp_path / "damaged"
    for folder, text in ((whole, lines), (damaged, lines + b"{oops\n")):
        folder.mkdir()
        (folder / "events.jsonl").write_bytes(text)

    sound, other = (read_shop(folder, DataOptions()).events for folder in (whole, damaged))

    assert sound is not None
    assert other is not None
    assert sound["item_id"].to_list() == ["3"]  # the second says the same
    assert_frame_equal(sound, other)


def test_a_late_column_of_json_lines_is_no_missing_one(tmp_path: Path) -> None:
    time = '"timestamp":"2026-01-01T10:00:00Z"'
    search = f'{{"event":"search","user_id":"u1","query":"shoe",{time}}}\n'
    view = f'{{"event":"view","user_id":"u1","item_id":"i1",{time}}}\n'
    (tmp_path / "events.jsonl").write_text(search * 16_000 + view)  # more than one part
    file = SourceFile(tmp_path / "events.jsonl", "events.jsonl", "jsonl", "plain")
    scan = TableScan(TableSpec("events", EVENT_COLUMNS, {}, (("item_id",),), ()))

    kept = list(scan.read(FileSource(file, block=1)))

    assert len(kept) > 1
    assert sum(map(len, kept)) == 16_001
    assert kept[-1]["item_id"].to_list()[-2:] == [None, "i1"]
    assert scan.finish().groups == []


def test_two_rows_of_one_user_that_differ_are_told(tmp_path: Path) -> None:
    write_shop(tmp_path, users="user_id,age\nu1,30\nu2,31\nu1,99\nu2,31\n")

    tables = read_shop(tmp_path, DataOptions(), now=datetime(2026, 1, 31, 12, tzinfo=UTC))

    assert tables.users is not None
    assert tables.users["age"].to_list() == ["30", "31"]
    (count,) = (count for count in tables.counts if count.file == "users.csv")
    assert (count.kept, count.rejected, count.duplicates) == (2, 1, 1)
    assert tables.rejects["code"].to_list() == ["duplicate-user"]
