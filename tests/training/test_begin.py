from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.models.weights import load_tensors
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import MANIFEST, Manifest, open_sealed
from shelfwise.schema.run_files import CURVE, MODEL
from shelfwise.training.begin import begun_switches
from shelfwise.training.config import TrainOptions
from shelfwise.training.course import Course
from shelfwise.training.tasks_config import TaskOptions, UncertaintyWeights
from shelfwise.training.train import train

from .small_network import options_of

SHORT = TrainOptions(epochs=1, live_texts=8, threads=1, device="cpu")
SOME = TaskOptions(intent=False, relevance=False, weights=UncertaintyWeights())


@pytest.fixture(scope="module")
def some(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that has learned neither intents nor relevance."""
    out = tmp_path_factory.mktemp("begin") / "some"
    train(prepared_sample, out, options_of(tiny_encoder), SHORT, None, Course(tasks=SOME))
    return out


def from_run(
    run: Path, out: Path, prepared: PreparedShop, encoder: Path, tasks: TaskOptions
) -> Manifest:
    course = Course(tasks=tasks, begin=run)
    return train(prepared, out, options_of(encoder), SHORT, None, course)


def test_tasks_are_added_and_no_other_answer_changes(
    some: Path, prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    everything = TaskOptions(intent=True, relevance=True, weights=UncertaintyWeights())

    manifest = from_run(some, tmp_path / "more", prepared_sample, tiny_encoder, everything)

    before, after = open_sealed(some, "run"), manifest
    assert after.facts["tasks"] == [*before.facts["tasks"], "intent", "relevance"]
    assert after.facts["from"]["added"] == ["intent", "relevance"]
    assert after.facts["validation"] == before.facts["validation"]
    assert {"intent_log_loss", "relevance_rmse"} <= after.facts["auxiliary_figures"].keys()
    # Every file is the same to the byte but the network's, and the story of its losses.
    changed = {n for n, digest in after.sha256.items() if before.sha256[n] != digest}
    assert changed == {MODEL, CURVE}
    old, new = (load_tensors(folder / MODEL) for folder in (some, tmp_path / "more"))
    assert all(torch.equal(tensor, new[name]) for name, tensor in old.items())
    added = {name: tensor for name, tensor in new.items() if name not in old}
    assert {name.split(".")[1] for name in added} == {"intent", "relevance"}
    assert added["auxiliary.intent.category.weight"].any()
    # What it ranks and predicts is the same to the bit.
    targets = np.arange(len(prepared_sample.queries))[:8]
    one, other = (
        RunScorer(open_run(folder), prepared_sample).search(targets)
        for folder in (some, tmp_path / "more")
    )
    assert np.array_equal(one, other)


def test_where_no_task_is_new_all_of_a_run_learns_on(
    some: Path, prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    manifest = from_run(some, tmp_path / "on", prepared_sample, tiny_encoder, SOME)

    assert manifest.facts["from"] == {"folder": str(some.resolve()), "added": []}
    assert manifest.facts["tasks"] == open_sealed(some, "run").facts["tasks"]
    old, new = (load_tensors(folder / MODEL) for folder in (some, tmp_path / "on"))
    # One short pass from there: near to it, and moved.
    moved = {name for name, tensor in old.items() if not torch.equal(tensor, new[name])}
    assert {"text.weight", "heads.click.weight", "auxiliary.interest.kind.weight"} <= moved
    far = torch.dist(old["text.weight"], torch.zeros(())).item()
    assert torch.dist(old["text.weight"], new["text.weight"]).item() < far / 4


def test_a_run_of_another_network_or_of_other_data_is_refused(
    some: Path, prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path
) -> None:
    other = options_of(tiny_encoder).model_copy(update={"id_embedding": False})

    with pytest.raises(ConfigError, match=r"--from .*\n  its \[model\] is another"):
        train(prepared_sample, tmp_path / "x", other, SHORT, None, Course(begin=some))

    assert not (tmp_path / "x" / MANIFEST).exists()


def test_what_a_run_has_learned_is_switched_on(some: Path) -> None:
    switches = TaskOptions.model_validate(begun_switches(open_sealed(some, "run").facts))

    assert switches == SOME.model_copy(update={"weights": UncertaintyWeights()})
    # A run from before there were such tasks has no heads to begin from.
    assert begun_switches({"tasks": ["match (view)"]}) == {
        "match": "auto",
        **dict.fromkeys(
            ("click", "conversion", "interest", "intent", "attributes", "relevance"), False
        ),
    }
