"""Each kind of fault, planted alone in a sound shop: found, placed, and paid by its row only."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.source import ShopTables

from .shop_folder import CATALOGUE, EVENTS, faults, only_fault, read, write_shop

T = "2026-01-01T10:00:00Z"
LATE = "2026-01-31T12:00:01Z"  # one second after now
EARLY = "1989-12-31T23:59:59Z"


def events_of(tables: ShopTables) -> pl.DataFrame:
    assert tables.events is not None
    return tables.events


@pytest.mark.parametrize(
    ("line", "code", "column", "found"),
    [
        (f"view,,,i1,{T},1", "no-actor", "user_id", "(empty)"),
        ("view,u1,,i1,yesterday,1", "unparsable-time", "timestamp", "yesterday"),
        ("view,u1,,i1,2026-02-30,1", "unparsable-time", "timestamp", "2026-02-30"),
        ("view,u1,,i1,,1", "missing-time", "timestamp", "(empty)"),
        (f"view,u1,,i1,{T},-1", "negative-price", "price", "-1"),
        (f"view,u1,,i1,{T},ten", "not-a-number", "price", "ten"),
        (f"view,u1,,i1,{T},inf", "not-a-number", "price", "inf"),
        (f"view,u1,,i9,{T},1", "unknown-item", "item_id", "i9"),
        (f"view,u1,,,{T},1", "missing-item-id", "item_id", "(empty)"),
        (f"view,u1,,i1,{LATE},1", "time-in-future", "timestamp", LATE),
        (f"view,u1,,i1,{EARLY},1", "time-too-early", "timestamp", EARLY),
        (f"viewed,u1,,i1,{T},1", "unknown-event", "event", "viewed"),
        (f",u1,,i1,{T},1", "missing-event", "event", "(empty)"),
        (f"view,u\0,,i1,{T},1", "nul-byte", "", f"view,u\0,,i1,{T},1"),
        (f"view,u\x07,,i1,{T},1", "control-character", "user_id", "u\x07"),
        (f"view,u1,,i1,{T}", "ragged-row", "", f"view,u1,,i1,{T}"),
        (f"view,u1,,i1,{T},1,2", "ragged-row", "", f"view,u1,,i1,{T},1,2"),
    ],
)
def test_a_bad_event(tmp_path: Path, line: str, code: str, column: str, found: str) -> None:
    tables = read(write_shop(tmp_path, events=EVENTS + line + "\n"))

    fault = only_fault(tables)
    assert (fault.code, fault.file, fault.row) == (code, "events.csv", 4)
    assert (fault.column, fault.found) == (column, found)
    assert not fault.fatal
    assert events_of(tables)["row"].to_list() == [1, 2, 3]
    assert tables.rejects["row"].to_list() == [4]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("position", "0", "position-below-1"),
        ("position", "1.5", "not-a-whole-number"),
        ("sequence", "first", "not-a-whole-number"),
        ("quantity", "0", "quantity-not-positive"),
        ("quantity", "-2", "quantity-not-positive"),
        ("propensity", "0", "propensity-out-of-range"),
        ("propensity", "1.01", "propensity-out-of-range"),
        ("surface", "serach", "unknown-surface"),
        ("request_id", "r" * 257, "long-id"),
        ("query", "q" * 2001, "long-query"),
    ],
)
def test_a_bad_value_in_an_optional_column(
    tmp_path: Path, column: str, value: str, code: str
) -> None:
    header, *rows = EVENTS.splitlines()
    with_column = [f"{header},{column}", f"{rows[0]},", f"{rows[1]},{value}", f"{rows[2]},"]

    tables = read(write_shop(tmp_path, events="\n".join(with_column)))

    fault = only_fault(tables)
    assert (fault.code, fault.row, fault.column) == (code, 2, column)
    assert events_of(tables)["row"].to_list() == [1, 3]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("i1,green shoe,10", "duplicate-item"),
        ("i1,red shoe,11", "repeated-item"),
        (",green shoe,10", "missing-item-id"),
        ("i3,green shoe,-0.01", "negative-price"),
        ("i3,green shoe,10 EUR", "not-a-number"),
        ("i3," + "t" * 2001 + ",1", "long-title"),
        ("i" * 257 + ",green shoe,1", "long-id"),
        ('i3,"green shoe,1', "unclosed-quote"),
    ],
)
def test_a_bad_item(tmp_path: Path, line: str, code: str) -> None:
    tables = read(write_shop(tmp_path, catalogue=f"{CATALOGUE}{line}\ni4,socks,3\n"))

    fault = only_fault(tables)
    assert (fault.code, fault.file, fault.row) == (code, "catalogue.csv", 3)
    assert tables.catalogue is not None
    assert tables.catalogue["item_id"].to_list() == ["i1", "i2", "i4"]


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("c2,i9,0.5,,", ["unknown-item"]),
        ("c2,i1,-0.5,,", ["negative-bid"]),
        ("c2,i1,,,", ["missing-bid"]),
        ("c2,i1,much,,", ["not-a-number"]),
        ("c2,i1,0.5,2026-01-02,2026-01-01", ["end-before-start"]),
        ("c1,i2,0.5,,", ["duplicate-campaign"]),
        ("c2,i9,-1,,", ["negative-bid", "unknown-item"]),
    ],
)
def test_a_bad_campaign(tmp_path: Path, line: str, codes: list[str]) -> None:
    text = f"campaign_id,item_id,bid,start,end\nc1,i1,0.2,2026-01-01,2026-02-01\n{line}\n"

    tables = read(write_shop(tmp_path, campaigns=text))

    assert faults(tables) == [(code, "campaigns.csv", 2) for code in codes]
    assert tables.rejects["code"].to_list() == codes[:1]
    assert tables.campaigns is not None
    assert tables.campaigns["campaign_id"].to_list() == ["c1"]


def test_attributes_that_are_no_object(tmp_path: Path) -> None:
    text = 'item_id,attributes\ni1,"{""size"": 4}"\ni2,[4]\ni3,"{size: 4}"\ni4,\n'

    tables = read(write_shop(tmp_path, catalogue=text))

    assert faults(tables)[:2] == [("attributes-not-json", "catalogue.csv", row) for row in (2, 3)]


def test_a_missing_required_column_says_what_is_there(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path, events=EVENTS.replace("timestamp", "time_stamp")))

    fault = only_fault(tables)
    assert (fault.code, fault.file, fault.row, fault.fatal) == (
        "missing-column", "events.csv", None, True,
    )  # fmt: skip
    assert fault.found.startswith("found columns: event, user_id, session_id, item_id, time_stamp")
    assert fault.fix == (
        'did you mean time_stamp? map it in shop.toml: [events.columns] timestamp = "time_stamp"'
    )
    assert tables.events is None
    assert tables.counts[1].rejected == 3


def test_a_mapped_column_that_the_file_lacks(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path), events={"columns": {"query": "search_term"}})

    fault = only_fault(tables)
    assert (fault.code, fault.column, fault.fatal) == ("missing-column", "query", False)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff", "event,user_id,item_id,timestamp\n"])
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    tables = read(write_shop(tmp_path, events=text))

    fault = only_fault(tables)
    assert (fault.code, fault.file, fault.row, fault.fatal) == (
        "empty-file", "events.csv", None, True,
    )  # fmt: skip


def test_mixed_time_zones_are_told_and_read(tmp_path: Path) -> None:
    lines = "view,u1,,i1,2026-01-05 10:00:00,1\nview,u1,,i1,2026-01-06T10:00:00+03:00,1\n"

    tables = read(write_shop(tmp_path, events=EVENTS + lines), events={"timezone": "Europe/Berlin"})

    fault = only_fault(tables)
    assert (fault.code, fault.row, fault.found) == ("mixed-time-zones", 4, "2026-01-05 10:00:00")
    # In January Berlin is one hour ahead of UTC.
    hours = events_of(tables)["timestamp"].dt.hour().to_list()
    assert hours == [10, 10, 9, 9, 7]


def test_a_column_of_the_wrong_type_is_one_fault(tmp_path: Path) -> None:
    header = "event,user_id,item_id,timestamp,price\n"
    rows = [f"view,u{i},i1,2026-01-01T10:00:00Z,{'cheap' if i else '5'}\n" for i in range(10)]

    tables = read(write_shop(tmp_path, events=header + "".join(rows)))

    (group,) = tables.faults
    assert (group.code, group.column, group.count) == ("wrong-type", "price", 9)
    (fault,) = group.examples
    assert fault.row is None
    assert fault.found == "9 of 10 values (90%), first: cheap"
    assert set(tables.rejects["code"]) == {"wrong-type"}
    assert events_of(tables)["row"].to_list() == [1]


def test_a_truncated_gzip_gives_its_whole_rows(tmp_path: Path) -> None:
    write_shop(tmp_path).joinpath("events.csv").unlink()
    # Random-looking ids keep the deflate stream long, so that a cut falls between rows.
    rows = [f"view,{zlib.crc32(b'%d' % i):x},,i1,2026-01-01T10:00:00Z,1\n" for i in range(2000)]
    whole = gzip.compress((EVENTS.splitlines()[0] + "\n" + "".join(rows)).encode())
    (tmp_path / "events.csv.gz").write_bytes(whole[: len(whole) // 2])

    tables = read(tmp_path)

    (count,) = (c for c in tables.counts if c.file == "events.csv.gz")
    assert 0 < count.kept < 2000
    (of_file, of_row) = tables.faults
    assert (of_file.code, of_file.examples[0].row) == ("truncated-archive", None)
    assert of_file.examples[0].found.endswith(f"{count.kept:,} whole rows could be read")
    assert (of_row.code, of_row.examples[0].row) == ("truncated-archive", count.kept + 1)
    assert events_of(tables)["user_id"][0] == f"{zlib.crc32(b'0'):x}"


def test_bytes_that_are_not_utf8_cost_their_row_alone(tmp_path: Path) -> None:
    # é is E9 in Latin-1, which starts a longer sequence in UTF-8.
    text = CATALOGUE.encode() + "i3,café,1\n".encode("latin-1") + "i4,thé,2\n".encode()

    tables = read(write_shop(tmp_path, catalogue=text))

    fault = only_fault(tables)
    assert (fault.code, fault.file, fault.row) == ("invalid-utf8", "catalogue.csv", 3)
    assert fault.found == "i3,caf\ufffd,1"
    assert tables.catalogue is not None
    assert tables.catalogue["title"].to_list() == ["red shoe", "blue shoe", "thé"]


@pytest.mark.parametrize("title", ["t" * 2_000_000, '"' + "two\nlines " * 200_000 + '"'])
def test_a_title_of_two_megabytes(tmp_path: Path, title: str) -> None:
    tables = read(write_shop(tmp_path, catalogue=f"{CATALOGUE}i3,{title},1\ni4,socks,3\n"))

    fault = only_fault(tables)
    assert (fault.code, fault.row, fault.column) == ("long-title", 3, "title")
    assert len(fault.found) < 120
    assert tables.catalogue is not None
    assert tables.catalogue["item_id"].to_list() == ["i1", "i2", "i4"]


def test_a_quote_that_would_swallow_the_rest_costs_its_row_alone(tmp_path: Path) -> None:
    text = 'item_id,title,price\ni1,"red,1\ni2,"blue, dark",2\ni3,5" pipe,3\ni4,"say ""hi""",4\n'

    tables = read(write_shop(tmp_path, catalogue=text))

    assert faults(tables)[0] == ("unclosed-quote", "catalogue.csv", 1)
    assert tables.catalogue is not None
    assert tables.catalogue["title"].to_list() == ["blue, dark", '5" pipe', 'say "hi"']


