"""One shop three times: without fake shoppers, with them, and with them and the fraud filter.

Shape suffixes: T = targets (requests), U = real shoppers in order of their names.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.board import Board, Figure, Values
from benchmarks.failing import counted_as_failed
from benchmarks.kept import Kept
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, drawn_shop, learn, prepared_shop, shop_of
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.sample_shop.config import STRENGTHS, SampleOptions
from shelfwise.data.targets import match_targets
from shelfwise.evaluation.attacks.poison import RECIPES, Poison, poisoned
from shelfwise.evaluation.match import rank_all, views
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.stored_answers import evenly_spread
from shelfwise.ranking.loaded_run import open_run
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.progress import Progress, Silent

_K = 10
_EVENTS = 120_000
_MOST_TARGETS = 3_000  # requests of a test
_CLEAN, _OPEN, _DEFENDED = "without fakes", "undefended", "defended"
_WHO = {
    False: (
        "Fake users are {share:.0%} of the real ones; each takes five items that 3 to 20 had taken "
        "and hides them among others, on a real user's visits moved to moments of others' in the "
        "last 30 days before the test ({recipes})."
    ),
    True: (
        "A sample shop (synthetic) whose bots make {share:.0%} of all events, once with each "
        "strength: easy and middle ones click what nobody wants; hard ones replay a shopper's "
        "visits, and a quarter of their requests look for one of three items."
    ),
}


@dataclass(frozen=True, slots=True)
class _Scene:
    """A shop with fakes, and the same without."""

    name: str
    clean: Shop
    pushed: Shop
    targets: tuple[str, ...]  # item ids
    fakes: tuple[str, ...]  # user ids


def compare_pushed(
    words: str, asking: Asking, share: float, progress: Progress, *, drawn: bool
) -> Result:
    """Every kind of fakes, learned from with and without the filter."""
    began = time.perf_counter()
    asking.refuse_unknown(STRENGTHS if drawn else tuple(RECIPES))
    board = Board(kept=Kept(asking.keep))
    discarded: dict[str, list[float]] = {}
    names: list[str] = []
    fingerprints: dict[str, None] = {}  # of shops without fakes
    with TemporaryDirectory(prefix="push-") as folder:
        scratch = Path(folder)
        bench = _Bench(scratch, asking.minutes, progress)
        shop = None if drawn else shop_of(asking.data, "online-retail", scratch, (), progress)
        for seed in range(asking.seeds):
            found = {system: dict[Figure, NDArray[np.float64]]() for system in _SYSTEMS}
            for scene in _scenes(shop, scratch, asking, (share, seed), progress):
                names.append(scene.name)
                with counted_as_failed(board.fail, scene.name):
                    answers = {one: bench.answers(scene, one, seed) for one in _SYSTEMS}
                    fingerprints[answers[_CLEAN].fingerprint] = None
                    for system, values in _values(scene, answers).items():
                        found[system] |= values
                    for name, value in _told(scene.name, answers).items():
                        discarded.setdefault(name, []).append(value)
            for system, values in found.items():
                board.add(system, values)
    who = _WHO[drawn].format(share=share, recipes="; ".join(map(": ".join, RECIPES.items())))
    minutes = f" Budget {asking.minutes:g} minutes a training (a refit takes as long again)."
    return Result(
        benchmark="push",
        protocol=words.format(who=who) + minutes,
        data=_data(drawn, share, names, fingerprints),
        figures={name: float(np.mean(value)) for name, value in discarded.items()}
        | _rises(board, dict.fromkeys(names)),
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=board.rows(),
        differences=board.differences((_NDCG,), _DEFENDED),
        notes=board.notes,
    )


_SYSTEMS = (_CLEAN, _OPEN, _DEFENDED)
_NDCG, _EXPOSURE = f"ndcg@{_K}", f"exposure@{_K}"


def _scenes(
    shop: Shop | None,
    scratch: Path,
    asking: Asking,
    drawn: tuple[float, int],
    progress: Progress,
) -> Iterator[_Scene]:
    kinds = STRENGTHS if shop is None else tuple(RECIPES)
    for kind in kinds:
        if not asking.wants(kind):
            continue
        folder = scratch / f"{kind} {drawn[1]}"
        if shop is None:
            yield _with_bots(folder, kind, drawn, asking.settings, progress)
        else:
            yield _with_recipe(shop, folder, kind, drawn, asking.settings)


def _with_bots(
    folder: Path,
    strength: str,
    drawn: tuple[float, int],
    settings: tuple[str, ...],
    progress: Progress,
) -> _Scene:
    share, seed = drawn
    options = SampleOptions.model_validate(
        {"bot_share": share, "bot_strength": strength, "seed": seed}
    ).with_events(_EVENTS)
    pushed = drawn_shop(folder, options, settings, progress)
    bots = pl.read_parquet(folder / "truth" / "bots.parquet")
    fakes = tuple(bots["user_id"].to_list())
    clean = _without(folder, folder.with_name(f"{folder.name} clean"), fakes)
    return _Scene(
        strength,
        pushed._replace(folder=clean),
        pushed,
        tuple(bots["targets"].explode().unique().sort().to_list()),
        fakes,
    )


def _with_recipe(
    shop: Shop, folder: Path, recipe: str, drawn: tuple[float, int], settings: tuple[str, ...]
) -> _Scene:
    share, seed = drawn
    events = pl.read_parquet(shop.folder / "events.parquet")
    test = shop.config().split.test_start
    before = events.filter(pl.col("timestamp") < test)
    found = poisoned(before, Poison(recipe, share, seed=seed))  # type: ignore[arg-type]
    # Fakes end with the test's begin as the learning does.
    new = found.events.filter(pl.col("timestamp") < test)
    _copied(shop.folder, folder)
    pl.concat([new, events.filter(pl.col("timestamp") >= test)]).write_parquet(
        folder / "events.parquet"
    )
    clean, pushed = (Shop(one, settings, published=shop.published) for one in (shop.folder, folder))
    return _Scene(recipe, clean, pushed, found.targets, found.users)


def _without(shop: Path, folder: Path, users: tuple[str, ...]) -> Path:
    """The same shop less some users' rows."""
    _copied(shop, folder)
    events = pl.read_parquet(shop / "events.parquet")
    kept = events.filter(~pl.col("user_id").is_in(users) | pl.col("user_id").is_null())
    kept.write_parquet(folder / "events.parquet")
    return folder


