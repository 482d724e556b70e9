"""One table, however it was saved; and a clear word where it cannot be read."""

from __future__ import annotations

import gzip
import io
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import Layout, PublishedColumn
from shelfwise.schema.errors import DataError

CARD = DatasetCard(
    name="things",
    title="Things",
    publisher="nobody",
    url="https://example.org",
    terms="none",
    citation="none",
    shows="nothing",
    files=("All Things.csv", "things.zip"),
)
COLUMNS = (
    PublishedColumn("who", "Customer ID", "id"),
    PublishedColumn("what", "item (code)", "text"),
    PublishedColumn("many", "Quantity", "integer"),
    PublishedColumn("price", "Price", "number"),
    PublishedColumn("when", "Date", "time"),
)
CSV = (
    "Date,Customer ID,item (code),Quantity,Price,more\n"
    '2010-12-01 08:26:00,17850.0,"Café, 42"" NECKLACE ",6,2.55,x\n'
    "2010-12-13 09:00:00,,nan,-1,0,y\n"
)
TSV = (
    "Date\tCustomer ID\titem (code)\tQuantity\tPrice\n"
    '2010-12-01 08:26:00\t17850\t"Café, 42"" NECKLACE "\t6\t2.55\n'
    "2010-12-13 09:00:00\t\tnan\t-1\t0\n"
)
JSON = (
    '{"Date": "2010-12-01 08:26:00", "Customer ID": 17850, "item (code)": "Café, 42\\" NECKLACE",'
    ' "Quantity": 6, "Price": 2.55}\n'
    '{"Date": "2010-12-13 09:00:00", "Quantity": -1, "Price": 0}\n'
)
NEWLINE = "\n"
ROWS = [
    (1, "17850", 'Café, 42" NECKLACE', 6, 2.55, datetime(2010, 12, 1, 8, 26, tzinfo=UTC)),
    (2, None, None, -1, 0.0, datetime(2010, 12, 13, 9, tzinfo=UTC)),
]


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
        archive.writestr("description.txt", "what the columns mean")
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(
        {
            "Date": [datetime(2010, 12, 1, 8, 26), datetime(2010, 12, 13, 9)],
            "Customer ID": [17850.0, None],
            "item (code)": ['Café, 42" NECKLACE', "nan"],
            "Quantity": [6, -1],
            "Price": [2.55, 0.0],
        }
    ).write_parquet(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("things.csv", CSV.encode()),
        ("things.csv", CSV.encode("utf-8-sig")),
        ("things.csv", CSV.encode("cp1252")),
        ("things.csv", CSV.replace("\n", "\r\n").encode()),
        (
            "things.csv",
            CSV.replace("Café, ", "Café; ").replace(",", ";").replace("Café;", "Café,").encode(),
        ),
        (
            "things.csv",
            CSV.replace("item (code)", "item..code.")
            .replace("Customer ID", "customer_id")
            .encode(),
        ),
        ("things.csv.gz", gzip.compress(CSV.encode())),
        ("things.zip", zipped("folder/All Things.csv", CSV.encode())),
        ("things.zip", zipped("inner.zip", zipped("All Things.csv", CSV.encode()))),
        ("things.csv.zip", zipped("things.csv.gz", gzip.compress(CSV.encode()))),
        ("things.tsv", TSV.encode()),
        ("things.txt", TSV.encode()),
        ("things.json", JSON.encode()),
        ("things.json", f"[{JSON.strip().replace(NEWLINE, ',')}]".encode()),
        ("things.jsonl.gz", gzip.compress(JSON.encode())),
        ("things.parquet", parquet()),
    ],
    ids=[
        *(
            "utf-8",
            "bom",
            "cp1252",
            "crlf",
            "semicolons",
            "r-names",
            "gz",
            "zip",
            "zips",
            "gz in zip",
        ),
        *("tsv", "txt", "json lines", "json array", "jsonl.gz", "parquet"),
    ],
)
def test_every_form_of_a_table_reads_the_same(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    table = PublishedFolder(CARD, path).table(COLUMNS)

    assert table.columns == ["line", "who", "what", "many", "price", "when"]
    assert table.rows() == ROWS


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2010-12-01T08:26:00", "2010-12-13T09:00:00"),
        ("2010-12-01 08:26", "2010-12-13 09:00"),
        ("2010-12-01 08:26:00 UTC", "2010-12-13 09:00:00 UTC"),
        ("2010-12-01 08:26:00.000+00:00", "2010-12-13 09:00:00+00:00"),
        ("12/1/2010 8:26", "12/13/2010 9:00"),
        ("01/12/2010 08:26", "13/12/2010 09:00"),
        ("12/1/10 8:26", "12/13/10 9:00"),
        ("01/12/10 08:26", "13/12/10 09:00"),
    ],
)
def test_the_layout_that_reads_every_time_is_found(first: str, second: str, tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text(
        CSV.replace("2010-12-01 08:26:00", first).replace("2010-12-13 09:00:00", second)
    )

    assert PublishedFolder(CARD, path).table(COLUMNS)["when"].to_list() == [row[-1] for row in ROWS]


def test_every_unreadable_column_is_named_with_its_first_cell(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text(CSV.replace("-1,0", "one,0").replace("2.55", "2'55").replace("12-13", "13-13"))

    with pytest.raises(DataError) as caught:
        PublishedFolder(CARD, path).table(COLUMNS)

    assert str(caught.value).splitlines() == [
        f"{path}:",
        "  Quantity: 1 cell(s) hold no integer; the first, in data row 2, is 'one'",
        '  Price: 1 cell(s) hold no number; the first, in data row 1, is "2\'55"',
        "  Date: 1 cell(s) hold no time; the first, in data row 2, is '2010-13-13 09:00:00'",
    ]


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "things.csv"
    path.write_text("Date,Invoice,Price\n")

    with pytest.raises(
        DataError,
        match=r"lacks the column\(s\) Customer ID, item \(code\), Quantity; it has Date, Invoice",
    ):
        PublishedFolder(CARD, path).table(COLUMNS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "not a readable CSV file"),
        ("t.csv", b"a,b\n1,2,3,4\n", "not a readable CSV file"),
        ("t.csv.gz", b"not gzip", "cannot be unpacked"),
        ("t.zip", b"not zip", "cannot be unpacked"),
        ("t.zip", zipped("read.me", b""), "holds no table, only read.me, description.txt"),
        ("t.zip", zipped("Things.xlsx", b""), "save it as CSV UTF-8 .Things.csv."),
        ("t.parquet", b"PAR1 broken", "not a readable Parquet file"),
        ("t.xlsx", b"PK", "Excel workbooks are not read"),
    ],
)
def test_files_that_cannot_be_read_say_why(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(DataError, match=message):
        PublishedFolder(CARD, path).table(COLUMNS)


@pytest.mark.parametrize(
    "name", ["All Things.csv", "all_things.csv", "ALL-THINGS.CSV.gz", "things.zip"]
)
def test_the_table_is_found_in_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    (tmp_path / name).touch()

    assert PublishedFolder(CARD, tmp_path).find() == tmp_path / name


def test_a_file_named_outright_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "export-7.csv"
    path.touch()

    assert PublishedFolder(CARD, path).find() == path


@pytest.mark.parametrize(
    ("present", "message"),
    [
        (None, "no such file or folder; things needs one of All Things.csv, things.zip"),
        ([], "things needs one of .* found no file"),
        (["a.csv", "b.csv"], "found a.csv, b.csv"),
        (["Things.xlsx"], r"save it as CSV UTF-8 \(Things.csv\) in the same folder"),
    ],
)
def test_a_missing_table_says_what_is_expected(
    present: list[str] | None, message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    if present is not None:
        folder.mkdir()
        for name in present:
            (folder / name).touch()

    with pytest.raises(DataError, match=message):
        PublishedFolder(CARD, folder).find()


def test_further_files_lie_beside_the_main_one_or_in_folders(tmp_path: Path) -> None:
    (tmp_path / "Things.csv").write_text("Price\n1\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "things.csv.gz").write_bytes(gzip.compress(b"Price\n2\n"))
    price = (PublishedColumn("price", "Price", "integer"),)
    names = ("more/Things.csv",)

    for source in (tmp_path, tmp_path / "Things.csv"):
        folder = PublishedFolder(CARD, source)

        assert folder.holds(names)
        assert not folder.holds(("less/Things.csv",))
        assert folder.table(price, ("Things.csv",))["price"].to_list() == [1]
        assert folder.table(price, names)["price"].to_list() == [2]
        # sha256 of the file as it lies there, packing and all
        assert folder.digests == {
            "Things.csv": sha256(b"Price\n1\n").hexdigest(),
            "more/things.csv.gz": sha256(
                (tmp_path / "more/things.csv.gz").read_bytes()
            ).hexdigest(),
        }


def test_a_further_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"things needs bts/items.csv \(from https://example.org\)"):
        PublishedFolder(CARD, tmp_path).content(("bts/items.csv",))


def test_a_zip_gives_the_member_that_is_asked_for(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("all/other.csv", "Price\n1\n")
        archive.writestr("all/Things.txt", "Price\n2\n")
    (tmp_path / "download.zip").write_bytes(buffer.getvalue())

    folder = PublishedFolder(CARD, tmp_path)
    table = folder.table(
        (PublishedColumn("price", "Price", "integer"),), ("things.txt", "download.zip")
    )

    assert table["price"].to_list() == [2]


def test_a_table_without_a_header_is_read_by_place(tmp_path: Path) -> None:
    (tmp_path / "All Things.csv").write_text("7 1511658000 x\n8 1511658001 y\n")
    columns = (
        PublishedColumn("who", "user", "id"),
        PublishedColumn("when", "unix time", "seconds"),
    )
    layout = Layout(headed=False, separator=" ")

    table = PublishedFolder(CARD, tmp_path).table(columns, layout=layout)

    # 1511658000 / 86400 = 17496 days and 1 hour: 26 November 2017, 01:00 UTC
    assert table.rows() == [
        (1, "7", datetime(2017, 11, 26, 1, tzinfo=UTC)),
        (2, "8", datetime(2017, 11, 26, 1, 0, 1, tzinfo=UTC)),
    ]
    with pytest.raises(DataError, match=r"has 3 column\(s\), 4 are needed: user, unix time, user"):
        PublishedFolder(CARD, tmp_path).table(columns * 2, layout=layout)


def test_an_optional_column_may_be_absent(tmp_path: Path) -> None:
    (tmp_path / "All Things.csv").write_text("Price\n1\n")
    columns = (
        PublishedColumn("price", "Price", "integer"),
        PublishedColumn("note", "Note", "text", optional=True),
    )

    assert PublishedFolder(CARD, tmp_path).table(columns).rows() == [(1, 1, None)]
