"""Proposals for small made files, of which it is known what they are."""

from __future__ import annotations

import gzip
import json
import random
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shelfwise.config import load_config
from shelfwise.data.propose.look import SAMPLE_ROWS
from shelfwise.data.propose.write import Proposal, propose
from shelfwise.data.source import read_shop
from shelfwise.schema.errors import DataError

FIRST = 1_433_221_332_117  # 2015-06-02T05:02:12Z in milliseconds


def behaviour(rows: int = 300) -> pl.DataFrame:
    """A log as RetailRocket's: milliseconds, short names, three kinds of events."""
    draw = random.Random(0)
    kinds = draw.choices(["view", "addtocart", "transaction"], [8, 1, 1], k=rows)
    return pl.DataFrame(
        {
            "timestamp": [FIRST + 60_000 * i for i in range(rows)],
            "visitorid": [draw.randrange(50) for _ in range(rows)],
            "event": kinds,
            "itemid": [draw.randrange(80) for _ in range(rows)],
            "transactionid": [i if kind == "transaction" else None for i, kind in enumerate(kinds)],
        }
    )


def proposed(shop: Path, *names: Path | str) -> tuple[Proposal, dict[str, Any]]:
    proposal = propose(shop, [str(name) for name in names or (shop,)])
    return proposal, tomllib.loads(proposal.text)


def test_a_clean_log_and_its_check(tmp_path: Path) -> None:
    behaviour().write_csv(tmp_path / "events.csv")

    proposal, told = proposed(tmp_path)
    (tmp_path / "shop.toml").write_text(proposal.text)
    tables = read_shop(tmp_path, load_config(tmp_path))

    assert told == {
        "events": {
            "file": "events.csv",
            "units": {"timestamp": "ms"},
            "columns": {"user_id": "visitorid", "item_id": "itemid"},
            "names": {"addtocart": "cart", "transaction": "purchase"},
        },
        "features": {"events": {}},
    }
    assert proposal.not_guessed == []
    assert tables.faults == ()
    assert [(count.rows_in, count.kept) for count in tables.counts] == [(300, 300)]
    assert '# transactionid = "category"  # ' in proposal.text


def test_every_table_of_a_shop(tmp_path: Path) -> None:
    """One of each kind, in different formats; what the names say is enough."""
    write = {
        "log.csv": "event_type,session,sku,created_at\nview,s1,a,2026-01-01T10:00:00Z\n",
        "products.tsv": "sku\tproduct_name\tunit_price\na\tred shoe\t1.5\nb\tblue shoe\t2\n",
        "people.csv": "customer_id,age\nu1,31\nu2,40\n",
        "relevance.csv": "search_term,product_title,relevance\nshoe,red shoe,3\nhat,red shoe,1\n",
        "ads.csv": "campaign_id,sku,max_bid,start_date\nc1,a,0.2,2026-01-01\n",
    }
    for name, text in write.items():
        (tmp_path / name).write_text(text)
    texts = [{"review": "a fine red shoe", "sentiment": "good"}] * 3
    (tmp_path / "texts.jsonl").write_text("\n".join(map(json.dumps, texts)))
    (tmp_path / "notes.txt").write_text("nothing")

    proposal, told = proposed(tmp_path)

    assert told.pop("features") == {"users": {"age": "category"}}
    assert {section: table["file"] for section, table in told.items()} == {
        "events": "log.csv", "catalogue": "products.tsv", "users": "people.csv",
        "judgements": "relevance.csv", "campaigns": "ads.csv", "pairs": "texts.jsonl",
    }  # fmt: skip
    assert told["catalogue"]["columns"] == {
        "item_id": "sku", "title": "product_name", "price": "unit_price",
    }  # fmt: skip
    assert told["judgements"]["columns"] == {
        "query": "search_term", "title": "product_title", "grade": "relevance",
    }  # fmt: skip
    assert told["campaigns"]["columns"] == {
        "item_id": "sku", "bid": "max_bid", "start": "start_date",
    }  # fmt: skip
    assert told["pairs"]["columns"] == {"text": "review", "label": "sentiment"}
    assert [one.path.name for one in proposal.unused] == ["notes.txt"]


def test_content_tells_what_names_do_not(tmp_path: Path) -> None:
    """Nothing is called anything; ids join the catalogue, words are kinds, numbers are times."""
    log = behaviour()
    log.rename({"timestamp": "c1", "visitorid": "user", "event": "c3", "itemid": "c4"}).drop(
        "transactionid"
    ).with_columns(pl.col("c4") + 5_000).write_csv(tmp_path / "a.csv")
    items = pl.DataFrame(
        {"item_id": range(5_000, 5_080), "title": [f"shoe {i}" for i in range(80)]}
    )
    items.write_parquet(tmp_path / "b.parquet")

    proposal, told = proposed(tmp_path)

    assert told["events"]["columns"] == {
        "event": "c3", "user_id": "user", "item_id": "c4", "timestamp": "c1",
    }  # fmt: skip
    assert "# 100% of the different item_id in the sample are in b.parquet" in proposal.text
    assert "100% of its values are ids of b.parquet" in proposal.text


def test_parts_of_one_table_are_named_by_a_pattern(tmp_path: Path) -> None:
    log = behaviour()
    for month in ("09", "10", "11"):
        log.write_csv(tmp_path / f"log-2019-{month}.csv")
    (tmp_path / "items.csv").write_text("itemid,title\n1,red shoe\n2,blue shoe\n")

    _, told = proposed(tmp_path)

    assert told["events"]["file"] == "log-2019-*.csv"
    assert told["catalogue"]["file"] == "items.csv"