def _copied(shop: Path, folder: Path) -> None:
    folder.mkdir()
    for path in shop.iterdir():
        if path.is_file() and path.name != "events.parquet":
            (folder / path.name).write_bytes(path.read_bytes())


@dataclass(frozen=True, slots=True)
class _Answers:
    """What one training shows to real shoppers, and what it left out."""

    shown: pl.DataFrame  # owner (a real user's name), NDCG, top (item ids)
    honest: float  # share of real users' requests that nothing was learned from
    fake: float
    fingerprint: str  # of the prepared data


@dataclass(slots=True)
class _Bench:
    """Where trainings are run; a shop without fakes is learned from once a seed."""

    scratch: Path
    minutes: float
    progress: Progress
    clean: dict[tuple[Path, int], _Answers] = field(default_factory=dict)

    def answers(self, scene: _Scene, system: str, seed: int) -> _Answers:
        if system != _CLEAN:
            return self._learned(scene, scene.pushed, system, seed)
        key = (scene.clean.folder, seed)
        if key not in self.clean:
            self.clean[key] = self._learned(scene, scene.clean, system, seed)
        return self.clean[key]

    def _learned(self, scene: _Scene, shop: Shop, system: str, seed: int) -> _Answers:
        settings = (
            f"fraud.enabled={str(system != _OPEN).lower()}",
            f"train.minutes={self.minutes}",
            f"train.seed={seed}",
        )
        with self.progress.step(f"{scene.name}, {system}"):
            told = shop._replace(settings=(*shop.settings, *settings))
            prepared = prepared_shop(told, self.scratch / "prepared", Silent())
            fake_U = _fakes(prepared, told, scene.fakes)
            run = self.scratch / "run"
            learn(prepared, run, told.config(), Silent())
            return _Answers(
                _shown(run, prepared, fake_U),
                *_discarded(prepared, fake_U),
                prepared.manifest.data_fingerprint,
            )