def test_a_row_with_several_faults_is_rejected_once_and_told_of_all(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path, events=EVENTS + "viewed,,,i9,soon,-1\n"))

    assert [code for code, _, row in faults(tables) if row == 4] == [
        "unknown-event", "no-actor", "unparsable-time", "negative-price", "unknown-item",
    ]  # fmt: skip
    assert tables.rejects.select("row", "code").rows() == [(4, "unknown-event")]
    (raw,) = tables.rejects["raw"]
    assert raw == (
        '{"event": "viewed", "user_id": null, "session_id": null, '
        '"item_id": "i9", "timestamp": "soon", "price": "-1"}'
    )


def test_examples_stop_at_five_and_counts_do_not(tmp_path: Path) -> None:
    bad = "".join(f"view,u{i},,i1,2026-01-01T10:00:00Z,-1\n" for i in range(20))

    (group,) = read(write_shop(tmp_path, events=EVENTS + bad)).faults

    assert (group.count, [fault.row for fault in group.examples]) == (20, [4, 5, 6, 7, 8])


def test_did_you_mean(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path, events=EVENTS + "Viewed,u1,,i1,2026-01-01T10:00:00Z,1\n"))

    assert only_fault(tables).fix.startswith("did you mean view? map")


def test_a_nul_escaped_in_json_is_a_nul(tmp_path: Path) -> None:
    (write_shop(tmp_path) / "catalogue.csv").unlink()
    (tmp_path / "catalogue.jsonl").write_text(
        '{"item_id": "i1"}\n{"item_id": "i2", "title": "a\\u0000b"}\n'
    )

    tables = read(tmp_path)

    assert faults(tables)[0] == ("nul-byte", "catalogue.jsonl", 2)


def test_control_characters_of_a_title_are_only_noted(tmp_path: Path) -> None:
    tables = read(write_shop(tmp_path, catalogue=CATALOGUE + "i3,a\x07b,1\n"))

    assert tables.faults == ()
    assert tables.notes == (
        "catalogue.csv: title holds control characters (rows: 1); "
        "they are taken out when the text is normalised",
    )
