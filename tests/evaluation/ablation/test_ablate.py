from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from shelfwise.config import validated
from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.ablation.ablate import Asked, ablate
from shelfwise.evaluation.ablation.page import ablation_page
from shelfwise.evaluation.ablation.report import AblationReport
from shelfwise.evaluation.ablation.variants import FULL, Configured
from shelfwise.evaluation.pieces import Setting
from shelfwise.schema.errors import ArtifactError, ConfigError
from shelfwise.training.course import Course

ASKED = Asked(only=("ids", "weights"), seeds=1)


@pytest.fixture(scope="module")
def configured(tiny_encoder: Path) -> Configured:
    full = [
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "model.width=16",
        "train.epochs=1",
        "train.batch_requests=256",
        "train.device=cpu",
        "train.threads=1",
        "evaluate.draws=50",
    ]

    def setting(changes: Sequence[str]) -> Setting:
        config = validated({}, [*full, *changes], "here")
        course = Course(tasks=config.tasks, adaptation=config.adaptation)
        return Setting(config.model, config.train, config.evaluate, course)

    return setting


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ablated") / "ablation"


@pytest.fixture(scope="module")
def found(prepared_sample: PreparedShop, configured: Configured, folder: Path) -> AblationReport:
    return ablate(prepared_sample, folder, configured, ASKED)


def test_each_variant_stands_beside_the_full_model(found: AblationReport) -> None:
    assert [one.name for one in found.variants] == [
        FULL,
        "without ids",
        "without frequency weights",
    ]
    value = {(row.system, row.task, row.view, row.metric): row.value for row in found.rows}
    for one in found.comparisons:
        place = (one.task, one.view, one.metric)
        assert one.b == FULL
        assert one.value == pytest.approx(value[one.a, *place] - value[one.b, *place])
        assert one.p_holm >= one.p
    assert {"head items", "tail items"} <= {view for _, view, _ in found.places}
    assert found.tested == len(found.comparisons)
    assert len(found.verdicts) == 2


def test_finished_trainings_are_not_done_again(
    prepared_sample: PreparedShop, configured: Configured, folder: Path, found: AblationReport
) -> None:
    # One is missing, one was being written when the machine went down.
    kept = folder / "full-model-seed-0" / "result.json"
    before = kept.stat().st_mtime_ns
    shutil.rmtree(folder / "without-ids-seed-0")
    (folder / ".without-ids-seed-0.partial-0a0a0a0a").mkdir()

    again = ablate(prepared_sample, folder, configured, ASKED)

    assert kept.stat().st_mtime_ns == before
    assert sorted(one.name for one in folder.iterdir()) == [
        "full-model-seed-0",
        "plan.json",
        "without-frequency-weights-seed-0",
        "without-ids-seed-0",
    ]
    # The same seed gives the same network, whatever was trained before it.
    assert again.rows == found.rows
    assert again.comparisons == found.comparisons


def test_a_folder_of_another_full_model_is_refused(
    prepared_sample: PreparedShop, configured: Configured, folder: Path, found: AblationReport
) -> None:
    assert found.variants

    with pytest.raises(ConfigError, match=r"train\.epochs: 1 there, 2 asked for"):
        ablate(prepared_sample, folder, lambda more: configured(["train.epochs=2", *more]), ASKED)


def test_altered_answers_are_refused(
    prepared_sample: PreparedShop, configured: Configured, folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "full-model-seed-0" / "answers" / "ranks.parquet").write_bytes(b"")

    with pytest.raises(ArtifactError, match="its answers were altered"):
        ablate(prepared_sample, copy, configured, ASKED)


def test_the_page_says_everything_and_json_is_plain(found: AblationReport) -> None:
    page = ablation_page(found)

    assert "Synthetic data" in page
    assert "<script" not in page
    for words in (*found.verdicts, "tail items", "without frequency weights"):
        assert words.replace("&", "&amp;").replace(">", "&gt;") in page
    json.dumps(found.as_json(), allow_nan=False)
