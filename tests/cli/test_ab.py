from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from .command import done, shelfwise


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 users, of each arm half; every user of arm b clicks once, every fourth of arm a."""
    rows = [
        {"event": event, "user_id": f"u{user}", "variant": "ab"[user % 2], "timestamp": moment}
        for user in range(40)
        for moment in ("2025-01-01T10:00:00Z", "2025-03-01T10:00:00Z")
        for event in ["impression"] * 4 + ["click"] * (user % 2 == 1 or user % 8 == 0)
    ]
    path = tmp_path_factory.mktemp("ab") / "log.csv"
    pl.DataFrame(rows).write_csv(path)
    return path


def test_arms_of_a_file(log: Path) -> None:
    ended = done("ab", "analyse", log, "--arm", "variant", "--start", "2025-02-01", "--json")

    [gap] = ended.json["gaps"]
    # a: 5 of 20 users click once in 4: 5 / 80; b: 20 / 80
    assert (gap["control_value"], gap["value"]) == (pytest.approx(5 / 80), pytest.approx(20 / 80))
    assert ended.json["trusted"] is True
    assert "clicks per impression" in ended.out


def test_a_shop_folder_is_read_as_prepare_reads_it(sample_shop: Path) -> None:
    ended = done("ab", "analyse", sample_shop, "--arm", "device", "--control", "mobile", "--json")

    assert {gap["arm"] for gap in ended.json["gaps"]} == {"desktop", "tablet"}
    assert {gap["metric"] for gap in ended.json["gaps"]} >= {"ctr", "revenue_per_session"}


def test_a_column_that_is_not_there_is_named(log: Path) -> None:
    ended = shelfwise("ab", "analyse", log, "--arm", "group")

    assert ended.code == 1
    assert "group" in ended.err
    assert "Traceback" not in ended.err


def test_a_plan_and_its_reverse() -> None:
    plan = done("ab", "plan", "--base", "0.1", "--lift", "0.1", "--per-day", "1000", "--json").json
    assert plan["days"] == 30

    found = done("ab", "plan", "--base", "0.1", "--units", str(plan["units"]), "--json").json
    assert found["lift"] == pytest.approx(0.1, rel=0.01)
    assert found["days"] is None

    assert shelfwise("ab", "plan", "--base", "0.1").code == 1
