"""Peers of `prepare_speed`, as far as they can be tried without installing one."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from benchmarks.peers_loading import PEERS, ROOT, peers_loading, rows_of, why_missing

# RecBole's form of an answer: 1.5 + 0.5 + 8 = 10 seconds until batches could be asked for.
ANSWER: dict[str, Any] = {
    "seconds": {"read": 1.5, "write": 0.5, "prepare": 8.0, "batches": 3.0},
    "cpu_seconds": {"read": 1.0, "write": 0.5, "prepare": 6.0, "batches": 2.0},
    "peak_mib": 700.0,
    "imported_mib": 500.0,
    "rows": {"interactions": 4_000},
    "versions": {"recbole": "1.2.1"},
    "does": "its loading",
    "does_not": ["no fraud filter"],
}


def test_a_peer_that_was_never_installed_is_reported_with_the_way_out(tmp_path: Path) -> None:
    rows = peers_loading(tmp_path, ("click",), environments=tmp_path)

    assert rows == [
        {"system": peer, "failed": "not installed; make it with: make peers"} for peer in PEERS
    ]


def test_a_peer_that_did_not_install_is_reported_with_pips_words(tmp_path: Path) -> None:
    (tmp_path / "recbole").mkdir()
    (tmp_path / "recbole.failed").write_text("ERROR: No matching distribution found for ray\n")

    assert why_missing("recbole", tmp_path) == (
        "did not install: ERROR: No matching distribution found for ray"
    )


def test_seconds_are_those_until_batches_could_be_asked_for() -> None:
    first, *others = rows_of("recbole", ("click", "purchase"), ANSWER)

    # 4,000 interactions in 10 seconds; the pass over the batches is in the steps only.
    assert [(row["metric"], row["value"]) for row in (first, *others)] == [
        ("seconds", pytest.approx(10.0)),
        ("cpu_seconds", pytest.approx(7.5)),
        ("peak_mib", 700.0),
        ("interactions_per_second", pytest.approx(400.0)),
    ]
    assert first["steps"]["batches"] == 3.0
    assert first["given"] == "4,000 events of kind click, purchase: positives only, no impressions"
    assert first["does_not"] == ["no fraud filter"]


def environment(folder: Path, peer: str, script: str) -> None:
    """An environment whose interpreter runs ``script`` whatever it is asked to run."""
    (folder / peer / "bin").mkdir(parents=True)
    (folder / f"{peer}.py").write_text(script)
    python = folder / peer / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder / peer}.py" "$@"\n')
    python.chmod(0o755)


def test_one_peer_that_fails_hides_no_other(tmp_path: Path) -> None:
    # The last line of the traceback is the reason; the other peer's noise before its answer is not.
    environment(tmp_path, "rectools", "raise RuntimeError('no numpy')")
    environment(tmp_path, "recbole", f"print('noise')\nprint({json.dumps(ANSWER)!r})")

    failed, *measured = peers_loading(tmp_path, ("click",), environments=tmp_path)

    assert failed == {"system": "rectools", "failed": "RuntimeError: no numpy"}
    assert [row["system"] for row in measured] == ["recbole"] * 4


def test_peers_are_told_the_shop_and_kinds_and_work_in_an_empty_folder(tmp_path: Path) -> None:
    told = "import json, os, sys\nraise SystemExit(json.dumps([sys.argv[2:6], os.listdir()]))"
    for peer in PEERS:
        environment(tmp_path, peer, told)

    rows = peers_loading(tmp_path, ("click", "purchase"), environments=tmp_path)

    shop = str(tmp_path.resolve())
    assert json.loads(rows[0]["failed"]) == [["--data", shop, "--kinds", "click,purchase"], []]


def installed(peer: str) -> pytest.MarkDecorator:
    missing = why_missing(peer, ROOT / ".venv-peers")
    return pytest.mark.skipif(missing is not None, reason=f"{peer}: {missing}")


def shop(folder: Path) -> Path:
    """Ten days: user a acts on days 0-4 and 9, b on 1-3 and 9, session s on 2 and 3."""
    days = {"a": [0, 1, 2, 3, 4, 9], "b": [1, 2, 3, 9], None: [2, 3]}
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        {"event": kind, "user_id": user, "session_id": "s", "item_id": f"i{day % 3}"}
        | {"timestamp": start + timedelta(days=day, hours=1)}
        for user, acted in days.items()
        for day in acted
        for kind in ("impression", "click")
    ]
    without_item = {"event": "click", "user_id": "a", "session_id": "s", "item_id": None}
    pl.DataFrame([*rows, without_item | {"timestamp": start}]).write_parquet(
        folder / "events.parquet"
    )
    return folder


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return peers_loading(shop(tmp_path_factory.mktemp("shop")), ("click",))


@pytest.mark.parametrize("peer", [pytest.param(peer, marks=installed(peer)) for peer in PEERS])
def test_an_installed_peer_loads_the_clicks_of_users_and_of_sessions(
    peer: str, loaded: list[dict[str, Any]]
) -> None:
    first, *_ = (row for row in loaded if row["system"] == peer)

    # 6 + 4 + 2 clicks with an item; neither impressions nor the click without one.
    assert first["rows"]["interactions"] == 12
    assert first["rows"]["items"] == 3
    # RecTools: the last fifth of the 9 days is days 8 and 9; 5 + 3 + 2 clicks come before, one
    #   sequence each of a, b, s; its default filter leaves out tested pairs that were seen, all.
    # RecBole: of 6, 4, 2 clicks, 5 + 3 + 1 have clicks before them; one each of a and b is tested
    #   and validated, and where the only one of s goes is not the same in every run.
    if peer == "rectools":
        expected = {"training_interactions": 10, "training_sequences": 3, "test_sequences": 0}
        assert expected.items() <= first["rows"].items()
    else:
        parts = [first["rows"][f"{part}_sequences"] for part in ("training", "validation", "test")]
        assert sum(parts) == 9
        assert min(parts) >= 2
