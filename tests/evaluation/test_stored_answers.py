from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import match_targets
from shelfwise.evaluation.stored_answers import FOLDER, ShopAnswers, answers_of
from shelfwise.schema.manifest import open_sealed
from shelfwise.schema.progress import Silent

MOST = 40


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_run, tmp_path / "run", ignore=shutil.ignore_patterns(".*"))


def answered(run: Path, prepared: PreparedShop, *, fresh: bool = False) -> ShopAnswers:
    found = answers_of(run, prepared, MOST, Silent(), fresh=fresh)
    assert isinstance(found, ShopAnswers)
    return found


def test_what_is_kept_is_what_was_answered(run: Path, prepared_sample: PreparedShop) -> None:
    first = answered(run, prepared_sample)
    [kept] = (run / FOLDER).iterdir()
    before = {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}

    second = answered(run, prepared_sample)

    assert {file.name: file.stat().st_mtime_ns for file in kept.iterdir()} == before
    assert before.keys() == {
        "answers.json",
        "targets.parquet",
        "ranks.parquet",
        "impressions.parquet",
    }
    assert (second.items, second.views) == (first.items, first.views)
    for name in ("targets", "ranks", "impressions"):
        assert_frame_equal(getattr(second, name), getattr(first, name))
    open_sealed(run, "run")  # a folder with a dot does not break the seal

    # The ranking is the one that was made: targets of the same owners at the same moments.
    targets = match_targets(prepared_sample, "test")
    assert len(first.targets) == min(MOST, len(targets))
    assert set(first.targets["at"]) <= set(targets.at_T.tolist())
    ranked = first.ranked("main")
    assert ranked.right_T.sum() == len(ranked.item_P)
    assert ((ranked.ranks.first_P >= 1) & (ranked.ranks.last_P <= first.items)).all()

    # And impressions carry what came of them.
    shown = first.impressions
    assert shown["p_click"].is_between(0, 1).all()
    assert len(shown.filter(pl.col("purchased") & ~pl.col("clicked"))) == 0


def test_an_altered_file_is_scored_again(run: Path, prepared_sample: PreparedShop) -> None:
    first = answered(run, prepared_sample)
    [kept] = (run / FOLDER).iterdir()
    (kept / "ranks.parquet").write_bytes(b"damaged")

    assert_frame_equal(answered(run, prepared_sample).ranks, first.ranks)
    assert (kept / "ranks.parquet").read_bytes() != b"damaged"

    # Whole, but of something else.
    about = (kept / "answers.json").read_text()
    (kept / "answers.json").write_text(about.replace('"part": "test"', '"part": "train"'))
    assert_frame_equal(answered(run, prepared_sample).ranks, first.ranks)
    assert (kept / "answers.json").read_text() == about


def test_another_sampling_is_kept_beside_it(run: Path, prepared_sample: PreparedShop) -> None:
    answered(run, prepared_sample)

    few = answers_of(run, prepared_sample, 5, Silent())

    assert isinstance(few, ShopAnswers)
    assert len(few.targets) == 5
    assert len(list((run / FOLDER).iterdir())) == 2
    assert np.bincount(few.ranked("main").target_P, minlength=5).min() >= 1


def test_a_run_that_cannot_be_written_to_is_scored_each_time(
    run: Path, prepared_sample: PreparedShop
) -> None:
    (run / FOLDER).write_text("in the way")

    found = answered(run, prepared_sample)

    assert len(found.targets)
    assert (run / FOLDER).read_text() == "in the way"
