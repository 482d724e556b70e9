"""A real row walks from a raw log to a served ranking, command by command."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import polars as pl
import pytest
from cli.command import done, shelfwise

from shelfwise.ranking.ranker import Ranker
from shelfwise.schema.event import Event, EventKind, Surface
from shelfwise.schema.ranking import Ranking, RankRequest

from .conftest import post, served

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SURFACES = {"search": "red lamp", "recommendation": "", "ads": "red lamp"}
PATHS = {"search": "search", "recommendation": "recommend", "ads": "ads"}


def test_the_sample_is_sound_and_says_that_it_is_synthetic(tmp_path: Path) -> None:
    made = done("sample", tmp_path / "shop", "--users", "60", "--items", "300", "--json")
    checked = done("check", tmp_path / "shop", "--json")

    assert made.json["synthetic"] is True
    assert "synthetic" in made.out
    assert checked.json["ok"] is True
    assert "no faults found" in checked.out
    catalogue, events, *_ = checked.json["files"]
    assert (catalogue["file"], catalogue["kept"]) == ("catalogue.csv", made.json["items"])
    assert (events["file"], events["kept"]) == ("events.parquet", made.json["events"])


def test_the_report_has_the_same_figures_on_paper_and_in_json(
    walked: Path, sample_shop: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    truth = sample_shop / "truth" / "impressions.parquet"

    ended = done(
        "evaluate", walked / "run", "--html", page, "--truth", truth,
        "--set", "evaluate.draws=50", "--json",
    )  # fmt: skip

    report = ended.json
    keys = ("view", "metric", "system")
    rows = {tuple(row[key] for key in keys): row for row in report["rows"]}
    tasks = {(*(row[key] for key in keys), row["task"]) for row in report["rows"]}
    assert len(tasks) == len(report["rows"])
    assert {metric for view, metric, _ in rows} >= {
        "ndcg@10", "recall@10", "mrr", "auc", "gauc", "log_loss", "ece", "cvr_auc",
    }  # fmt: skip
    ndcg, popular = (rows["main", "ndcg@10", name] for name in ("shelfwise", "popularity"))
    assert 0 <= ndcg["low"] <= ndcg["value"] <= ndcg["high"] <= 1
    assert ndcg["support"] == popular["support"] > 0
    # The truth knows best: the oracle's clicks are ranked no worse than chance.
    assert rows["main", "auc", "oracle"]["value"] > 0.5
    assert report["data"]["synthetic"] is True
    assert "Synthetic data" in ended.out
    text = page.read_text(encoding="utf-8")
    assert f"{ndcg['value']:.3f}".lstrip("0") in text
    assert "synthetic" in text
    for name in {system for _, _, system in rows}:
        assert name in ended.out  # whole, not cut to the width of a screen


@pytest.mark.parametrize("truth", ["nowhere.parquet", "events.parquet", "shop.toml"])
def test_what_is_no_truth_is_named(walked: Path, sample_shop: Path, truth: str) -> None:
    ended = shelfwise("evaluate", walked / "run", "--truth", sample_shop / truth)

    assert ended.code == 1
    assert f"error: {sample_shop / truth}: not a truth file" in ended.err


def test_a_report_without_a_place_is_told_before_the_work(walked: Path, tmp_path: Path) -> None:
    ended = shelfwise("evaluate", walked / "run", "--html", tmp_path / "no" / "report.html")

    assert ended == (1, "", f"error: {tmp_path}/no/report.html: the folder {tmp_path}/no does not "
                     "exist; make it first\n")  # fmt: skip


@pytest.mark.parametrize("surface", SURFACES)
def test_one_request_on_the_command_line(walked: Path, surface: str) -> None:
    ended = done(
        "rank", walked / "run", "--surface", surface, "--query", SURFACES[surface],
        "--history", "i00001,i00002", "--k", "3", "--json",
    )  # fmt: skip

    answer = ended.json
    assert answer["surface"] == surface
    assert 1 <= len(answer["items"]) <= 3
    for item in answer["items"]:
        assert item["item_id"] in ended.out
        assert item["title"] in ended.out
        assert 0 < item["p_click"] < 1
        assert 0 < item["p_convert"] < 1
        assert (item["campaign_id"] is not None) == (surface == "ads")


def test_a_known_shopper_is_asked_for_by_name(walked: Path) -> None:
    owners = pl.read_parquet(walked / "prepared" / "owners.parquet")
    busy = owners.sort("events", descending=True)["owner_id"][0]

    anonymous = done("rank", walked / "run", "--json").json
    known = done("rank", walked / "run", "--user", busy, "--json").json

    assert [item["match"] for item in known["items"]] != [i["match"] for i in anonymous["items"]]


@pytest.fixture(scope="module")
def ranker(walked: Path) -> Ranker:
    return Ranker.load(walked / "run")


def request_of(surface: str, item_ids: list[str]) -> RankRequest:
    times = (datetime(2025, 12, 31, 10, tzinfo=UTC), datetime(2026, 1, 1, 11, 59, tzinfo=UTC))
    history = tuple(
        Event(EventKind.CLICK, "visitor", item, at)
        for item, at in zip(item_ids, times, strict=True)
    )
    return RankRequest("r", Surface(surface), NOW, SURFACES[surface], history, 8)


def body_of(request: RankRequest) -> dict[str, object]:
    history = [
        {"event": event.kind, "item_id": event.item_id, "timestamp": event.at.isoformat()}
        for event in request.history
    ]
    body = {"at": request.at.isoformat(), "history": history, "k": request.k}
    return body if request.surface == Surface.RECOMMENDATION else body | {"query": request.query}


def figures(ranking: Ranking) -> list[tuple[str, float, float, float]]:
    return [(s.item.item_id, s.match, s.p_click, s.p_convert) for s in ranking.items]


@pytest.mark.parametrize("surface", SURFACES)
def test_offline_and_http_give_the_same_numbers(ranker: Ranker, address: str, surface: str) -> None:
    request = request_of(surface, ["i00003", "i00004"])

    offline = ranker.rank(request)
    online = post(f"{address}/v1/{PATHS[surface]}", body_of(request))

    names = ("item_id", "match", "p_click", "p_convert")
    served = [tuple(item[name] for name in names) for item in online["items"]]
    assert len(served) > 0
    assert [item[0] for item in served] == [item[0] for item in figures(offline)]
    for one, other in zip(served, figures(offline), strict=True):
        assert one[1:] == pytest.approx(other[1:], rel=1e-5)
    assert online["model_version"] == offline.model_version == ranker.version
    # The Scorer role says the same of the same items.
    scored = ranker.score(request, [s.item for s in offline.items])
    expected = [click for _, _, click, _ in figures(offline)]
    assert [s.p_click for s in scored] == pytest.approx(expected, rel=1e-5)


def test_the_log_of_the_service_is_its_own(walked: Path) -> None:
    with served(walked / "run") as service:
        pass

    # Date, time, level, message; not a word of the libraries below.
    said = [line.split(maxsplit=3)[2:] for line in service.log]
    assert [level for level, _ in said] == ["INFO"] * 3
    assert said[0][1] == f"listening on {service.url}"
    assert said[1][1].startswith("ready with model ")
    assert said[2][1] == "interrupted"


def test_the_service_says_who_it_is(address: str, ranker: Ranker) -> None:
    with urlopen(f"{address}/readyz", timeout=5) as answer:
        assert json.load(answer) == {"status": "ready", "model_version": ranker.version}


TOPICS = {"wear": "shoe shirt dress", "food": "tea coffee chocolate", "home": "lamp rug chair"}


@pytest.mark.parametrize("classes", [("wear", "food"), ("wear", "food", "home")])
def test_the_plain_case(classes: tuple[str, ...], tiny_encoder: Path, tmp_path: Path) -> None:
    table = tmp_path / "reviews.csv"
    colours = ["red", "blue", "green", "black", "white", "grey", "gold", "small", "large", "mini"]
    rows = [
        f"{colour} {size} {word},{name}"
        for name in classes
        for word in TOPICS[name].split()
        for colour in colours
        for size in ("wool", "steel", "glass")
    ]
    table.write_text("\n".join(["text,label", *rows]) + "\n")
    prepared, run = tmp_path / "prepared", tmp_path / "run"

    counts = done("prepare", table, "--out", prepared, "--json").json["counts"]
    done(
        "train", prepared, "--out", run, "--set", f"model.encoder.name={tiny_encoder}",
        "--set", "model.encoder.tuning.mode=full", "--set", "train.encoder_learning_rate=0.003",
    )  # fmt: skip
    ended = done("evaluate", run, "--html", tmp_path / "report.html", "--json")

    found = {(row["view"], row["metric"]): row for row in ended.json["rows"]}
    assert sum(counts.values()) == len(rows)
    assert sum(found[name, "f1"]["support"] for name in classes) == counts["test"]
    # Each class has words of its own: nothing but the words tells them apart.
    assert min(found[name, "f1"]["value"] for name in classes) > 0.9
    lines = ended.out.splitlines()
    header = next(n for n, line in enumerate(lines) if "precision" in line)
    assert lines[header].split() == ["precision", "recall", "f1", "support"]
    assert {line.split()[0] for line in lines[header + 1 :][: len(classes)]} == set(classes)
    assert "precision" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_readme_program_runs_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    good, bad = ("lovely", "great", "sturdy"), ("broken", "awful", "useless")
    rows = [
        f"{word} {thing} number {n},{label}"
        for label, words in (("good", good), ("bad", bad))
        for word in words
        for thing in ("lamp", "mug", "chair", "towel")
        for n in range(5)
    ]
    (tmp_path / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()

    with redirect_stdout(printed):
        exec(compile(program, "README.md", "exec"), {})

    lines = [line.split() for line in printed.getvalue().splitlines()]
    assert lines[0] == ["precision", "recall", "f1", "support"]
    f1 = {line[0]: float(line[3]) for line in lines[1:]}
    assert min(f1["good"], f1["bad"]) > 0.7
