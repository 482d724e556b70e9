"""What other libraries' scripts share: the task's folder, NDCG, the search within its seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.peers_loading import ROOT, why_missing

sys.path.append(str(ROOT / "benchmarks/peers"))  # where a script finds them

from contest import (
    Asked,
    Clock,
    Fitted,
    OutOfTimeError,
    Peer,
    answer,
    candidates,
    hard_stop,
    search,
)
from exchange import Histories, Log, Task, ndcg, read_task

SCRIPTS = [
    script
    for script in sorted((ROOT / "benchmarks/peers").glob("rank_*.py"))
    if script.stem != "rank_fuxictr"  # which says why it does not rank
]


def write_task(
    folder: Path,
    *,
    histories: Sequence[Sequence[int]],
    answers: Sequence[tuple[int, int]],
    items: int = 4,
    view: str | None = None,
) -> Task:
    """A task whose validation and test ask for the same owners; owner ``100 + target``."""
    folder.mkdir(exist_ok=True)
    told: dict[str, Any] = {"name": "small", "items": items, "clock": "time", "k": 2}
    told |= {"targets": len(histories), "validation_targets": len(histories)}
    (folder / "task.json").write_text(json.dumps(told | ({"view": view} if view else {})))
    taken = [
        {"owner": 100 + target, "item": item, "at": place, "part": "train"}
        for target, history in enumerate(histories)
        for place, item in enumerate(history)
    ]
    later = [{"owner": 100 + t, "item": i, "at": 99, "part": "validation"} for t, i in answers]
    schema = {"owner": pl.Int64, "item": pl.Int64, "at": pl.Int64, "part": pl.String}
    pl.DataFrame(taken + later, schema=schema).sort("owner", "at").write_parquet(
        folder / "interactions.parquet"
    )
    asked = pl.DataFrame(
        {
            "target": range(len(histories)),
            "owner": [100 + target for target in range(len(histories))],
            "items": [list(history) for history in histories],
            "at": [99] * len(histories),
        },
        schema_overrides={"items": pl.List(pl.Int64)},
    )
    for name in ("histories", "validation_histories"):
        asked.reverse().write_parquet(folder / f"{name}.parquet")
    right = pl.DataFrame(answers, schema={"target": pl.Int64, "item": pl.Int64}, orient="row")
    right.write_parquet(folder / "validation_answers.parquet")
    titles = pl.DataFrame(
        {"item": range(items), "title": ["a", None, *"cdefghijklmnop"[: items - 2]]}
    )
    titles.reverse().write_parquet(folder / "items.parquet")
    return read_task(folder)


def test_a_task_is_read_in_the_order_of_its_targets_and_items(tmp_path: Path) -> None:
    task = write_task(tmp_path, histories=[[3, 1, 3], [], [2]], answers=[(0, 2), (2, 0)])

    histories = task.histories
    assert [taken.tolist() for taken in histories] == [[3, 1, 3], [], [2]]
    assert histories.owner_T.tolist() == [100, 101, 102]
    assert [part.tolist() for part in histories.pairs()] == [[0, 0, 0, 2], [3, 1, 3, 2]]
    later = histories.block(1, 3)
    assert [taken.tolist() for taken in later] == [[], [2]]
    assert [part.tolist() for part in later.pairs()] == [[1], [2]]
    assert task.titles() == ["a", "", "c", "d"]
    assert len(task.train) == 4  # without the two of validation
    assert len(task.whole) == 6


def test_ndcg_by_hand(tmp_path: Path) -> None:
    # k = 2. Target 0: item 2 right, ranked second: 1 / log2(3), over its best, 1.
    # Target 1: no answer, left out. Target 2: 0 and 1 right, only 0 within two, in the first
    # place: 1 over 1 + 1 / log2(3).
    task = write_task(tmp_path, histories=[[1]] * 3, answers=[(2, 0), (0, 2), (2, 1)])
    scores = np.array([[0.1, 0.9, 0.5, 0.2], [1, 2, 3, 4], [0.9, 0.1, 0.3, 0.2]], dtype=np.float32)

    second = 1 / log2(3)
    assert ndcg(task, scores) == pytest.approx([second, 1 / (1 + second)])
    assert ndcg(task, scores[1:], first=1) == pytest.approx([1 / (1 + second)])


def test_equal_scores_share_their_places_and_minus_infinity_has_none(tmp_path: Path) -> None:
    # All four equal, k = 2: the right one is in either of two places of four with chance 1/4
    # each. With one better and three equal, it has the second place with chance 1/3.
    task = write_task(tmp_path, histories=[[]] * 3, answers=[(0, 1), (1, 1), (2, 1)])
    scores = np.array([[5, 5, 5, 5], [7, 5, 5, 5], [1, -np.inf, -np.inf, -np.inf]], np.float32)

    second = 1 / log2(3)
    assert ndcg(task, scores) == pytest.approx([(1 + second) / 4, second / 3, 0.0])


def test_of_new_items_the_history_counts_on_neither_side(tmp_path: Path) -> None:
    # Target 0 had 0 and 1, so that of its answers 1 and 3 only 3 counts, ranked first of the rest.
    # Target 1's only answer is not new: left out.
    task = write_task(
        tmp_path, histories=[[0, 1], [2]], answers=[(0, 1), (0, 3), (1, 2)], view="new"
    )
    scores = np.array([[9, 8, 1, 2], [0, 0, 9, 0]], np.float32)

    assert ndcg(task, scores) == pytest.approx([1.0])
    assert scores[0, 0] == 9  # the caller's own are left as they were


def of_settings(task: Task, _: Log, settings: Mapping[str, Any], __: Clock) -> Fitted:
    """Scores one item, the setting's, first; owes its epochs to itself."""
    score_V = np.zeros(task.items, np.float32)
    score_V[settings["item"]] = 1
    return Fitted(
        lambda histories: np.tile(score_V, (len(histories), 1)), {"epochs": 10 + settings["item"]}
    )


