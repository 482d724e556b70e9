"""Illnesses planted into a shop's files, its training or its run are the first thing named.

Each trains a network of its own on a shop of 400 shoppers, so all but the walk through the command
are long; `test_questions` asks the same questions of answers that were planted instead.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli.command import done

from shelfwise.evaluation.diagnosis.diagnose import Diagnosis, diagnose

from . import planted
from .planted import Size, blank_titles, keep_few_requests, prepared_of, run_of, written_shop


def illnesses(found: Diagnosis) -> list[str]:
    return [one.name for one in found.findings if one.severity == "illness"]


def examined(shop: Path, encoder: Path, **options: float) -> Diagnosis:
    return diagnose(run_of(prepared_of(shop), encoder, **options))


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_healthy_run_has_no_illness(seed: int, tiny_encoder: Path, tmp_path: Path) -> None:
    found = examined(written_shop(tmp_path / "shop", seed, Size()), tiny_encoder)

    assert illnesses(found) == []
    assert {one.name for one in found.findings if one.severity == "fine"} >= {
        "leaks",
        "signal",
        "titles",
    }


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_ten_times_too_long_on_a_twentieth_is_overfit(tiny_encoder: Path, tmp_path: Path) -> None:
    prepared = prepared_of(written_shop(tmp_path / "shop", 0, Size()))
    few = keep_few_requests(prepared, 0.05)

    found = diagnose(run_of(few, tiny_encoder, epochs=60, patience=1_000))

    assert found.findings[0].name == "overfit"


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("options", [{"minutes": 1e-4}, {"epochs": 1, "batch_requests": 100_000}])
def test_one_step_is_underfit(
    options: dict[str, float], tiny_encoder: Path, tmp_path: Path
) -> None:
    found = examined(written_shop(tmp_path / "shop", 0, Size()), tiny_encoder, **options)

    assert found.findings[0].name == "underfit"


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(
    ("plant", "name", "word"),
    [
        (planted.shuffle_labels, "labels carry no signal", "at chance"),
        (planted.leak_event_column, "leaked feature", "'events.dwell'"),
        (planted.leak_catalogue_column, "leaked feature", "'catalogue.sold_next'"),
    ],
)
def test_what_was_planted_in_the_files_is_named(
    plant: Callable[[Path], None], name: str, word: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    shop = written_shop(tmp_path / "shop", 0, Size())
    plant(shop)

    first = examined(shop, tiny_encoder).findings[0]

    assert first.name == name
    assert word in first.sentence


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_a_department_without_titles_is_named(tiny_encoder: Path, tmp_path: Path) -> None:
    shop = written_shop(tmp_path / "shop", 0, Size())
    department = blank_titles(shop)

    first = examined(shop, tiny_encoder).findings[0]

    assert first.name == "titles missing"
    assert repr(department) in first.sentence


@pytest.mark.long
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("break_it", [planted.sharpen_clicks, planted.double_calibration])
def test_a_broken_calibration_is_named(
    break_it: Callable[[Path], None], tiny_encoder: Path, tmp_path: Path
) -> None:
    run = run_of(prepared_of(written_shop(tmp_path / "shop", 0, Size())), tiny_encoder)
    break_it(run)

    assert diagnose(run).findings[0].name == "broken calibration"


def test_a_doubled_calibration_is_seen_through_the_command(tiny_run: Path, tmp_path: Path) -> None:
    copy = planted.copied(tiny_run, tmp_path / "run")
    planted.double_calibration(copy)
    page = tmp_path / "diagnosis.html"

    answer = done("diagnose", copy, "--html", page, "--json").json

    ill = [one["name"] for one in answer["findings"] if one["severity"] == "illness"]
    assert not answer["healthy"]
    assert "broken calibration" in ill
    assert answer["judged"] == "validation"
    written = page.read_text(encoding="utf-8")
    assert "Broken calibration" in written
    assert "<script" not in written
