from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.shops import Shop
from benchmarks.speed_examples import Size, SpeedExamples, speed_examples
from benchmarks.speed_learners import Learner, Ours, UsualScript

from shelfwise.models.config import Full, TopLayers, TuningOptions
from shelfwise.schema.progress import Silent

SIZE = Size(train=300, test=100, rounds=3, seed=0)


@pytest.fixture(scope="module")
def examples(sample_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> SpeedExamples:
    shop = Shop(sample_shop, (), published=False)
    return speed_examples(shop, tmp_path_factory.mktemp("speed") / "prepared", SIZE, Silent())


def test_rows_are_whole_queries_of_other_parts(examples: SpeedExamples) -> None:
    pairs = examples.pairs
    assert examples.label == "clicked"
    assert len(examples.rounds) == 3
    assert len(examples.train) >= SIZE.train
    assert (pairs.part_N[examples.train] == "train").all()
    assert (pairs.part_N[examples.test] == "test").all()
    assert set(np.unique(pairs.grade_N)) == {0.0, 1.0}
    # Every text that is kept is asked for, and no other.
    assert len(np.unique(pairs.item_N)) == len(examples.prepared.items)
    assert len(np.unique(pairs.query_N)) == len(examples.prepared.queries)
    # A query that is begun is not cut off: its rows stand together.
    changes = np.count_nonzero(np.diff(pairs.query_N[examples.train]))
    assert changes + 1 == len(np.unique(pairs.query_N[examples.train]))


def learner(examples: SpeedExamples, encoder: Path, tuning: TuningOptions | None) -> Learner:
    if tuning is None:
        return UsualScript(examples, str(encoder), seed=0)
    return Ours(examples, str(encoder), tuning, seed=0)


@pytest.mark.parametrize("tuning", [None, Full(), TopLayers(layers=1)])
def test_everybody_learns_from_every_row_once(
    examples: SpeedExamples, tiny_encoder: Path, tuning: TuningOptions | None
) -> None:
    found = learner(examples, tiny_encoder, tuning)
    rows = examples.rounds[0]
    before = found.scores(examples.test)

    learned = sum(found.learn(rows, lambda: 0.5))

    assert learned == len(rows)
    after = found.scores(examples.test)
    assert after.shape == (len(examples.test),)
    assert not np.allclose(before, after)
    assert np.array_equal(after, found.scores(examples.test))


def test_padding_tells_the_usual_script_nothing(
    examples: SpeedExamples, tiny_encoder: Path
) -> None:
    # Scores are computed with texts of like length together: alone, a row gets the same.
    found = UsualScript(examples, str(tiny_encoder), seed=0)
    some = examples.test[:20]

    together = found.scores(some)

    alone = np.concatenate([found.scores(some[at : at + 1]) for at in range(len(some))])
    np.testing.assert_allclose(together, alone, atol=1e-5)