def peer(fit: Any = of_settings, choices: Sequence[int] = (0, 1, 2, 3), **named: Any) -> Peer:
    """One of a library that is certainly installed."""
    defaults = {"item": 0, "epochs": 1}
    return Peer("numpy/first", "numpy", fit, defaults, {"item": choices}, **named)


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return write_task(tmp_path / "task", histories=[[0], [1]], answers=[(0, 2), (1, 2)])


def test_the_best_setting_on_validation_is_refitted_on_everything(
    task: Task, tmp_path: Path
) -> None:
    fitted_on = []

    def fit(task: Task, log: Log, settings: Mapping[str, Any], clock: Clock) -> Fitted:
        fitted_on.append((len(log), settings["item"], settings["epochs"]))
        return of_settings(task, log, settings, clock)

    answer(task, peer(fit), Asked(tmp_path / "out", 60.0, 7, tune=True))

    told = json.loads((tmp_path / "out/peer.json").read_text())
    scores = np.load(tmp_path / "out/scores.npy")
    # Two entries in training; two more in validation. What the trial learned is kept: 12 epochs.
    assert sorted(fitted_on[:4]) == [(2, 0, 1), (2, 1, 1), (2, 2, 1), (2, 3, 1)]
    assert fitted_on[0][1] == 0
    assert fitted_on[4:] == [(4, 2, 12)]
    assert told["settings"] == {"item": 2, "epochs": 12}
    # The default ranks item 0 first, the other three share the second place of two.
    default = pytest.approx(1 / log2(3) / 3)
    assert told["validation"] == {"ndcg@2": 1.0, "ndcg@2 of defaults": default}
    assert (told["system"], told["tuned"], told["trials"]) == ("numpy/first", True, 4)
    assert told["version"] == np.__version__
    assert scores.dtype == np.float32
    assert scores.tolist() == [[0, 0, 1, 0], [0, 0, 1, 0]]


def test_without_a_search_the_defaults_learn_from_everything(task: Task, tmp_path: Path) -> None:
    answer(task, peer(), Asked(tmp_path / "out", 60.0, 7, tune=False))

    told = json.loads((tmp_path / "out/peer.json").read_text())
    assert told["settings"]["item"] == 0
    assert (told["tuned"], told["trials"], told["validation"]) == (False, 0, {})


def test_a_search_ends_while_the_best_can_still_be_refitted(task: Task, tmp_path: Path) -> None:
    def slow(task: Task, log: Log, settings: Mapping[str, Any], clock: Clock) -> Fitted:
        time.sleep(0.25)
        return of_settings(task, log, {"item": settings["item"] % 4}, clock)

    asked = Asked(tmp_path, 5.0, 0, tune=True)
    trials = search(task, peer(slow, range(4, 10_000)), asked, time.monotonic() + 4.5)

    # Of 4.5 seconds, each takes 0.25 at least, and a refit at least 1.3 times that: (4.5 - 0.325)
    # / 0.25 = 16.7, so that the 17th may just begin.
    assert 1 <= len(trials) <= 17


def test_a_trial_that_does_not_end_is_stopped_and_the_best_so_far_answers(
    task: Task, tmp_path: Path
) -> None:
    def stuck(task: Task, log: Log, settings: Mapping[str, Any], clock: Clock) -> Fitted:
        if settings["item"]:
            time.sleep(3_600)
        return of_settings(task, log, settings, clock)

    answer(task, peer(stuck), Asked(tmp_path / "out", 1.0, 0, tune=True))

    told = json.loads((tmp_path / "out/peer.json").read_text())
    assert (told["trials"], told["settings"]["item"]) == (1, 0)


