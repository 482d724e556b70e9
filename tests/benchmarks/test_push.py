from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from shelfwise.schema.errors import ConfigError
from shelfwise.schema.progress import Silent

FAST = ("model.width=32", "train.threads=1", "train.epochs=1", "train.live_texts=8")


def _answers(
    owners: list[str], ndcg: list[float | None], top: list[list[str] | None], left: float
) -> Any:
    from benchmarks.push_contest import _Answers

    shown = pl.DataFrame({"owner": owners, "ndcg@10": ndcg, "top": top})
    return _Answers(shown, honest=left, fake=10 * left, fingerprint="")


def test_exposure_is_the_share_of_the_first_ten_places_of_shoppers_that_all_know() -> None:
    from benchmarks.board import Figure
    from benchmarks.push_contest import _values
    from benchmarks.push_scenes import Scene
    from benchmarks.shops import Shop

    shop = Shop(Path(), (), published=False)
    scene = Scene("random", shop, shop, ("x", "y"), (), 0.05)
    answers = {
        # Shopper a asks twice; c is asked for in one training alone.
        "without fakes": _answers(["a", "a", "b"], [1.0, 0.5, 0.25], [["p"], ["x"], ["q"]], 0.0),
        "undefended": _answers(["b", "a"], [0.0, 1.0], [["x", "y", "p"], ["p", "y"]], 0.0),
        # A list without an answer, an answer without a list, and one that cannot be judged.
        "defended": _answers(
            ["c", "b", "b", "a"], [1.0, None, 0.5, float("nan")], [["x"], ["p"], None, ["q"]], 0.0
        ),
    }

    found = _values(scene, answers)

    exposure, ndcg = (Figure("random", "match", one) for one in ("exposure@10", "ndcg@10"))
    assert found["without fakes"][exposure].tolist() == pytest.approx([0.05, 0.0])
    assert found["undefended"][exposure].tolist() == pytest.approx([0.1, 0.2])
    assert found["defended"][exposure].tolist() == pytest.approx([0.0, 0.0])
    assert found["without fakes"][ndcg].tolist() == pytest.approx([0.75, 0.25])
    assert found["defended"][ndcg].tolist() == pytest.approx([float("nan"), 0.5], nan_ok=True)


def test_the_rise_is_told_beside_what_is_left_of_it() -> None:
    import numpy as np
    from benchmarks.board import Board, Figure
    from benchmarks.push_contest import _rises, _told
    from benchmarks.push_scenes import Scene
    from benchmarks.shops import Shop

    figure = Figure("random", "match", "exposure@10")
    board = Board()
    for system, value in (("without fakes", 0.01), ("undefended", 0.21), ("defended", 0.02)):
        board.add(system, {figure: np.array([value, value])})

    found = _rises(board, {"random": None, "never run": None})

    assert found == {
        "random: rise of exposure, undefended": pytest.approx(0.2),
        "random: rise of exposure, defended": pytest.approx(0.01),
        "random: share of the rise that is left": pytest.approx(0.05),
    }
    shop = Shop(Path(), (), published=False)
    scene = Scene("random", shop, shop, ("x", "y"), (), 0.05)
    told = _told(scene, {one: _answers([], [], [], 0.02) for one in board.runs})
    assert (told["random: fakes for each real user"], told["random: items pushed"]) == (0.05, 2)
    assert told["random: requests of fakes discarded"] == pytest.approx(0.2)


def test_fakes_of_a_recorded_log_act_before_its_test_alone(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    import numpy as np
    import polars as pl
    from benchmarks.asking import Asking
    from benchmarks.push_scenes import scenes
    from benchmarks.shops import Shop

    start, test = datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 3, 1, tzinfo=UTC)
    rng = np.random.default_rng(0)
    rows = [
        ("purchase", f"u{user}", f"u{user}-{visit}", f"i{item}", start + timedelta(hours=20 * user))
        for user in range(90)  # three in four before the test
        for visit in range(2)
        for item in rng.choice(30, 3, replace=False)
    ]
    names = ["event", "user_id", "session_id", "item_id", "timestamp"]
    log = pl.DataFrame(rows, schema=names, orient="row")
    folder = tmp_path / "shop"
    folder.mkdir()
    log.write_parquet(folder / "events.parquet")
    (folder / "shop.toml").write_text(
        f"[split]\nvalidation_start = {datetime(2025, 2, 1, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}\n"
        f"test_start = {test:%Y-%m-%dT%H:%M:%SZ}\n"
    )
    shop = Shop(folder, (), published=True)

    (scene,) = scenes(
        shop, tmp_path, Asking(tmp_path, systems=("love and hate",)), (0.1, 0), Silent()
    )

    events = pl.read_parquet(scene.pushed.folder / "events.parquet")
    is_fake = pl.col("user_id").is_in(scene.fakes)
    assert events.filter(~is_fake).equals(log)
    assert pl.read_parquet(scene.clean.folder / "events.parquet").equals(log)
    real = log.filter(pl.col("timestamp") < test)
    assert len(scene.fakes) == round(0.1 * real["user_id"].n_unique())
    assert scene.share == len(scene.fakes) / real["user_id"].n_unique()
    fakes = events.filter(is_fake)
    assert real["timestamp"].max() - timedelta(days=30) <= fakes["timestamp"].min()
    assert fakes["timestamp"].max() < test  # two days before which some went back
    assert 0 < (fakes["event"] == "return").sum() < (fakes["event"] == "purchase").sum()
    for target in scene.targets:
        assert set(fakes.filter(pl.col("item_id") == target)["user_id"]) == set(scene.fakes)


