from __future__ import annotations

import math
import threading
from collections import Counter
from pathlib import Path

import pytest

from shelfwise.schema.errors import ConfigError, ShelfwiseError
from shelfwise.schema.search import Pick, Span
from shelfwise.tuning.config import TuneOptions
from shelfwise.tuning.importance import importance_of
from shelfwise.tuning.plan import Budget, HopelessError, Outcome, Plan, Report, Worker
from shelfwise.tuning.space import Axis, Params, Space
from shelfwise.tuning.storage import open_storage, without_password
from shelfwise.tuning.study import Study

LINE = Space((Axis("x", "x", Span(0.0, 1.0), 0.9),))


def hill(params: Params, _: Report) -> Outcome:
    """Highest, 1, at .3."""
    x = params["x"]
    assert isinstance(x, float)
    return Outcome((1 - (x - 0.3) ** 2,))


def study_of(
    folder: Path,
    options: TuneOptions | None = None,
    space: Space = LINE,
    rising: tuple[bool, ...] = (True,),
    worker: int = 0,
) -> Study:
    options = options or TuneOptions(sampler="random", pruner="none")
    plan = Plan(space, rising, options, steps=9)
    return Study(plan, open_storage(folder, None), folder, Worker(worker))


@pytest.mark.parametrize("sampler", ["gp", "tpe", "cost"])
def test_samplers_come_near_the_top(sampler: str, tmp_path: Path) -> None:
    options = (
        TuneOptions(by_cost=True, first_trials=5)
        if sampler == "cost"
        else TuneOptions(sampler=sampler, first_trials=5, pruner="none")  # type: ignore[arg-type]  # a name
    )
    study = study_of(tmp_path, options)
    study.begin_with([LINE.defaults(), *study.spread(20)])
    study.run(hill, Budget(20))
    trials = study.trials()
    assert trials[0].params == {"x": 0.9}  # the setting that is searched from
    assert sum(trial.counts for trial in trials) == 20
    assert study.best()[0].values[0] > 0.99


def test_a_grid_is_tried_once_and_then_it_ends(tmp_path: Path) -> None:
    study = study_of(tmp_path, TuneOptions(sampler="grid", pruner="none"))
    study.begin_with([LINE.defaults(), *study.spread(4)])
    study.run(hill, Budget(9))
    assert [trial.params["x"] for trial in study.trials()] == [0.9, 0.125, 0.375, 0.625, 0.875]


def test_a_small_space_is_tried_whole_and_nothing_twice(tmp_path: Path) -> None:
    space = Space((Axis("a", "a", Pick((1, 2, 3)), 1), Axis("b", "b", Pick(("u", "v")), "u")))
    study = study_of(tmp_path, space=space)
    study.run(lambda params, _: Outcome((float(params["a"]),)), Budget(40))
    counted = [trial for trial in study.trials() if trial.counts]
    seen = Counter((trial.params["a"], trial.params["b"]) for trial in counted)
    assert len(seen) == 6
    assert set(seen.values()) == {1}


def test_trials_of_earlier_calls_count(tmp_path: Path) -> None:
    study_of(tmp_path).run(hill, Budget(3))
    again = study_of(tmp_path)
    again.run(hill, Budget(5))
    assert len(again.trials()) == 5
    again.run(hill, Budget(5))
    assert len(again.trials()) == 5
    again.run(hill, Budget(None, seconds=0.0))
    assert len(again.trials()) == 5


def test_another_plan_is_another_study(tmp_path: Path) -> None:
    study_of(tmp_path).run(hill, Budget(2))
    other = study_of(tmp_path, TuneOptions(sampler="random", pruner="none", seed=1))
    assert other.trials() == []
    assert len(study_of(tmp_path).trials()) == 2


def test_once_the_test_is_open_no_worker_tries_more(tmp_path: Path) -> None:
    study, other = study_of(tmp_path), study_of(tmp_path, worker=1)
    study.run(hill, Budget(2))
    assert other.opened is None
    study.open({"trial": 1})
    other.run(hill, Budget(9))
    assert len(study.trials()) == 2
    assert other.opened == {"trial": 1}