def test_a_file_outside_of_the_shop_is_named_from_the_root(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    file = tmp_path / "elsewhere" / "events.csv.gz"
    file.write_bytes(gzip.compress(behaviour().write_csv().encode()))

    proposal, told = proposed(tmp_path / "shop", file)

    assert told["events"]["file"] == file.as_posix()
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "shop.toml").write_text(proposal.text)
    assert read_shop(tmp_path / "shop", load_config(tmp_path / "shop")).faults == ()


def test_only_the_head_of_a_long_file_is_looked_at_and_that_is_said(tmp_path: Path) -> None:
    behaviour(SAMPLE_ROWS + 1).write_csv(tmp_path / "events.csv")

    proposal, _ = proposed(tmp_path)

    assert "events.csv (the first 20,000 rows)" in proposal.text


def test_a_file_without_names_of_columns(tmp_path: Path) -> None:
    """As Taobao publishes it: user, item, category, behaviour, seconds."""
    draw = random.Random(1)
    rows = [
        (draw.randrange(10**6), draw.randrange(10**6), 100 + i % 70, "pv", 1_511_658_000 + i)
        for i in range(200)
    ]
    lines = [",".join(map(str, row)) for row in rows]
    (tmp_path / "log.csv").write_text("\n".join([*lines, "7,8,9,buy,1511658000"]))

    proposal, told = proposed(tmp_path)

    assert "#   user_id,item_id,column_3,event,timestamp" in proposal.text
    assert told["events"] == {"file": "log.csv", "names": {"pv": "view", "buy": "purchase"}}
    assert len(proposal.not_guessed) == 1
    # Written above the rows, the proposed line makes the file readable.
    (tmp_path / "shop.toml").write_text(proposal.text)
    text = (tmp_path / "log.csv").read_text()
    (tmp_path / "log.csv").write_text(f"user_id,item_id,column_3,event,timestamp\n{text}")
    assert read_shop(tmp_path, load_config(tmp_path)).faults == ()


def test_what_cannot_be_guessed_is_marked(tmp_path: Path) -> None:
    """Numbers for kinds, a clock without zone, prices that may be cents."""
    text = "user_id,product_id,behavior_type,time,price\n"
    text += "".join(
        f"u{i % 7},p{i},{1 + i % 4},2026-01-01 10:{i:02}:00,{999 + i}\n" for i in range(60)
    )
    (tmp_path / "log.csv").write_text(text)

    proposal, told = proposed(tmp_path)

    marked = "\n".join(proposal.not_guessed)
    assert told["events"]["columns"]["event"] == "behavior_type"
    assert told["events"]["names"] == {}
    assert "timezone of time, which names none" in marked
    assert '"1" (15 rows): give it a kind here' in marked
    assert 'units = { price = "cents" }' in marked


def test_a_log_of_one_kind_lacks_its_event(tmp_path: Path) -> None:
    text = "customer,stock_code,invoice_date\n"
    text += "".join(f"{i % 9},{i},{i % 28 + 1}/12/2010 08:26\n" for i in range(50))
    (tmp_path / "sales.csv").write_text(text)

    proposal, told = proposed(tmp_path)

    assert told["events"]["columns"] == {
        "user_id": "customer", "item_id": "stock_code", "timestamp": "invoice_date",
    }  # fmt: skip
    assert any("no column says what happened" in line for line in proposal.not_guessed)
    assert any("is not ISO 8601" in line for line in proposal.not_guessed)


def test_odd_names_are_written_so_that_toml_reads_them(tmp_path: Path) -> None:
    """Quotes, a comment sign, a line break, and an event's name that is no bare key."""
    odd = 'user id "#1"'
    frame = (
        behaviour()
        .rename({"visitorid": odd})
        .with_columns(pl.col("event").replace("addtocart", "Add to cart"))
    )
    frame.write_csv(tmp_path / "events.csv")

    _, told = proposed(tmp_path)

    assert told["events"]["columns"]["user_id"] == odd
    assert told["events"]["names"]["Add to cart"] == "cart"


def test_a_name_that_means_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file; name files, a folder or a pattern"):
        propose(tmp_path, [str(tmp_path / "nothing-*.csv")])


def test_files_none_of_which_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "b.csv").write_text("")

    with pytest.raises(DataError, match=r"(?s)a\.txt: not one of .*b\.csv: "):
        propose(tmp_path, [str(tmp_path)])


def test_further_columns_of_items_are_features_and_of_events_are_offered(tmp_path: Path) -> None:
    """Amounts are numbers, codes and words that repeat are categories, ids and constants none."""
    items = pl.DataFrame(
        {
            "item_id": [f"i{i}" for i in range(200)],
            "title": [f"shoe {i}" for i in range(200)],
            "weight": [0.5 + i for i in range(200)],
            "stock": [i % 60 for i in range(200)],
            "colour": ["red", "blue"] * 100,
            "season code": [i % 30 for i in range(200)],
            "ean": [4_000_000 + i for i in range(200)],
            "made_in": ["Portugal"] * 200,
            "story": [f"{'long ago ' * 6}{i}" for i in range(200)],
        }
    )
    items.write_csv(tmp_path / "items.csv")
    behaviour().with_columns(device=pl.lit("phone"), day=pl.int_range(300) % 7).write_csv(
        tmp_path / "events.csv"
    )

    proposal, told = proposed(tmp_path)

    assert told["features"] == {
        "items": {
            "weight": "number", "stock": "number", "colour": "category",
            "season code": "category", "story": "text",
        },
        "events": {},
    }  # fmt: skip
    assert '# day = "category"  # 7 different values' in proposal.text
    assert "# device: no feature as it stands" in proposal.text
    assert "# ean: no feature as it stands" in proposal.text
