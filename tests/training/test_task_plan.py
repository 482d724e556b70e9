from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from data.small_log import event, prepared_shop

from shelfwise.data.batches import examples_of
from shelfwise.data.part_rows import TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.event import EventKind
from shelfwise.training.config import TrainOptions
from shelfwise.training.item_classes import item_classes
from shelfwise.training.judged_draw import judged_of
from shelfwise.training.task_plan import AUXILIARY, MAIN, TaskPlan, plan_tasks
from shelfwise.training.tasks_config import TaskOptions, UncertaintyWeights


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    """Views of four items by three users and nothing else: nothing shown, searched or bought."""
    rows = [event("view", f"u{n % 3}", n, f"i{n % 4}") for n in range(100)]
    return prepared_shop(tmp_path_factory.mktemp("views"), rows)


def planned(
    shop: PreparedShop, tasks: TaskOptions | None = None, options: TrainOptions | None = None
) -> TaskPlan:
    examples = examples_of(shop, TRAINED)
    return plan_tasks(shop, examples, TRAINED, tasks or TaskOptions(), options or TrainOptions())


def test_a_log_of_views_teaches_matches_alone(views: PreparedShop) -> None:
    plan = planned(views)

    assert plan.learned == ("match",)
    assert set(plan.left_out) == {*MAIN[1:], *AUXILIARY}
    assert "log impressions" in plan.left_out["click"]
    assert plan.weights == {"match": 1.0}
    assert not any(plan.auxiliary.model_dump().values())


def test_what_is_demanded_and_cannot_be_taught_is_refused_at_once(views: PreparedShop) -> None:
    tasks = TaskOptions(click=True, relevance=True, match=True)

    with pytest.raises(ConfigError, match=r"tasks\.click: .*\n.*tasks\.relevance: .*judgements"):
        planned(views, tasks)


def test_something_must_be_left_to_learn(views: PreparedShop) -> None:
    with pytest.raises(ConfigError, match=r"nothing is left to learn:\n  tasks\.click: the log"):
        planned(views, TaskOptions(match=False))


def test_the_sample_shop_teaches_everything(prepared_sample: PreparedShop) -> None:
    plan = planned(prepared_sample)

    assert plan.learned == (*MAIN, *AUXILIARY)
    assert plan.left_out == {}
    assert plan.auxiliary.categories == plan.auxiliary.intents > 1
    assert plan.auxiliary.kinds == len(EventKind)
    assert list(plan.auxiliary.attributes) == ["brand", "department", "category", "price_band"]
    assert plan.auxiliary.weighed == ()


def test_a_task_is_switched_off(prepared_sample: PreparedShop) -> None:
    plan = planned(prepared_sample, TaskOptions(intent=False, click=False))

    # A purchase is told by the click before it.
    assert plan.left_out.keys() == {"intent", "click", "conversion"}
    assert plan.auxiliary.intents == 0
    assert not plan.weights.keys() & plan.left_out.keys()
    with pytest.raises(ConfigError, match=r"needs tasks\.click beside it"):
        planned(prepared_sample, TaskOptions(conversion=True, click=False))


def test_learned_weights_begin_at_the_given_ones(prepared_sample: PreparedShop) -> None:
    tasks = TaskOptions(weights=UncertaintyWeights())

    plan = planned(prepared_sample, tasks, TrainOptions(match_weight=0, purchase_weight=2))

    # What counts nothing can't be weighed: it has no logarithm.
    assert set(plan.auxiliary.weighed) == {"click", "conversion", *AUXILIARY}
    assert plan.weights["conversion"] == 2


def test_classes_of_items_by_hand(views: PreparedShop) -> None:
    met = ["a"] * 3 + ["b"] * 4 + ["c"] * 2
    items = pl.DataFrame(
        {
            "item_id": [f"i{n}" for n in range(10)],
            "brand": [*met, "b"],
            "category": ["x > y"] * 5 + ["x > z"] * 3 + [None, "w"],
            "price": [1.0, 1, 2, 2, 3, 3, 4, 4, 5, None],
        }
    )
    history = views.history._replace(
        offset_U1=np.append(0, np.full(len(views.owners), 9)),  # all of the first owner
        item_E=np.arange(9, dtype=np.int32),
        query_E=np.full(9, -1, np.int32),
        kind_E=np.zeros(9, np.uint8),
        at_E=np.full(9, views.moments.first),
    )
    shop = replace(
        views,
        items=items,
        history=history,
        impressions=views.impressions.clear(),
        positives=views.positives.clear(),
    )

    found = item_classes(shop, TRAINED)

    # Brand c is met twice, which is too few, as is every fifth of the prices; of departments there
    # is one alone.
    assert found.names == {"brand": ("b", "a"), "category": ("x > y", "x > z")}
    assert found.class_VA[:, 0].tolist() == [1, 1, 1, 0, 0, 0, 0, -1, -1, 0]
    assert found.class_VA[:, 1].tolist() == [0] * 5 + [1] * 3 + [-1, -1]
    assert found.facts()["brand"] == {"classes": 2, "items": 8, "left_out": 2}


def test_price_bands_by_hand(prepared_sample: PreparedShop) -> None:
    found = item_classes(prepared_sample, TRAINED)
    place = list(found.names).index("price_band")
    band_V = found.class_VA[:, place]
    price_V = prepared_sample.items["price"].to_numpy()

    # Bands are ranges: every item of one costs less than every item of the next.
    ranges = sorted(
        (price_V[band_V == band].min(), price_V[band_V == band].max()) for band in range(5)
    )
    assert all(low[1] < high[0] for low, high in pairwise(ranges))
    assert min(np.bincount(band_V)) > len(price_V) / 8


def test_judgements_by_hand(views: PreparedShop) -> None:
    rows = [(4, 1, 0.0, "train"), (2, 0, 3.0, "train"), (4, 3, 1.5, "train"), (9, 0, 9.0, "test")]
    table = pl.DataFrame(rows, schema=["query", "item", "grade", "part"], orient="row")

    judged = judged_of(replace(views, judgements=table), TRAINED)

    assert judged is not None
    assert judged.pairs.query_J.tolist() == [2, 4, 4]
    assert judged.pairs.item_J.tolist() == [0, 1, 3]
    # Shares of the way from 0 to 3; the 9 of the test is not looked at.
    assert judged.pairs.share_J.tolist() == [1, 0, 0.5]
    drawn = judged.draw(np.random.default_rng(0))
    assert sorted(zip(*map(np.ndarray.tolist, drawn), strict=True)) == [
        (2, 0, 1), (4, 1, 0), (4, 3, 0.5)
    ]  # fmt: skip
    alike = table.filter(pl.col("item") == 0).with_columns(grade=pl.lit(1.0))
    assert judged_of(replace(views, judgements=alike), TRAINED) is None


def test_what_is_done_next_as_if_looked_up_one_by_one(prepared_sample: PreparedShop) -> None:
    examples, history = examples_of(prepared_sample, TRAINED), prepared_sample.history
    end = prepared_sample.moments.validation

    expected = []
    for owner, at in zip(examples.owner_R, examples.at_R, strict=True):
        own = range(history.offset_U1[owner], history.offset_U1[owner + 1])
        later = [history.kind_E[e] for e in own if at <= history.at_E[e] < end]
        expected.append(int(later[0]) if later else -1)

    assert examples.next_kind_R.tolist() == expected
    assert len(set(expected)) > 2
    assert -1 in expected