def test_a_failed_trial_says_why_and_the_search_goes_on(tmp_path: Path) -> None:
    def sometimes(params: Params, _: Report) -> Outcome:
        x = params["x"]
        assert isinstance(x, float)
        if x > 0.8:
            raise FloatingPointError("loss is nan in batch 7")
        return Outcome((math.nan if x < 0.1 else x,))

    study = study_of(tmp_path)
    study.begin_with([{"x": 0.5}, {"x": 0.05}, {"x": 0.9}])
    study.run(sometimes, Budget(4))
    first, second, third, fourth = study.trials()
    assert (first.state, second.state, third.state) == ("done", "failed", "failed")
    assert "its figure is nan" in second.why
    assert third.why == "FloatingPointError: loss is nan in batch 7"
    assert "in sometimes" in (tmp_path / "failures" / "trial-2.txt").read_text()
    assert fourth.counts


def test_where_every_first_trial_fails_it_is_no_settings_fault(tmp_path: Path) -> None:
    def never(_: Params, __: Report) -> Outcome:
        raise OSError("disk full")

    with pytest.raises(ShelfwiseError, match=r"first 3 trials all failed.*disk full"):
        study_of(tmp_path).run(never, Budget(10))


def test_an_interrupted_trial_is_tried_again(tmp_path: Path) -> None:
    asked = []

    def interrupted(params: Params, report: Report) -> Outcome:
        asked.append(params)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return hill(params, report)

    study = study_of(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        study.run(interrupted, Budget(4))
    assert [trial.state for trial in study.trials()] == ["done", "lost"]
    again = study_of(tmp_path)
    again.run(interrupted, Budget(4))
    counted = [trial for trial in again.trials() if trial.counts]
    assert len(counted) == 4
    assert asked[1] == asked[2]
    assert sum(trial.params == asked[1] for trial in counted) == 1


def test_bad_trials_are_stopped_on_their_way(tmp_path: Path) -> None:
    steps = Counter[float]()

    def slow(params: Params, report: Report) -> Outcome:
        x = params["x"]
        assert isinstance(x, float)
        for step in range(1, 10):
            steps[x] += 1
            report(step, x * step)
        return Outcome((9 * x,))

    options = TuneOptions(sampler="random", pruner="median", first_trials=2)
    study = study_of(tmp_path, options)
    study.begin_with([{"x": 0.5}, {"x": 0.9}, {"x": 0.1}, {"x": 0.8}])
    study.run(slow, Budget(4))
    states = {trial.params["x"]: trial.state for trial in study.trials()}
    # The median of .5 and .9 is .7: .1 lies below it at its first step, .8 never.
    assert states == {0.5: "done", 0.9: "done", 0.1: "pruned", 0.8: "done"}
    assert steps[0.1] == 1
    assert study.trials()[2].steps == {1: 0.1}


def test_limits_keep_a_setting_from_being_chosen(tmp_path: Path) -> None:
    def heavy(params: Params, _: Report) -> Outcome:
        x = params["x"]
        assert isinstance(x, float)
        return Outcome((x,), limits={"memory_mib": 100 * x - 50}, notes={"costs": {"m": x}})

    study = study_of(tmp_path)
    study.begin_with([{"x": 0.2}, {"x": 0.7}, {"x": 0.5}])
    study.run(heavy, Budget(3))
    assert [trial.kept for trial in study.trials()] == [True, False, True]
    assert study.best()[0].params == {"x": 0.5}
    assert study.trials()[1].costs == {"m": 0.7}


def test_several_objectives_make_a_front(tmp_path: Path) -> None:
    def both(params: Params, _: Report) -> Outcome:
        x = params["x"]
        assert isinstance(x, float)
        return Outcome((x, max(0.4, x)))

    options = TuneOptions(sampler="random", objectives=("score", "latency_ms"))
    study = study_of(tmp_path, options, rising=(True, False))
    study.begin_with([{"x": 0.1}, {"x": 0.3}, {"x": 0.8}])
    study.run(both, Budget(3))
    # .1 and .3 cost the same, and .3 is better.
    assert [trial.params["x"] for trial in study.best()] == [0.3, 0.8]


@pytest.mark.parametrize("sampler", ["gp", "tpe"])
def test_what_was_stopped_or_failed_is_not_tried_again(sampler: str, tmp_path: Path) -> None:
    # Found by a review: a Gaussian process that is not told of it suggests it again and again.
    def mostly_bad(params: Params, report: Report) -> Outcome:
        width, depth = params["width"], params["depth"]
        assert isinstance(width, int)
        assert isinstance(depth, int)
        if width == 4:
            raise MemoryError
        for step in range(1, 10):
            report(step, -width * depth * step / 9, last=step == 9)
        return Outcome((-float(width * depth),))

    axes = [Axis(name, name, Pick((1, 2, 3, 4)), 2) for name in ("width", "depth")]
    options = TuneOptions(sampler=sampler, first_trials=4)  # type: ignore[arg-type]  # a name
    study = study_of(tmp_path, options, Space(tuple(axes)))
    study.begin_with([{"width": 2, "depth": 2}, *study.spread(16)])
    study.run(mostly_bad, Budget(16))
    counted = [trial for trial in study.trials() if trial.counts]
    assert len(counted) == 16  # all there are, each once
    assert len({(trial.params["width"], trial.params["depth"]) for trial in counted}) == 16
    states = Counter(trial.state for trial in counted)
    assert states["failed"] == 4
    assert states["pruned"] >= 1
    assert study.best()[0].params == {"width": 1, "depth": 1}


def test_a_setting_that_is_asked_again_keeps_its_limits(tmp_path: Path) -> None:
    # Found by a review: without them the next suggestion of a Gaussian process broke down.
    space = Space((Axis("x", "x", Pick((1, 2, 3)), 1), Axis("y", "y", Pick((1, 2, 3)), 1)))
    options = TuneOptions(first_trials=2, pruner="none", at_most={"memory_mib": 2.0})
    study = study_of(tmp_path, options, space)

    def heavy(params: Params, _: Report) -> Outcome:
        x, y = params["x"], params["y"]
        assert isinstance(x, int)
        assert isinstance(y, int)
        return Outcome((float(x + y),), limits={"memory_mib": x - 2.0})

    study.run(heavy, Budget(9))
    trials = study.trials()
    assert any(trial.state == "same" for trial in trials)
    assert sum(trial.counts for trial in trials) == 9
    assert study.best()[0].params == {"x": 2, "y": 3}


def test_the_last_step_is_never_stopped(tmp_path: Path) -> None:
    def folds(params: Params, report: Report) -> Outcome:
        x = params["x"]
        assert isinstance(x, float)
        for step in range(5):
            report(step, x + step / 100, last=step == 4)
        return Outcome((x + 0.02,))

    options = TuneOptions(sampler="random", folds=5)
    study = study_of(tmp_path, options)
    study.begin_with([{"x": 0.9}, {"x": 0.1}, {"x": 0.95}])
    study.run(folds, Budget(3))
    # With four folds each lower than the best's the sign test says 1/16: stopped before the fifth.
    assert [trial.state for trial in study.trials()] == ["done", "pruned", "done"]
    assert len(study.trials()[1].steps) == 4


def test_what_no_setting_can_mend_stops_the_search(tmp_path: Path) -> None:
    def hopeless(_: Params, __: Report) -> Outcome:
        raise HopelessError("no such figure")

    with pytest.raises(HopelessError, match="no such figure"):
        study_of(tmp_path).run(hopeless, Budget(9))
    assert [trial.state for trial in study_of(tmp_path).trials()] == ["failed"]


def test_what_matters_is_told_from_what_does_not(tmp_path: Path) -> None:
    space = Space(tuple(Axis(name, name, Span(0.0, 1.0), 0.5) for name in ("much", "nothing")))
    study = study_of(tmp_path, space=space)
    study.run(lambda params, _: Outcome((float(params["much"]),)), Budget(40))
    found = importance_of(study.trials(), space, True)
    assert next(iter(found)) == "much"
    assert found["much"] > 0.7
    assert sum(found.values()) == pytest.approx(1.0)
    low = importance_of(study.trials(), space, False)
    assert next(iter(low)) == "much"
    assert importance_of(study.trials()[:9], space, True) == {}


def test_workers_share_a_study_and_none_is_lost_or_too_many(tmp_path: Path) -> None:
    def work(number: int) -> None:
        study_of(tmp_path, worker=number).run(hill, Budget(24))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    counted = [trial for trial in study_of(tmp_path).trials() if trial.counts]
    assert len(counted) == 24
    assert len({trial.params["x"] for trial in counted}) == 24  # each drew for itself
    assert not list((tmp_path / "workers").glob("*.lock"))


def test_a_wrong_storage_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected sqlite:///FILE or postgresql"):
        open_storage(tmp_path, "mysql://me:secret@host/name")
    with pytest.raises(ConfigError) as told:
        open_storage(tmp_path, "postgresql://me:secret@127.0.0.1:9/name")
    assert "secret" not in str(told.value)
    assert without_password("postgresql://me:se@cret@host/x") == "postgresql://me:...@host/x"
