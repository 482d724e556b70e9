"""Addresses of databases and streams, and the passwords that must not be shown."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shelfwise.config import validated
from shelfwise.data.connections import (
    SQL_SCHEMES,
    RedisStream,
    SqlSource,
    masked,
    read_address,
    without_secret,
)
from shelfwise.schema.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:pw@db:5432/shop", "postgresql://me:***@db:5432/shop"),
        ("postgresql://me@db/shop?host=/run/pg", "postgresql://me@db/shop?host=/run/pg"),
        ("postgresql://db/shop?user=me&password=pw", "postgresql://db/shop?user=me&password=***"),
        ("redis://:pw@host:6379/0", "redis://:***@host:6379/0"),
        ("postgresql://me:p/w@db/shop", "postgresql://***"),
        ("postgresql://me:p#w@db/shop", "postgresql://***"),
        ("postgresql://[::1", "postgresql://***"),
        ("sqlite:///odd@name/shop.db", "sqlite:///odd@name/shop.db"),
    ],
)
def test_masked_by_hand(url: str, shown: str) -> None:
    assert masked(url) == shown


passwords = st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=6)


@given(password=passwords, encoded=st.booleans())
def test_a_password_is_neither_kept_nor_shown(password: str, encoded: bool) -> None:
    """As people write it, and as a url wants it."""
    written = quote(password, safe="") if encoded else password
    url = f"postgresql://me:{written}@db/shop"

    with pytest.raises(ConfigError) as refused:
        validated({"events": {"sql": {"url": url, "query": "SELECT 1"}}}, (), "shop.toml")

    assert f":{written}@" not in str(refused.value)
    assert f":{written}@" not in masked(url)
    if encoded:
        assert password not in without_secret(f"no entry for me with {password} or {written}", url)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give one of url and url_file"),
        ({"url": "sqlite:///a", "url_file": "b"}, "give one of url and url_file"),
        ({"url": "mysql://db/shop"}, "must start with postgresql:// or"),
        ({"url": "shop.db"}, "must start with postgresql:// or"),
    ],
)
def test_addresses_that_lead_nowhere(options: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SqlSource.model_validate(options | {"query": "SELECT 1"})


def test_a_stream_needs_a_url_of_redis() -> None:
    with pytest.raises(ValidationError, match="must start with redis://"):
        RedisStream(url="postgresql://db/shop")


def test_the_file_that_holds_an_address(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("postgresql://me:pw@db/shop\n", encoding="utf-8-sig")
    (tmp_path / "bad").write_text("password=pw")
    source = {
        name: SqlSource(url_file=name, query="SELECT 1") for name in ("good", "bad", "missing")
    }

    assert read_address(source["good"], SQL_SCHEMES, tmp_path) == "postgresql://me:pw@db/shop"
    with pytest.raises(ConfigError, match="its only line must be a url") as refused:
        read_address(source["bad"], SQL_SCHEMES, tmp_path)
    assert "password=pw" not in str(refused.value)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_address(source["missing"], SQL_SCHEMES, tmp_path)
