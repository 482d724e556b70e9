"""Proposals for the heads of real logs, of which it is known what their columns mean."""

from __future__ import annotations

import gzip
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shelfwise.config import load_config
from shelfwise.data.propose.write import Proposal, propose
from shelfwise.data.source import read_shop

REAL = Path(__file__).parents[3] / "shared" / "data"
ROWS = 5_000

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real data at {REAL}")


def head(name: str) -> bytes:
    """The first lines of a published file, unpacked."""
    path = REAL / name
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as file:
            return b"".join(line for line, _ in zip(file, range(ROWS), strict=False))
    with gzip.open(path) as file:
        return b"".join(line for line, _ in zip(file, range(ROWS), strict=False))


def proposed(shop: Path, name: str, data: bytes) -> tuple[Proposal, dict[str, Any]]:
    (shop / name).write_bytes(data)
    proposal = propose(shop, [str(shop / name)])
    (shop / "shop.toml").write_text(proposal.text)
    return proposal, tomllib.loads(proposal.text)


def test_rees46_is_read_as_proposed(tmp_path: Path) -> None:
    proposal, told = proposed(tmp_path, "oct.csv", head("rees46/2019-Oct.csv.gz"))

    assert proposal.not_guessed == []
    assert told["events"]["columns"] == {
        "event": "event_type", "session_id": "user_session", "item_id": "product_id",
        "timestamp": "event_time",
    }  # fmt: skip
    assert read_shop(tmp_path, load_config(tmp_path)).faults == ()


def test_taobao_lacks_names_of_columns(tmp_path: Path) -> None:
    proposal, told = proposed(tmp_path, "log.csv", head("taobao_slice/UserBehavior.csv.gz"))

    assert "#   user_id,item_id,column_3,event,timestamp" in proposal.text
    assert told["events"]["names"] == {"pv": "view", "fav": "favourite", "buy": "purchase"}


def test_expedia_has_no_events_but_searches_with_outcomes(tmp_path: Path) -> None:
    proposal, told = proposed(tmp_path, "searches.csv", head("expedia/searches_10000.csv.gz"))

    assert told["events"]["columns"] == {
        "session_id": "srch_id", "request_id": "srch_id", "item_id": "prop_id",
        "timestamp": "date_time", "price": "price_usd",
    }  # fmt: skip
    assert any("click_bool, booking_bool may say" in line for line in proposal.not_guessed)
    assert any("timezone of date_time" in line for line in proposal.not_guessed)


def test_talkingdata_names_neither_event_nor_user(tmp_path: Path) -> None:
    proposal, told = proposed(tmp_path, "clicks.csv", head("talkingdata/train_sample.csv.zip"))

    assert told["events"]["columns"] == {"item_id": "app", "timestamp": "click_time"}
    assert "# ip: called so in the file" in proposal.text
    assert any(line.startswith("event: ") for line in proposal.not_guessed)
    assert any(line.startswith("user_id or session_id: ") for line in proposal.not_guessed)


def test_online_retail_lacks_its_event(tmp_path: Path) -> None:
    sales = pl.read_parquet(REAL / "online_retail" / "online_retail.parquet", n_rows=ROWS)
    sales.write_parquet(tmp_path / "sales.parquet")

    proposal = propose(tmp_path, [str(tmp_path)])

    told = tomllib.loads(proposal.text)["events"]["columns"]
    assert told == {
        "user_id": "CustomerID", "item_id": "StockCode", "timestamp": "InvoiceDate",
        "price": "UnitPrice", "quantity": "Quantity",
    }  # fmt: skip
    assert any(line.startswith("event: no column") for line in proposal.not_guessed)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        (
            "home_depot/train.csv.zip",
            {"item_id": "product_uid", "title": "product_title", "query": "search_term",
             "grade": "relevance"},
        ),
        (
            "format_samples/esci_200.csv.gz",
            {"item_id": "product_id", "title": "product_title", "grade": "esci_label"},
        ),
    ],
)  # fmt: skip
def test_graded_pairs_are_judgements(tmp_path: Path, name: str, columns: dict[str, str]) -> None:
    text = head(name).decode("latin-1" if "home_depot" in name else "utf-8")

    proposal, told = proposed(tmp_path, "pairs.csv", text.encode())

    assert told["judgements"]["columns"] == columns
    assert ("grades in numbers" in proposal.text) == ("esci" in name)


def test_beauty_items_are_a_catalogue(tmp_path: Path) -> None:
    proposal, told = proposed(tmp_path, "items.tsv", (REAL / "beauty/items.tsv").read_bytes())

    assert told["catalogue"]["file"] == "items.tsv"
    assert "# title: called so in the file" in proposal.text