def test_how_far_seeds_differ_by_hand() -> None:
    import numpy as np
    from benchmarks.board import Board, Figure
    from benchmarks.push_contest import _over_seeds

    figure = Figure("random", "match", "ndcg@10")
    board = Board()
    for clean, defended in ((0.2, 0.1), (0.3, 0.4), (0.2, 0.2)):
        board.add("without fakes", {figure: np.array([clean - 0.1, clean + 0.1])})
        board.add("defended", {figure: np.array([defended, np.nan])})

    found = _over_seeds(board, {"random": None, "love and hate": None})

    # Gaps -.1, .1 and 0: a deviation of .1, over the root of three.
    name = "random: ndcg@10 defended less without fakes, standard error over seeds"
    assert found == {name: pytest.approx(0.1 / 3**0.5)}


def test_a_kind_of_fakes_that_there_is_not_is_refused(tmp_path: Path) -> None:
    from benchmarks.asking import Asking
    from benchmarks.push_contest import compare_pushed

    with pytest.raises(ConfigError, match="no magic; known are easy, middle, hard"):
        compare_pushed("", Asking(tmp_path, systems=("magic",)), 0.05, Silent(), drawn=True)


@pytest.mark.long
def test_bots_of_a_small_shop(monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path) -> None:
    import benchmarks.push_scenes as scenes
    from benchmarks import push_contest as contest
    from benchmarks.asking import Asking

    monkeypatch.setattr(scenes, "_EVENTS", 30_000)
    settings = (f"model.encoder.name={tiny_encoder}", *FAST)
    asking = Asking(Path(), 1, 1.0, ("easy",), settings)

    found = contest.compare_pushed("{who}", asking, 0.02, Silent(), drawn=True)

    assert {row["system"] for row in found.rows} == {"without fakes", "undefended", "defended"}
    assert found.figures["easy: requests of fakes discarded"] > 0.9
    assert found.figures["easy: fakes for each real user"] == pytest.approx(0.02, abs=0.01)
    assert found.figures["easy: requests of real users discarded"] < 0.02
    assert {gap["b"] for gap in found.differences} == {"without fakes", "undefended"}


def test_shoppers_of_several_shops_stand_beside_each_other() -> None:
    import numpy as np
    from benchmarks.board import Board, Figure
    from benchmarks.push_contest import _side_by_side

    easy, hard = (Figure(name, "match", "exposure@10") for name in ("easy", "hard"))
    by_seed = Board()
    for system, shift in (("defended", 0.0), ("undefended", 0.5)):
        by_seed.add(system, {easy: np.array([0.1, 0.3]) + shift, hard: np.array([0.2]) + shift})
        by_seed.add(system, {easy: np.array([0.5]) + shift})  # a shop of one shopper, hard failed

    found = _side_by_side(by_seed)

    values = {(row["system"], row["view"]): (row["value"], row["support"]) for row in found.rows()}
    assert values["defended", "easy"] == (pytest.approx(0.3), 3)
    assert values["undefended", "hard"] == (pytest.approx(0.7), 1)
    (gap, _) = found.differences(("exposure@10",), "defended")
    assert gap["value"] == pytest.approx(-0.5)


@pytest.mark.long
def test_bots_that_are_found_leave_no_trace(
    monkeypatch: pytest.MonkeyPatch, tiny_encoder: Path, tmp_path: Path
) -> None:
    """A shop whose bots are all discarded learns what the same shop without them learns."""
    import json

    import benchmarks.push_scenes as scenes
    from benchmarks.asking import Asking
    from benchmarks.shops import learn, prepared_shop

    monkeypatch.setattr(scenes, "_EVENTS", 30_000)
    settings = (f"model.encoder.name={tiny_encoder}", *FAST, "train.minutes=30")
    asking = Asking(tmp_path, 1, 1.0, ("easy",), settings)
    (scene,) = scenes.scenes(None, tmp_path, asking, (0.05, 0), Silent())
    told = []
    for name, shop in (("clean", scene.clean), ("pushed", scene.pushed)):
        prepared = prepared_shop(shop, tmp_path / f"prepared {name}", Silent())
        learn(prepared, tmp_path / f"run {name}", shop.config(), Silent())
        curve = json.loads((tmp_path / f"run {name}" / "curve.json").read_text())
        told.append((prepared, curve))

    (without, clean), (with_bots, pushed) = told
    doubted = with_bots.requests["fraud"].is_not_null()
    assert (~doubted).sum() == len(without.requests)
    assert doubted.sum() > 0
    assert pushed["losses"] == [pytest.approx(one, rel=1e-3) for one in clean["losses"]]
    for one, other in zip(clean["checks"], pushed["checks"], strict=True):
        assert other["figures"] == pytest.approx(one["figures"], abs=0.01)
