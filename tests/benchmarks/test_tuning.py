from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from benchmarks.search_contest import Problem, Trace, figures_of, told, traces
from benchmarks.search_functions import FUNCTIONS, branin, hartmann6, rosenbrock4
from benchmarks.search_grid import LEVELS, cells, grid_scores, grid_space, make_grid
from benchmarks.search_measured import looked_up

from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Silent
from shelfwise.schema.search import Span
from shelfwise.tuning.space import Axis, Params, Space


def test_functions_have_their_published_minima() -> None:
    assert branin({"x": math.pi, "y": 2.275}) == pytest.approx(0.397887, abs=1e-5)
    lowest = [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]
    found = hartmann6({f"x{at}": value for at, value in enumerate(lowest)})
    assert found == pytest.approx(-3.32237, abs=1e-4)
    assert rosenbrock4(dict.fromkeys("abcd", 1.0)) == 0.0
    # From (0, 0, 0, 0) three steps of 1 each are missing.
    assert rosenbrock4(dict.fromkeys("abcd", 0.0)) == 3.0
    for function in FUNCTIONS:
        middle = function.space.defaults()
        assert function.value(middle) > function.least


def test_traces_are_read_by_hand() -> None:
    best_SN = np.array([[1.0, 3.0, 5.0], [2.0, 2.0, 6.0], [4.0, 4.0, 4.0]])
    trace = Trace("gp", best_SN)
    assert [trace.median(n) for n in (1, 2, 3)] == [2.0, 3.0, 5.0]
    # 3 is reached after 2, 3 and 1 trials; 5 after 3, 3 and never.
    assert trace.trials_to(3.0) == 2.0
    assert trace.trials_to(5.0) == 3.0
    assert trace.trials_to(9.0) == math.inf


def test_regret_and_trials_against_chance_by_hand() -> None:
    problem = Problem("p", Space(()), lambda _: 0.0, 10.0)
    chance = Trace("random", np.array([[1.0, 6.0]]))
    better, worse = (np.array([[7.0, 9.0]]), np.array([[0.0, 5.0]]))
    figures = figures_of(problem, [Trace("gp", better), Trace("tpe", worse), chance], 2)
    assert figures == {
        "p, gp: trials_to_random_best": 1.0,  # 7 is above 6 at once
        "p, gp: regret_ratio": 0.25,  # 10 - 9 over 10 - 6
        "p, tpe: trials_to_random_best": None,
        "p, tpe: regret_ratio": 1.25,
    }


def test_searches_of_one_number_are_told_with_their_quartiles() -> None:
    def hill(params: Params) -> float:
        return -((float(params["x"]) - 0.3) ** 2)

    problem = Problem("hill", Space((Axis("x", "x", Span(0.0, 1.0), 0.9),)), hill, 0.0)
    found = traces(problem, 10, 2, Silent())
    assert [trace.sampler for trace in found] == ["gp", "tpe", "random", "grid"]
    assert [trace.best_SN.shape for trace in found] == [(2, 10), (2, 10), (2, 10), (1, 10)]
    assert all((np.diff(trace.best_SN) >= 0).all() for trace in found)
    # The grid's ten values are .05, .15, ...: the nearest to .3 are .05 away.
    assert found[3].best_SN[0, -1] == pytest.approx(-(0.05**2))
    rows = told(problem, found, 10)
    assert {(row["system"], row["metric"]) for row in rows} == {
        (name, "best of 10") for name in ("gp", "tpe", "random", "grid")
    }
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_the_grid_is_whole_or_refused(tmp_path: Path) -> None:
    assert len(cells()) == 320
    assert len(grid_space().grid(320)) == 320
    file = tmp_path / "grid.csv"
    with pytest.raises(DataError, match="not there; make it with"):
        grid_scores(file)
    lines = [",".join([*LEVELS, "score", "seconds"])]
    lines += [",".join(map(str, (*cell, at / 1000, 1.0))) for at, cell in enumerate(cells())]
    file.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(DataError, match="1 of 320 cells are missing"):
        grid_scores(file)
    file.write_text("\n".join(lines) + "\n")
    problem = looked_up(file)
    assert problem.best == 0.319
    first, last = cells()[0], cells()[-1]
    assert problem.value(dict(zip(LEVELS, first, strict=True))) == 0.0
    assert problem.value(dict(zip(LEVELS, last, strict=True))) == 0.319


@pytest.mark.long
def test_cells_are_trained_and_kept(sample_shop: Path, tiny_encoder: Path, tmp_path: Path) -> None:
    fast = [
        f"model.encoder.name={tiny_encoder}",
        "model.encoder.tuning.mode=frozen",
        "train.epochs=1",
        "train.threads=1",
        "train.device=cpu",
    ]
    out = tmp_path / "grid.csv"
    first, second, third = cells()[:3]
    make_grid(sample_shop, out, 2, Silent(), [first, second], fast)
    before = out.read_text()
    assert before.count("\n") == 3
    made = make_grid(sample_shop, out, 1, Silent(), [first, second, third], fast)
    assert out.read_text().startswith(before)
    assert made.figures["cells"] == 3
