from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Silent

if TYPE_CHECKING:
    from benchmarks.asking import Asking
    from benchmarks.result import Result

FAST = (
    "model.width=32",
    "train.threads=1",
    "train.epochs=1",
    "train.live_texts=8",
    "attack.most_targets=40",
    "attack.gradient_targets=20",
    "attack.gradient_steps=1",
    "attack.noise_shares=[0.5]",
    "attack.radii=[0.3]",
    "attack.stuffed_words=[3]",
    "attack.draws=50",
)


@pytest.fixture(scope="module")
def asking(sample_shop: Path, tiny_encoder: Path) -> Asking:
    from benchmarks.asking import Asking

    encoder = f"model.encoder.name={tiny_encoder}"
    settings = (*FAST, encoder, "model.encoder.tuning.mode=full")
    return Asking(sample_shop, 1, 1.0, ("shelfwise/fgm",), settings)


@pytest.fixture(scope="module")
def result(asking: Asking) -> Result:
    from benchmarks.robustness_contest import Manner, compare_hardened

    return compare_hardened("Under {attacks}.", asking, Manner((0.1,)), Silent(), drawn=False)


def test_several_at_a_time_give_what_one_after_the_other_does(
    asking: Asking, result: Result
) -> None:
    from benchmarks.robustness_contest import Manner, compare_hardened

    again = compare_hardened("Under {attacks}.", asking, Manner((0.1,), 2), Silent(), drawn=False)

    assert again.rows == result.rows
    assert again.systems == result.systems


def test_plain_and_hardened_stand_beside_each_other(result: Result) -> None:
    assert {row["system"] for row in result.rows} == {"shelfwise", "shelfwise/fgm"}
    views = {row["view"] for row in result.rows}
    assert {"main", "query noise", "title noise", "gradient on items"} <= views
    assert {gap["b"] for gap in result.differences} == {"shelfwise/fgm"}
    assert "query noise" in result.protocol
    assert "(synthetic)" in result.data["name"]


def test_what_is_lost_is_told_of_the_same_requests(result: Result) -> None:
    def value(system: str, view: str, task: str) -> float:
        (row,) = (
            row
            for row in result.rows
            if (row["system"], row["view"], row["task"], row["metric"])
            == (system, view, task, "ndcg@10")
        )
        return row["value"]

    def lost(system: str, view: str) -> float:
        return value(system, view, "clean") - value(system, view, "attacked")

    kept = [name for name in result.figures if name.startswith("fgm keeps of the loss by ")]
    told = [name for name in kept if not name.endswith((", low", ", high"))]
    assert told
    for name in told:
        view = name.removeprefix("fgm keeps of the loss by ")
        ratio = lost("shelfwise/fgm", view) / lost("shelfwise", view)
        assert result.figures[name] == pytest.approx(ratio, rel=1e-6)
        low, high = (result.figures[f"{name}, {end}"] for end in ("low", "high"))
        assert not low > ratio
        assert not high < ratio
    assert np.isfinite(result.figures["robustness, plain"])
    assert 0 < result.figures["coverage@10, fgm"] <= 1


def test_validation_chooses_how_far_rows_are_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import radius_choice as choice
    from benchmarks.hardened import Bench, Lesson
    from benchmarks.shops import Shop

    from shelfwise.evaluation.attacks.attack import AttackReport
    from shelfwise.evaluation.attacks.curve import Curve, Point

    asked: list[Lesson] = []

    def attacked(bench: Bench, lesson: Lesson, progress: object) -> AttackReport:
        del bench, progress
        asked.append(lesson)
        far = "train.adversary.radius=0.6" in lesson.settings
        clean, hurt = (0.3, 0.2) if far else (0.5, 0.1)
        curves = [
            Curve(
                name,
                "",
                "",
                metric,
                9,
                clean,
                0.0,
                1.0,
                [Point(1.0, value, 0.0, 1.0, 0.0, 0.0, 0.0)],
            )
            for name, metric, value in (
                ("a", "ndcg@10", hurt),
                ("a", "pairwise_accuracy", 1.0),  # told beside it, and not counted
                ("b", "ndcg@10", hurt if far else 0.0),
            )
        ]
        return AttackReport("", True, "", "", "", curves)

    monkeypatch.setattr("benchmarks.hardened.attacked", attacked)
    bench = Bench(Shop(Path(), (), published=False), Path(), Path(), 1.0)

    found = choice.radii_chosen(bench, {"fgm": ("x=1",)}, (0.3, 0.6), 1, Silent())

    # Moved far it loses a third, near more than half; yet near is the better figure under attack:
    # (.5 + .1) / 2 and (.5 + 0) / 2 against (.3 + .2) / 2 twice.
    assert found["fgm"].kept == {0.3: pytest.approx(0.275), 0.6: pytest.approx(0.25)}
    assert found["fgm"].radius == 0.3
    assert all(
        {"x=1", "train.refit=false", "attack.part=validation"} <= set(one.settings) for one in asked
    )
    assert choice.radii_chosen(bench, {"fgm": ()}, (0.2,), 1, Silent())["fgm"].radius == 0.2
    assert len(asked) == 2  # a single radius is not tried


def test_a_way_that_there_is_not_is_refused(sample_shop: Path) -> None:
    from benchmarks.asking import Asking
    from benchmarks.robustness_contest import Manner, compare_hardened

    with pytest.raises(ConfigError, match="no shelfwise/magic"):
        compare_hardened(
            "",
            Asking(sample_shop, systems=("shelfwise/magic",)),
            Manner((0.1,)),
            Silent(),
            drawn=False,
        )


def test_bots_of_a_drawn_shop_are_known_by_their_owners(tmp_path: Path) -> None:
    from benchmarks.robustness_contest import _bots
    from benchmarks.shops import drawn_shop, name_of, prepared_shop

    from shelfwise.data.sample_shop.config import SampleOptions

    options = SampleOptions(bot_share=0.2).with_events(4_000)
    shop = drawn_shop(tmp_path / "shop", options, (), Silent())
    prepared = prepared_shop(shop, tmp_path / "prepared", Silent())

    found = _bots(shop, prepared)

    drawn = pl.read_parquet(shop.folder / "truth" / "bots.parquet")
    assert len(drawn) == len(found) > 0
    assert set(found) <= set(prepared.owners["owner_id"])
    assert name_of(prepared) == "Sample shop (synthetic)"
