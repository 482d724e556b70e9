"""What each way of fine-tuning the text encoder costs: what learns, how fast, in how much memory.

Each mode runs in a process of its own, so that its peak of memory is its own; the modes take turns,
round by round, and the median of the rounds counts. Titles are a sample shop's (synthetic): cost is
what is measured, not quality.

Shape suffixes: B = texts of a step, D = length of a text's vector.
"""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import typer

from benchmarks.console import tell
from benchmarks.result import Result, peak_mib
from shelfwise.cli.console import AsJson, Bars
from shelfwise.data.sample_shop.catalogue import draw_catalogue, shop_vocabulary
from shelfwise.data.tokens import tokenise
from shelfwise.models.config import (
    AdaLora,
    Adapter,
    EncoderOptions,
    Frozen,
    Full,
    Lora,
    TopLayers,
    TuningOptions,
)
from shelfwise.models.pretrained import encoder_folder
from shelfwise.models.text_encoder import load_text_encoder
from shelfwise.schema.progress import Progress, Silent
from shelfwise.training.config import TrainOptions
from shelfwise.training.optimizer import optimizer_of
from shelfwise.training.text_bank import TextBank

_WARM_UP = 2  # steps before the clock starts
_MOST_TOKENS = 48
_MIB = 1024**2
MODES: Mapping[str, TuningOptions] = {
    "full": Full(),
    "top_layers, 2 of 6": TopLayers(),
    "lora": Lora(),
    "lora, all weights": Lora(parts="all"),
    "lora, 2 layers of 6": Lora(layers=2),
    "adalora": AdaLora(),
    "adapter": Adapter(),
    "adapter, 2 layers of 6": Adapter(layers=2),
    "frozen": Frozen(),
}
PROTOCOL = (
    "{encoder}; {texts:,} titles of a sample shop (synthetic), cut at {tokens} tokens. A step: "
    "{batch} of them, drawn at random, encoded with gradient in bf16 where the machine has it, a "
    "loss that pushes their vectors apart, clipping, fused AdamW; the median of {steps} steps, "
    "then of {rounds} rounds in which the modes take turns, each a process on {threads} "
    "threads. Layers that are frozen below all that learns are asked once, before."
)


class Asked(NamedTuple):
    """How much is measured."""

    encoder: str
    texts: int
    batch: int
    steps: int
    threads: int


class Cost(NamedTuple):
    """Of one mode in one process."""

    learning_parameters: int
    step_ms: float  # nan where nothing learns
    once_seconds: float  # frozen layers, and the first table of vectors
    table_seconds: float  # the table of vectors anew
    peak_mib: float  # of the process
    optimiser_mib: float  # of what the optimiser remembers


def encoder_modes(  # noqa: PLR0913  # the options of a command
    encoder: Annotated[str, typer.Option(help="Encoder, as shop.toml names it.")] = "minilm",
    texts: Annotated[int, typer.Option(min=300, help="Titles in the table.")] = 5_000,
    batch: Annotated[int, typer.Option(min=2, help="Titles in a step.")] = 64,
    steps: Annotated[int, typer.Option(min=1, help="Steps of a round.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds; the median counts.")] = 3,
    threads: Annotated[int, typer.Option(min=1, help="Threads of every process.")] = 2,
    as_json: AsJson = False,
) -> None:
    """Learning parameters, milliseconds a step and memory of each way to fine-tune.

    Example: python benchmarks/run.py encoder_modes --json
    """
    tell(measure(Asked(encoder, texts, batch, steps, threads), rounds, Bars()), as_json)


def measure(asked: Asked, rounds: int, progress: Progress) -> Result:
    """All modes in turn."""
    began = time.perf_counter()
    found: dict[str, list[Cost]] = {name: [] for name in MODES}
    with progress.step("Learning", total=rounds * len(MODES)) as bar:
        for _ in range(rounds):
            for name, tuning in MODES.items():
                bar.note(name)
                with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
                    found[name].append(fresh.submit(cost_of, tuning, asked).result())
                bar.advance()
    step_ms = {name: _median(costs, "step_ms") for name, costs in found.items()}
    return Result(
        benchmark="encoder_modes",
        protocol=PROTOCOL.format(tokens=_MOST_TOKENS, rounds=rounds, **asked._asdict()),
        data={"name": "sample shop", "fingerprint": None, "counts": {"texts": asked.texts}},
        figures={
            f"{name}: step to full": step_ms[name] / step_ms["full"]
            for name in MODES
            if name != "frozen"
        },
        rows=[
            {
                "system": name,
                "view": "main",
                "task": "cost",
                "metric": metric,
                "value": _median(costs, metric),
                "low": None,
                "high": None,
                "seeds": rounds,
                "support": asked.steps,
            }
            for name, costs in found.items()
            for metric in Cost._fields
        ],
        seconds=time.perf_counter() - began,
        peak_mib=peak_mib(),
    )


def _median(costs: list[Cost], metric: str) -> float:
    return statistics.median(getattr(cost, metric) for cost in costs)


def cost_of(tuning: TuningOptions, asked: Asked) -> Cost:
    """Train some steps, in this process."""
    torch.set_num_threads(asked.threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    titles = draw_catalogue(shop_vocabulary("en"), asked.texts, rng).titles
    folder = encoder_folder(asked.encoder)
    tokens = tokenise(titles, folder / "tokenizer.json", _MOST_TOKENS)
    encoder = load_text_encoder(folder, EncoderOptions(name=asked.encoder, tuning=tuning))
    began = time.perf_counter()
    bank = TextBank(encoder, tokens, torch.device("cpu"), Silent())
    once = time.perf_counter() - began
    learning = sum(p.numel() for p in encoder.parameters() if p.requires_grad)
    seconds, optimiser = [float("nan")], 0.0
    if learning:
        seconds, optimiser = _steps(bank, asked, rng)
    began = time.perf_counter()
    bank.refresh(Silent())
    table = time.perf_counter() - began
    step_ms = 1000 * statistics.median(seconds)
    return Cost(learning, step_ms, once, table, peak_mib(), optimiser)


def _steps(bank: TextBank, asked: Asked, rng: np.random.Generator) -> tuple[list[float], float]:
    """Seconds of each step, and MiB that the optimiser remembers."""
    options = TrainOptions()
    optimizer = optimizer_of([], bank.encoder, options)
    learning = [p for p in bank.encoder.parameters() if p.requires_grad]
    total = _WARM_UP + asked.steps
    seconds = []
    for step in range(1, total + 1):
        rows = np.sort(rng.choice(asked.texts, asked.batch, replace=False))
        began = time.perf_counter()
        vector_BD = bank.encode(rows).float()
        loss = (vector_BD @ vector_BD.T).logsumexp(1).mean()
        penalty = bank.encoder.penalty()
        (loss if penalty is None else loss + penalty).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learning, options.clip)
        optimizer.step()
        bank.encoder.after_step(step, total)
        optimizer.zero_grad(set_to_none=True)
        seconds.append(time.perf_counter() - began)
    kept: list[Any] = [v for state in optimizer.state.values() for v in state.values()]
    size = sum(v.numel() * v.element_size() for v in kept if isinstance(v, torch.Tensor))
    return seconds[_WARM_UP:], size / _MIB
