"""How fast texts are learned from, against the usual script and sentence-transformers' trainer.

All learn from the same rows of query, title and yes or no, with the same encoder on the same cores,
taking turns round by round; the median of the rounds counts. What they have learned is measured on
rows of other queries or later searches, after equally many examples and after equal seconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray

from benchmarks.adversary_cost import ATTACKED, adversary_costs
from benchmarks.console import Settings, Write, tell
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, name_of, shop_of
from benchmarks.speed_examples import Size, SpeedExamples, speed_examples
from benchmarks.speed_learners import Learner, Ours, UsualScript
from benchmarks.speed_peer import PEER_NAME, SpeedPeer
from shelfwise.cli.console import AsJson, Bars
from shelfwise.data.folder import new_folder
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import WRITTEN_BY_SAMPLE, write_sample_shop
from shelfwise.metrics.auc import SortedAuc
from shelfwise.metrics.bootstrap import Interval, bootstrap_rows
from shelfwise.models.config import Frozen, Full, TopLayers
from shelfwise.schema.progress import Progress

_EVENTS = 200_000  # of the sample shop
_DATASET = "home-depot"
_USUAL, _OURS = "usual script", "shelfwise"
_WARM_UP = 64  # rows before the clock starts: libraries find their kernels
PROTOCOL = (
    "Rows of query, title and whether it was {label}: {train:,} of {queries:,} queries to learn "
    "from, {test:,} of other parts to be judged on, whole queries drawn with seed {seed}. Every "
    "system sees the same rows in each of {rounds} rounds, in turn, on {threads} threads; the "
    "median of the rounds counts. Usual script: BertForSequenceClassification, a pair a row, 32 "
    "rows padded to 128 tokens, fp32, AdamW as it comes, rate 5e-5 falling to 0. "
    "Sentence-transformers: its trainer with its defaults, 32 rows, CosineSimilarityLoss, texts "
    "cut at 128 tokens. Shelfwise: the trainer of judged pairs with its defaults, without figures "
    "of shared words. The encoder ({encoder}) learns with all its layers but where a row says "
    "otherwise. Costs of adversaries (on words; ours, all "
    "layers): seconds of {attacked} rows of each round over those of the same rows without. Not "
    "counted: loading, and tokens of ours. What frozen layers say of a text counts where it is "
    "first asked for. AUC with its 95 % interval over queries; nothing is chosen by it."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """How much is measured."""

    size: Size
    encoder: str
    threads: int


@dataclass(slots=True)
class Timed:
    """One system over the rounds."""

    seconds: list[float] = field(default_factory=list)
    examples: list[int] = field(default_factory=list)
    once: float = 0.0  # seconds before the first step

    @property
    def rates(self) -> list[float]:
        """Examples a second, by round."""
        return [n / s for n, s in zip(self.examples, self.seconds, strict=True)]

    @property
    def rate(self) -> float:
        """The median."""
        return statistics.median(self.rates)


def train_speed(  # noqa: PLR0913  # the options of a command
    data: Annotated[
        Path | None,
        typer.Option(exists=True, help="Home Depot's files or a shop; else a sample shop."),
    ] = None,
    examples: Annotated[int, typer.Option(min=320, help="Rows to learn from.")] = 3_200,
    test: Annotated[int, typer.Option(min=100, help="Rows to be judged on.")] = 4_000,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 5,
    encoder: Annotated[str, typer.Option(help="Encoder that everybody begins with.")] = "minilm",
    threads: Annotated[int, typer.Option(min=1, help="Threads of every system.")] = 2,
    settings: Settings = None,
    write: Write = None,
    as_json: AsJson = False,
) -> None:
    """Examples a second in training, and the AUC they lead to, against the usual script.

    Example: python benchmarks/run.py train_speed --data home_depot --json
    """
    asked = Asked(Size(examples, test, rounds, seed=0), encoder, threads)
    tell(measure(data, asked, tuple(settings or ()), Bars()), as_json, write)


def measure(
    data: Path | None, asked: Asked, settings: tuple[str, ...], progress: Progress
) -> Result:
    """The whole contest."""
    began = time.perf_counter()
    torch.set_num_threads(asked.threads)
    with TemporaryDirectory(prefix="train-speed-") as folder:
        scratch = Path(folder)
        shop = _shop(data, scratch, settings, progress)
        examples = speed_examples(shop, scratch / "prepared", asked.size, progress)
        learners, timed = _learners(examples, asked)
        peer = SpeedPeer(examples, scratch / "peer", asked.encoder, asked.size.seed, asked.threads)
        _rounds(examples, learners, timed, peer, progress)
        usual_seconds = sum(timed[_USUAL].seconds)
        costs = adversary_costs(examples, asked.encoder, asked.size.seed, progress)
        with progress.step("Judging", total=len(learners) + 2) as bar:
            scores = {}
            for name, learner in learners.items():
                bar.note(name)
                scores["equal examples", name] = learner.scores(examples.test)
                bar.advance()
            bar.note("equal seconds")
            scores["equal seconds", _USUAL] = scores["equal examples", _USUAL]
            scores["equal seconds", _OURS] = _for_seconds(examples, asked, usual_seconds)
            bar.advance()
            scores |= peer.scores(usual_seconds)
            bar.advance()
    result = _result(shop, examples, asked, (timed, scores, peer.why_not), began)
    return replace(result, figures={**result.figures, **costs})


def _shop(data: Path | None, scratch: Path, settings: tuple[str, ...], progress: Progress) -> Shop:
    if data is not None:
        return shop_of(data, _DATASET, scratch, settings, progress)
    with new_folder(scratch / "sample", WRITTEN_BY_SAMPLE) as new:
        write_sample_shop(new, SampleOptions().with_events(_EVENTS), progress)
    return Shop(scratch / "sample", settings, published=False)


def _learners(examples: SpeedExamples, asked: Asked) -> tuple[dict[str, Learner], dict[str, Timed]]:
    seed = asked.size.seed
    ours = partial(Ours, examples, asked.encoder, seed=seed)
    makers: Mapping[str, Callable[[], Learner]] = {
        _USUAL: lambda: UsualScript(examples, asked.encoder, seed),
        _OURS: lambda: ours(tuning=Full()),
        f"{_OURS}/top-2-layers": lambda: ours(tuning=TopLayers(layers=2)),
        f"{_OURS}/frozen": lambda: ours(tuning=Frozen()),
    }
    learners, timed = {}, {}
    for name, make in makers.items():
        began = time.perf_counter()
        learners[name] = make()
        timed[name] = Timed(once=time.perf_counter() - began)
    return learners, timed


def _rounds(
    examples: SpeedExamples,
    learners: Mapping[str, Learner],
    timed: dict[str, Timed],
    peer: SpeedPeer,
    progress: Progress,
) -> None:
    """Every system in turn learns from the rows of each round."""
    for learner in learners.values():
        _warm_up(learner, examples)
    if peer.why_not is None:
        timed[PEER_NAME] = Timed()
    total = len(examples.train)
    with progress.step("Learning", total=len(examples.rounds) * len(timed)) as bar:
        done = 0
        for rows in examples.rounds:
            for name, learner in learners.items():
                bar.note(name)
                learned = _Count(done, total)
                began = time.perf_counter()
                for count in learner.learn(rows, learned.share):
                    learned.now += count
                timed[name].seconds.append(time.perf_counter() - began)
                timed[name].examples.append(learned.now - done)
                bar.advance()
            if peer.why_not is None:
                bar.note(PEER_NAME)
                told = peer.asked(rows, np.empty(0, np.int64))
                timed[PEER_NAME].seconds.append(told["seconds"])
                timed[PEER_NAME].examples.append(told["examples"])
                bar.advance()
            done += len(rows)


def _warm_up(learner: Learner, examples: SpeedExamples) -> None:
    """A look at some rows: nothing is learned, but memory and kernels are there."""
    learner.scores(examples.train[:_WARM_UP])


@dataclass(slots=True)
class _Count:
    """How far training by examples is."""

    now: int
    total: int

    def share(self) -> float:
        """From 0 to 1."""
        return self.now / self.total


def _for_seconds(examples: SpeedExamples, asked: Asked, seconds: float) -> NDArray[np.float64]:
    """What a fresh one of ours says after as long as the usual script took."""
    ours = Ours(examples, asked.encoder, Full(), asked.size.seed)
    began = time.perf_counter()

    def share() -> float:
        return (time.perf_counter() - began) / seconds

    while share() < 1:
        for _ in ours.learn(examples.train, share):
            if share() >= 1:
                break
    return ours.scores(examples.test)


def _result(
    shop: Shop,
    examples: SpeedExamples,
    asked: Asked,
    found: tuple[Mapping[str, Timed], Mapping[tuple[str, str], NDArray[np.float64]], str | None],
    began: float,
) -> Result:
    timed, scores, why_not = found
    ours = timed[_OURS].rate
    figures: dict[str, float | None] = {
        "ratio_to_usual_script": ours / timed[_USUAL].rate,
        "ratio_to_sentence_transformers": (
            ours / timed[PEER_NAME].rate if PEER_NAME in timed else None
        ),
    }
    for name in timed:
        if name.startswith(f"{_OURS}/"):
            kind = name.partition("/")[2].replace("-", "_")
            figures[f"ratio_to_usual_script_{kind}"] = timed[name].rate / timed[_USUAL].rate
    pairs = examples.pairs
    counts = {
        "train": len(examples.train),
        "test": len(examples.test),
        "test_yes": int(pairs.grade_N[examples.test].sum()),
        "queries": len(np.unique(pairs.query_N[examples.train])),
    }
    size = asked.size
    return Result(
        benchmark="train_speed",
        protocol=PROTOCOL.format(
            label=examples.label,
            train=counts["train"],
            queries=counts["queries"],
            test=counts["test"],
            seed=size.seed,
            rounds=size.rounds,
            threads=asked.threads,
            encoder=asked.encoder,
            attacked=ATTACKED,
        ),
        data={
            "name": name_of(examples.prepared),
            "fingerprint": examples.prepared.manifest.data_fingerprint,
            "counts": counts,
        },
        figures=figures,
        seconds=time.perf_counter() - began,
        peak_mib=peak_mib(),
        rows=[
            *(row for name, one in timed.items() for row in _speed_rows(name, one)),
            *_auc_rows(examples, scores),
            *([{"system": PEER_NAME, "failed": why_not}] if why_not else []),
        ],
        differences=list(_differences(examples, scores)),
        notes=_notes(shop, examples),
    )


def _speed_rows(name: str, one: Timed) -> Iterator[dict[str, Any]]:
    told = {"system": name, "view": "speed", "task": "training", "support": len(one.rates)}
    yield {
        **told,
        "metric": "examples_per_second",
        "value": one.rate,
        "low": min(one.rates),  # not an interval: the slowest and the fastest round
        "high": max(one.rates),
    }
    yield {**told, "metric": "seconds_before", "value": one.once}


def _auc_rows(
    examples: SpeedExamples, scores: Mapping[tuple[str, str], NDArray[np.float64]]
) -> Iterator[dict[str, Any]]:
    for (view, name), score_N in scores.items():
        found = _interval(examples, SortedAuc.of(score_N, _labels(examples)))
        yield {
            "system": name,
            "view": view,
            "task": examples.label,
            "metric": "auc",
            "value": found.value,
            "low": found.low,
            "high": found.high,
            "seeds": 1,
            "support": found.support,
        }


def _differences(
    examples: SpeedExamples, scores: Mapping[tuple[str, str], NDArray[np.float64]]
) -> Iterator[dict[str, Any]]:
    """Ours less each other system, on the same draws of queries."""
    label_N = _labels(examples)
    for (view, name), score_N in scores.items():
        if name.startswith(_OURS):
            continue
        ours, theirs = (SortedAuc.of(one, label_N) for one in (scores[view, _OURS], score_N))
        gap = _interval(examples, partial(_less, ours, theirs))
        yield {
            "a": _OURS,
            "b": name,
            "view": view,
            "metric": "auc",
            "value": gap.value,
            "low": gap.low,
            "high": gap.high,
            "seeds": 1,
        }


def _less(ours: SortedAuc, theirs: SortedAuc, weight_N: NDArray[np.float64]) -> float:
    return ours(weight_N) - theirs(weight_N)


def _labels(examples: SpeedExamples) -> NDArray[np.bool_]:
    return examples.pairs.grade_N[examples.test] > 0


def _interval(examples: SpeedExamples, metric: Callable[[NDArray[np.float64]], float]) -> Interval:
    query_N = examples.pairs.query_N[examples.test]
    return bootstrap_rows(metric, query_N, draws=500, seed=0)


def _notes(shop: Shop, examples: SpeedExamples) -> list[str]:
    told = ["examples_per_second: the range is that of the rounds, not an interval."]
    if examples.prepared.options.shop.synthetic:
        told.append("The shop is synthetic: what clicks its AUC tells is what its maker wrote.")
    if not shop.published and examples.label == "clicked":
        told.append("Searches alone: rows of recommendations have no query.")
    return told
