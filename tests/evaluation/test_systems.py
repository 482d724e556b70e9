from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shelfwise.evaluation.systems import TrainedRun, different_options, systems_of
from shelfwise.schema.manifest import FORMAT_VERSION, Manifest


def trained(name: str, seed: int, **options: Any) -> TrainedRun:
    facts = {
        "model": {"width": 32, "encoder": {"name": "tiny"}},
        "train": {"epochs": 2, "seed": seed, "threads": seed + 1, "refit": False, **options},
        "data": {"shop": {"name": "Shop"}},
    }
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        kind="run",
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
        shelfwise_version="0.1.0",
        seed=seed,
        data_fingerprint="f" * 64,
        facts=facts,
        versions={},
        sha256={},
    )
    return TrainedRun(Path(name), manifest)


def names_and_seeds(runs: list[TrainedRun]) -> list[tuple[str, tuple[int, ...]]]:
    return [(system.name, system.seeds) for system in systems_of(runs)[0]]


def test_equal_options_and_other_seeds_are_one_system() -> None:
    runs = [
        trained("runs/large-seed0", 0, epochs=9),
        trained("runs/small-0", 0),
        trained("runs/large-seed1", 1, epochs=9),
        trained("runs/small-1", 1),
    ]

    assert names_and_seeds(runs) == [("large", (0, 1)), ("small", (0, 1))]
    assert systems_of(runs)[1].startswith("Runs of equal options are one system")
    assert different_options(systems_of(runs)[0]) == {"train.epochs": ["9", "2"]}


def test_other_options_are_other_systems_whatever_their_seeds() -> None:
    runs = [trained("a", 0, refit=True), trained("b", 1)]

    assert names_and_seeds(runs) == [("a", (0,)), ("b", (1,))]
    assert systems_of(runs)[1].startswith("Each run is a system of its own")
    assert different_options(systems_of(runs)[0]) == {"train.refit": ["true", "false"]}


def test_where_only_seeds_differ_each_stands_for_itself() -> None:
    runs = [trained("a", 0), trained("b", 1), trained("c", 2)]

    assert names_and_seeds(runs) == [("a", (0,)), ("b", (1,)), ("c", (2,))]
    assert "what differs is chance" in systems_of(runs)[1]


def test_equal_options_and_equal_seed_differ_by_something_untold() -> None:
    runs = [trained("before", 0), trained("after", 0), trained("large", 0, epochs=9)]

    assert [name for name, _ in names_and_seeds(runs)] == ["before", "after", "large"]
    assert "equal seed" in systems_of(runs)[1]


def test_names_are_told_apart_by_the_folders_above() -> None:
    runs = [trained("/x/monday/run", 0), trained("/x/sunday/run", 0, epochs=9)]

    assert [name for name, _ in names_and_seeds(runs)] == ["monday/run", "sunday/run"]
    # Seeds under one name that says nothing of them: the first one's folder.
    runs = [trained("/x/a", 0), trained("/x/b", 1), trained("/x/c", 0, epochs=9)]
    assert [name for name, _ in names_and_seeds(runs)] == ["a", "c"]
