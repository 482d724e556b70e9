from __future__ import annotations

from pathlib import Path

import pytest
from data.small_log import prepared_shop, random_events

from shelfwise.schema.errors import ConfigError
from shelfwise.training import tracking
from shelfwise.training.config import TrainOptions
from shelfwise.training.tracking import refuse_missing_library, tracker_of, tracking_folder
from shelfwise.training.train import train

from .small_network import options_of

BOARD = TrainOptions(track="tensorboard")


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        name: [(point.step, point.value) for point in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_figures_can_be_read_again(tmp_path: Path) -> None:
    with tracker_of(BOARD, tmp_path / "run", "fit") as tracker:
        tracker.log(3, {"loss": 0.5, "validation/ndcg@10": 0.25})
        tracker.log(6, {"loss": 0.125})

    found = curves(tracking_folder(tmp_path / "run") / "fit")
    assert found["loss"] == [(3, 0.5), (6, 0.125)]
    assert found["validation/ndcg@10"] == [(3, 0.25)]


def test_nobody_draws_by_default(tmp_path: Path) -> None:
    with tracker_of(TrainOptions(), tmp_path / "run", "fit") as tracker:
        tracker.log(1, {"loss": 1.0})

    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_missing_library(BOARD)
    monkeypatch.setattr(tracking, "find_spec", lambda _name: None)

    refuse_missing_library(TrainOptions())
    with pytest.raises(ConfigError, match=r'train\.track: .* pip install "shelfwise\[track\]"'):
        refuse_missing_library(BOARD)


def test_a_run_is_drawn_beside_its_sealed_folder(tiny_encoder: Path, tmp_path: Path) -> None:
    shop = prepared_shop(tmp_path, random_events(5, impressions=True))
    options = TrainOptions(
        epochs=2, batch_requests=2, refit=True, track="tensorboard", threads=1, device="cpu"
    )

    manifest = train(shop, tmp_path / "run", options_of(tiny_encoder), options)

    fit, refit = (curves(tracking_folder(tmp_path / "run") / name) for name in ("fit", "refit"))
    steps = manifest.facts["steps"]
    assert [step for step, _ in fit["loss/total"]] == [steps // 2, steps]
    assert [step for step, _ in fit["step/loss"]] == list(range(10, steps + 1, 10))
    assert {name for name in fit if name.startswith("validation")} == {
        "validation/ndcg@10",
        "validation/click_auc",
        "validation/convert_auc",
    }
    assert "loss/total" in refit
    assert not any(name.startswith("validation") for name in refit)