def _values(scene: _Scene, answers: Mapping[str, _Answers]) -> dict[str, Values]:
    """NDCG and exposure of each system, of the shoppers that all were asked for."""
    owners = set.intersection(*(set(one.shown["owner"]) for one in answers.values()))
    common = pl.DataFrame({"owner": sorted(owners)})
    is_pushed = pl.element().is_in(scene.targets)
    found: dict[str, Values] = {}
    for system, answer in answers.items():
        known = common.join(answer.shown, on="owner", maintain_order="left").with_columns(
            (pl.col("top").list.eval(is_pushed).list.sum() / _K).alias(_EXPOSURE)
        )
        by_owner = known.group_by("owner", maintain_order=True).agg(
            pl.col(_NDCG).drop_nans().mean(), pl.col(_EXPOSURE).mean()
        )
        found[system] = {
            Figure(scene.name, "match", metric): by_owner[metric].cast(pl.Float64).to_numpy()
            for metric in (_NDCG, _EXPOSURE)
        }
    return found


def _fakes(prepared: PreparedShop, shop: Shop, users: tuple[str, ...]) -> NDArray[np.bool_]:
    """Who of the log's owners is a fake."""
    names = Pseudonyms.of(prepared.options.privacy, shop.folder)
    fakes = [names.name("user", user) for user in users]
    return prepared.owners["owner_id"].is_in(fakes).to_numpy()


def _discarded(prepared: PreparedShop, fake_U: NDArray[np.bool_]) -> tuple[float, float]:
    """Share of the requests before the test that teach nothing, of real users and of fakes."""
    requests = prepared.requests.filter(pl.col("part").is_in(LEARNED))
    fake_R = fake_U[requests["owner"].to_numpy()]
    flagged_R = requests["fraud"].is_not_null().to_numpy()
    return tuple(  # type: ignore[return-value]
        float(flagged_R[chosen].mean()) if chosen.any() else float("nan")
        for chosen in (~fake_R, fake_R)
    )


def _shown(run: Path, prepared: PreparedShop, fake_U: NDArray[np.bool_]) -> pl.DataFrame:
    """``owner``, NDCG and the first items of real shoppers' requests of the test."""
    targets = match_targets(prepared, "test")
    targets = targets.chosen(np.flatnonzero(~fake_U[targets.owner_T]))
    targets = evenly_spread(targets, _MOST_TARGETS)
    taken = taken_in(prepared, LEARNED)
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    headline = views(prepared, targets, warm_V)[0]
    scorer = RunScorer(open_run(run), prepared)
    ranked = rank_all({OURS: scorer.match}, targets, [headline], taken.items, Silent(), _K)
    found = ranked[OURS, headline.name]
    return pl.DataFrame(
        {
            "owner": prepared.owners["owner_id"].gather(targets.owner_T),
            _NDCG: found.ndcg(_K),
            "top": prepared.items["item_id"].to_numpy()[found.top_TK].tolist(),
        }
    )


def _data(
    drawn: bool, share: float, names: list[str], fingerprints: Iterable[str]
) -> dict[str, object]:
    kinds = len(set(names))
    counts = {"kinds of fakes": kinds, "fakes in a hundred": round(100 * share, 1)}
    name = "Sample shops (synthetic)" if drawn else "Online Retail (UCI)"
    return {"name": name, "fingerprint": ", ".join(fingerprints), "counts": counts}


def _told(name: str, answers: Mapping[str, _Answers]) -> dict[str, float]:
    """What the filter left out."""
    return {
        f"{name}: requests of real users discarded, without fakes": answers[_CLEAN].honest,
        f"{name}: requests of real users discarded": answers[_DEFENDED].honest,
        f"{name}: requests of fakes discarded": answers[_DEFENDED].fake,
    }


def _rises(board: Board, names: Mapping[str, None]) -> dict[str, float | None]:
    """How much more pushed items are shown than without fakes, and the share that is left."""
    found: dict[str, float | None] = {}
    for name in names:
        figure = Figure(name, "match", _EXPOSURE)
        shown = {
            system: float(np.mean([np.nanmean(run[figure]) for run in runs if figure in run]))
            for system, runs in board.runs.items()
            if any(figure in run for run in runs)
        }
        if len(shown) < len(_SYSTEMS):
            continue
        rise = {system: shown[system] - shown[_CLEAN] for system in (_OPEN, _DEFENDED)}
        found[f"{name}: rise of exposure, undefended"] = rise[_OPEN]
        found[f"{name}: rise of exposure, defended"] = rise[_DEFENDED]
        left = rise[_DEFENDED] / rise[_OPEN] if rise[_OPEN] > 0 else None
        found[f"{name}: share of the rise that is left"] = left
    return found
