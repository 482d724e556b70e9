"""The command line of the benchmarks: what each prints, and where it writes its section."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import polars as pl
import pytest
from benchmarks.console import listed
from benchmarks.run import app
from typer.testing import CliRunner

NAMES = ("next_item", "retail", "eshop", "relevance", "conversion", "prepare_speed")


@pytest.fixture
def carts(tmp_path: Path) -> Path:
    """A shop of 12 users with ten carts each, every third of them bought."""
    folder = tmp_path / "carts of a shop"
    folder.mkdir()
    rows = [
        (event, f"u{user}", f"i{(user + 3 * item) % 40}")
        for user in range(12)
        for item in range(10)
        for event in (["cart", "purchase"] if item % 3 == 0 else ["cart"])
    ]
    names = ["event", "user_id", "item_id"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(folder / "events.parquet")
    (folder / "shop.toml").write_text('[shop]\nname = "a shop of carts"\n')
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_shows_how_it_is_called(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--help"])

    assert shown.exit_code == 0
    assert f"benchmarks/run.py {name}" in shown.output


@pytest.mark.parametrize(
    "name", [*NAMES, "robustness", "push", "train_speed", "truth", "off_policy"]
)
def test_data_that_are_not_there_are_refused(name: str) -> None:
    shown = CliRunner().invoke(app, [name, "--data", "nowhere"])

    assert shown.exit_code == 2
    assert "'nowhere' does not exist" in shown.output


def test_systems_are_separated_by_commas() -> None:
    assert listed("shelfwise, peers,") == ("shelfwise", "peers")
    assert listed(None) == ()


def test_the_last_line_is_one_object_of_the_agreed_form(
    carts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    words = ["conversion", "--data", str(carts), "--systems", "baselines"]
    words += ["--write", str(page), "--json"]
    monkeypatch.setattr(sys, "argv", ["run.py", *words])  # the page tells how it was called

    ran = CliRunner().invoke(app, words)

    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout.splitlines()[-1])
    asked = {"benchmark", "protocol", "data", "rows", "differences", "figures", "seconds"}
    assert asked | {"peak_mib", "cores", "versions"} <= set(found)
    assert set(found["data"]) == {"name", "fingerprint", "counts"}
    for row in found["rows"]:
        assert set(row) == {
            *("system", "view", "task", "metric", "value", "low", "high", "seeds", "support")
        }
    # 12 users with ten carts: the last two of each are the test.
    assert found["data"]["counts"]["carts of test"] == 24
    text = page.read_text()
    assert text.startswith("<!-- benchmark: conversion -->\n## conversion\n")
    assert "--data 'carts of a shop' --systems baselines --write page.md --json" in text
    assert str(tmp_path) not in text
