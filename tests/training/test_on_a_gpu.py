"""Training on a GPU, which ``device = "auto"`` takes where there is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from shelfwise.data.prepared import PreparedShop
from shelfwise.models.weights import load_tensors
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.run_files import CURVE, MODEL
from shelfwise.training.adversaries.options import AdversaryOptions, Fgm, NoAdversary
from shelfwise.training.config import TrainOptions
from shelfwise.training.device import choose_device
from shelfwise.training.train import train

from .small_network import options_of

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")

SHORT = TrainOptions(epochs=2, batch_requests=64, refit=True, threads=1)


def test_auto_takes_the_gpu() -> None:
    assert choose_device("auto") == torch.device("cuda")


@pytest.mark.parametrize("adversary", [NoAdversary(), Fgm(places=("items", "words"))])
def test_a_run_is_one_of_any_machine(
    prepared_sample: PreparedShop, tiny_encoder: Path, tmp_path: Path, adversary: AdversaryOptions
) -> None:
    """Trained, refitted and sealed there, it is opened on a CPU."""
    options = SHORT.model_copy(update={"adversary": adversary})

    manifest = train(prepared_sample, tmp_path / "run", options_of(tiny_encoder), options)

    curve = json.loads((tmp_path / "run" / CURVE).read_text(), parse_constant=pytest.fail)
    assert len(curve["checks"]) == 2
    assert all(torch.isfinite(t).all() for t in load_tensors(tmp_path / "run" / MODEL).values())
    run = open_run(tmp_path / "run")
    assert run.known.item_VD.device.type == "cpu"
    assert manifest.facts["validation"]
