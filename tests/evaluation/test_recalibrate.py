"""Calibrators fitted anew: everything else of a run stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.recalibrate import recalibrate
from shelfwise.models.calibration import CalibrationOptions
from shelfwise.ranking.loaded_run import open_run
from shelfwise.ranking.ranker import Ranker
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.manifest import MANIFEST, open_sealed, seal
from shelfwise.schema.run_files import CALIBRATION

OPTIONS = CalibrationOptions()


def test_on_its_own_validation_a_run_calibrates_much_as_training_did(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    before = open_sealed(tiny_run, "run")

    after = recalibrate(tiny_run, prepared_sample, tmp_path / "out", OPTIONS)

    assert {n for n in after.sha256 if after.sha256[n] != before.sha256.get(n)} <= {CALIBRATION}
    assert after.data_fingerprint == before.data_fingerprint
    assert after.facts["trained_until"] == before.facts["trained_until"]
    found, learned = after.facts["calibration"], before.facts["calibration"]
    for task in ("click", "conversion"):
        assert found[task]["rows"] == learned[task]["rows"]
        assert found[task]["positives"] == learned[task]["positives"]
        # The run knows how items did on the morning of its test, training each day's own morning.
        mine, theirs = (one[task]["log_loss_on_other_owners"] for one in (found, learned))
        assert mine == pytest.approx(theirs, rel=0.1)
    assert found["impressions_of_unknown_items"] == 0
    versions = {Ranker.load(run).version for run in (tiny_run, tmp_path / "out")}
    assert len(versions) == 2  # whoever reads a log knows which of them answered


def test_a_kind_can_be_asked_for(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    options = CalibrationOptions(kind="isotonic", least_positives=1_000_000)

    recalibrate(tiny_run, prepared_sample, tmp_path / "out", options)

    calibration = open_run(tmp_path / "out").calibration
    assert calibration.click.pooled.kind == "isotonic"
    assert calibration.click.surfaces == {}


def test_items_that_came_since_are_left_out_and_counted(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    # The newer catalogue lists the items the other way round, and one of them is another.
    items = len(prepared_sample.items)
    number = pl.Series(np.arange(items)[::-1].copy())
    turned = prepared_sample.items.reverse()
    shown = prepared_sample.impressions
    history = prepared_sample.history
    item_E = np.where(history.item_E >= 0, items - 1 - history.item_E, history.item_E)
    newer = replace(
        prepared_sample,
        items=turned,
        impressions=shown.with_columns(
            number.gather(shown["item"]).cast(shown["item"].dtype).alias("item")
        ),
        history=history._replace(item_E=item_E.astype(history.item_E.dtype)),
    )
    same = recalibrate(tiny_run, newer, tmp_path / "same", OPTIONS)
    plain = recalibrate(tiny_run, prepared_sample, tmp_path / "plain", OPTIONS)
    assert same.facts["calibration"]["click"] == plain.facts["calibration"]["click"]

    validation = prepared_sample.requests["part"].gather(shown["request"]) == "validation"
    most = shown.filter(validation)["item"].mode()[0]
    renamed = pl.when(pl.int_range(pl.len()) == most).then(pl.lit("new")).otherwise("item_id")
    strange = replace(
        prepared_sample, items=prepared_sample.items.with_columns(renamed.alias("item_id"))
    )
    found = recalibrate(tiny_run, strange, tmp_path / "new", OPTIONS).facts["calibration"]
    lost = found["impressions_of_unknown_items"]
    assert lost == (shown.filter(validation)["item"] == most).sum() > 0
    assert found["click"]["rows"] == plain.facts["calibration"]["click"]["rows"] - lost


def test_what_a_run_has_learned_from_cannot_calibrate_it(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    refitted = tmp_path / "refitted"
    manifest = open_sealed(tiny_run, "run")
    for name in manifest.sha256:
        (refitted / name).parent.mkdir(parents=True, exist_ok=True)
        (refitted / name).write_bytes((tiny_run / name).read_bytes())
    facts = json.loads((tiny_run / MANIFEST).read_text())["facts"]
    facts["trained_until"] = prepared_sample.moments.test
    seal(refitted, "run", seed=0, data_fingerprint=manifest.data_fingerprint, facts=facts)

    with pytest.raises(ConfigError, match="are fitted on a later slice: prepare newer data"):
        recalibrate(refitted, prepared_sample, tmp_path / "out", OPTIONS)


def test_refused_before_anything_is_done(
    tiny_run: Path, prepared_sample: PreparedShop, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="is the run itself"):
        recalibrate(tiny_run, prepared_sample, tiny_run, OPTIONS)
    silent = replace(prepared_sample, impressions=prepared_sample.impressions.clear())
    with pytest.raises(DataError, match="no impressions to calibrate"):
        recalibrate(tiny_run, silent, tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out").exists()