def test_a_refit_that_does_not_end_leaves_the_trial_to_answer(task: Task, tmp_path: Path) -> None:
    def stuck(task: Task, log: Log, settings: Mapping[str, Any], clock: Clock) -> Fitted:
        if len(log) == 4:
            time.sleep(3_600)
        return of_settings(task, log, settings, clock)

    answer(task, peer(stuck, (0,)), Asked(tmp_path / "out", 0.5, 0, tune=True))

    told = json.loads((tmp_path / "out/peer.json").read_text())
    assert told["note"] == "no time was left to refit the best"
    with pytest.raises(SystemExit, match="numpy/first: not fitted within the seconds"):
        answer(task, peer(stuck), Asked(tmp_path / "other", 0.2, 0, tune=False))


def test_a_stop_that_a_library_tells_as_its_own_error_is_still_a_stop() -> None:
    def optimiser() -> None:
        try:
            time.sleep(3_600)
        except Exception:
            raise NotImplementedError("optimizer=Adam is not supported") from None

    with pytest.raises(OutOfTimeError), hard_stop(0.05):
        optimiser()
    with pytest.raises(ValueError, match="in time"), hard_stop(60.0):
        raise ValueError("in time")


def test_who_can_rank_for_none_says_so_and_for_some_how_many(task: Task, tmp_path: Path) -> None:
    def knows(owners: list[int]) -> Any:
        def fit(task: Task, *_: object) -> Fitted:
            def score(histories: Histories) -> Any:
                known = np.isin(histories.owner_T, owners)[:, None]
                return np.where(known, np.ones(task.items), -np.inf)

            return Fitted(score)

        return fit

    asked = Asked(tmp_path / "out", 60.0, 0, tune=False)
    answer(task, peer(knows([101]), note="owners of the log only"), asked)

    note = json.loads((tmp_path / "out/peer.json").read_text())["note"]
    assert note == "owners of the log only; nothing ranked for 1 of 2 targets"
    with pytest.raises(SystemExit, match="can rank for none of the targets"):
        answer(task, peer(knows([]), note="owners of the log only"), asked)


def test_scores_of_a_wrong_shape_or_without_a_number_stop_it(task: Task, tmp_path: Path) -> None:
    for wrong in (np.zeros((2, 3)), np.full((2, 4), np.nan)):
        fit = lambda *_, wrong=wrong: Fitted(lambda _: wrong)  # noqa: E731
        with pytest.raises(SystemExit, match=r"expected 2 rows of 4 numbers"):
            answer(task, peer(fit), Asked(tmp_path / "out", 60.0, 0, tune=False))


def test_candidates_begin_with_defaults_and_published_settings_and_come_once() -> None:
    asked = Peer(
        "numpy/first",
        "numpy",
        of_settings,
        {"a": 1, "b": 1},
        {"a": (1, 2), "b": (1, 2, 3)},
        published=({"b": 2}, {"a": 1}),
    )

    drawn = [tuple(settings.values()) for settings in candidates(asked, 5)]

    assert drawn[:2] == [(1, 1), (1, 2)]  # {"a": 1} are the defaults once more
    assert sorted(drawn) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert drawn == [tuple(settings.values()) for settings in candidates(asked, 5)]


def library_of(script: Path) -> str:
    return script.stem.removeprefix("rank_")


def scripts_that_run() -> list[Any]:
    """All of them; only the quickest to start outside `make test-long`."""
    found = []
    for script in SCRIPTS:
        missing = why_missing(library_of(script), ROOT / ".venv-peers")
        marks = [pytest.mark.skipif(missing is not None, reason=f"{script.stem}: {missing}")]
        marks += [] if script.stem == "rank_implicit" else [pytest.mark.long]
        found.append(pytest.param(script, marks=marks, id=script.stem))
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("script", scripts_that_run())
def test_an_installed_library_ranks_what_goes_together(script: Path, tmp_path: Path) -> None:
    # Owners take items of their own half of the catalogue only, each of them often.
    draw = np.random.default_rng(0)
    halves = [6 * (owner % 2) for owner in range(60)]
    histories = [(half + draw.integers(0, 6, 12)).tolist() for half in halves]
    answers = [(target, half + int(draw.integers(0, 6))) for target, half in enumerate(halves)]
    write_task(tmp_path / "task", histories=histories, answers=answers, items=12)
    python = ROOT / ".venv-peers" / library_of(script) / "bin/python"
    command = [python, script, "--task", tmp_path / "task", "--out", tmp_path / "out"]

    subprocess.run(
        [*map(str, command), "--seconds", "60", "--seed", "1"],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )

    told = json.loads((tmp_path / "out/peer.json").read_text())
    scores = np.load(tmp_path / "out/scores.npy")
    assert told["system"].partition("/")[0] == library_of(script).replace("_", "-")
    assert scores.shape == (60, 12)
    assert not np.isnan(scores).any()
    ranked = np.where(np.isfinite(scores), scores, scores[np.isfinite(scores)].min())
    own = np.stack([row[half : half + 6] for row, half in zip(ranked, halves, strict=True)])
    # Titles of one letter and training of seconds teach little; no one may rank against the data.
    if told["system"].startswith(("implicit", "cornac", "rectools", "recbole", "lightgbm")):
        assert own.mean() > ranked.mean()
