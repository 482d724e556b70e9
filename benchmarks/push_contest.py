"""One shop three times: without fake shoppers, with them, and with them and the fraud filter.

Shape suffixes: T = targets (requests), U = real shoppers in order of their names.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.board import Board, Figure, Values, by_figure
from benchmarks.failing import counted_as_failed
from benchmarks.kept import Kept
from benchmarks.push_scenes import Scene, scenes
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, learn, owners_called, prepared_shop, shop_of
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.sample_shop.config import STRENGTHS
from shelfwise.data.targets import MatchTargets, asked_at, match_targets
from shelfwise.evaluation.attacks.poison import RECIPES
from shelfwise.evaluation.match import Ranked, rank_all, views
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.stored_answers import evenly_spread
from shelfwise.ranking.loaded_run import open_run
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.progress import Progress, Silent

_K = 10
_USUAL = 0.05  # fakes for each real user
_MOST_TARGETS = 3_000  # requests of a test
_CLEAN, _OPEN, _DEFENDED = "without fakes", "undefended", "defended"
_WHO = {
    False: (
        "Fake users are {share:.0%} of the real ones; each takes five items that 3 to 20 had taken "
        "and hides them among others, on a real user's visits moved to moments of others' in the "
        "last 30 days before the test ({recipes})."
    ),
    True: (
        "A sample shop (synthetic) with bots, {share:.0%} of the shoppers in number as nearly as "
        "the shop can be drawn, once with each strength; ten of a farm push three items. Easy and "
        "middle ones ask for many pages and click what nobody wants, targets more often; hard ones "
        "replay a shopper's visits, and a quarter of their requests look for a target. Each seed "
        "draws shops of its own, whose shoppers stand beside each other."
    ),
}


def compare_pushed(
    words: str, asking: Asking, share: float, progress: Progress, *, drawn: bool
) -> Result:
    """Every kind of fakes, learned from with and without the filter."""
    began = time.perf_counter()
    asking.refuse_unknown(STRENGTHS if drawn else tuple(RECIPES))
    by_seed = Board(kept=Kept(asking.keep))
    discarded: dict[str, list[float]] = {}
    names: list[str] = []
    fingerprints: dict[str, None] = {}  # of shops without fakes
    with TemporaryDirectory(prefix="push-") as folder:
        scratch = Path(folder)
        bench = _Bench(scratch, asking.minutes, progress)
        shop = None if drawn else shop_of(asking.data, "online-retail", scratch, (), progress)
        for seed in range(asking.seeds):
            found = {system: dict[Figure, NDArray[np.float64]]() for system in _SYSTEMS}
            for scene in scenes(shop, scratch, asking, (share, seed), progress):
                names.append(scene.name)
                with counted_as_failed(by_seed.fail, scene.name):
                    answers = {one: bench.answers(scene, one, seed) for one in _SYSTEMS}
                    fingerprints[answers[_CLEAN].fingerprint] = None
                    for system, values in _values(scene, answers).items():
                        found[system] |= values
                    for name, value in _told(scene, answers).items():
                        discarded.setdefault(name, []).append(value)
            for system, values in found.items():
                by_seed.add(system, values)
    board = _side_by_side(by_seed) if drawn else by_seed
    who = _WHO[drawn].format(share=share, recipes="; ".join(map(": ".join, RECIPES.items())))
    minutes = f" Budget {asking.minutes:g} minutes a training (a refit takes as long again)."
    return Result(
        benchmark="push",
        protocol=words.format(who=who) + minutes,
        data=_data(drawn, (share, asking.seeds), names, fingerprints),
        figures={name: float(np.mean(value)) for name, value in discarded.items()}
        | _rises(board, dict.fromkeys(names))
        | _over_seeds(by_seed, dict.fromkeys(names)),
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=board.rows(),
        differences=board.differences((_NDCG,), _DEFENDED),
        notes=board.notes,
        section=_section(asking, share, drawn=drawn),
    )


def _section(asking: Asking, share: float, *, drawn: bool) -> str:
    name = "sample shop" if drawn else asking.data.resolve().name
    return f"push, {name}" + ("" if share == _USUAL else f", {share:.0%}")


_SYSTEMS = (_CLEAN, _OPEN, _DEFENDED)
_NDCG, _EXPOSURE = f"ndcg@{_K}", f"exposure@{_K}"


@dataclass(frozen=True, slots=True)
class _Answers:
    """What one training shows to real shoppers, and what it left out."""

    shown: pl.DataFrame  # owner (a real user's name), NDCG or top (item ids) of a request
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

    def answers(self, scene: Scene, system: str, seed: int) -> _Answers:
        if system != _CLEAN:
            return self._learned(scene, scene.pushed, system, seed)
        key = (scene.clean.folder, seed)
        if key not in self.clean:
            self.clean[key] = self._learned(scene, scene.clean, system, seed)
        return self.clean[key]

    def _learned(self, scene: Scene, shop: Shop, system: str, seed: int) -> _Answers:
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


def _values(scene: Scene, answers: Mapping[str, _Answers]) -> dict[str, Values]:
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


def _side_by_side(by_seed: Board) -> Board:
    """Each seed draws a shop of its own, so its shoppers are others: all of them are units."""
    board = Board(failures=by_seed.failures, notes=by_seed.notes)
    for system, runs in by_seed.runs.items():
        parts = by_figure(runs)
        board.add(system, {figure: np.concatenate(found) for figure, found in parts.items()})
    return board


def _fakes(prepared: PreparedShop, shop: Shop, users: tuple[str, ...]) -> NDArray[np.bool_]:
    """Who of the log's owners is a fake."""
    return prepared.owners["owner_id"].is_in(owners_called(users, prepared, shop)).to_numpy()


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
    """``owner``, and NDCG of each request that has an answer or a list shown (``top``)."""
    scorer = RunScorer(open_run(run), prepared)
    taken = taken_in(prepared, LEARNED)
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    targets = match_targets(prepared, "test")
    targets = targets.chosen(np.flatnonzero(~fake_U[targets.owner_T]))
    targets = evenly_spread(targets, _MOST_TARGETS)
    answered = pl.DataFrame(
        {
            "owner": prepared.owners["owner_id"].gather(targets.owner_T),
            _NDCG: _ranked(scorer, targets, warm_V).ndcg(_K),
        }
    )
    asked = _everybody(prepared, fake_U)
    top_TK = _ranked(scorer, asked, warm_V).top_TK
    lists = pl.DataFrame(
        {
            "owner": prepared.owners["owner_id"].gather(asked.owner_T),
            "top": prepared.items["item_id"].to_numpy()[top_TK].tolist(),
        },
        schema_overrides={"top": pl.List(pl.String)},
    )
    return pl.concat([answered, lists], how="diagonal")


def _everybody(prepared: PreparedShop, fake_U: NDArray[np.bool_]) -> MatchTargets:
    """Every real shopper of the test with a past is asked for once, as it begins."""
    requests = prepared.requests.filter(pl.col("part") == "test")
    owner_T = np.unique(requests["owner"].to_numpy().astype(np.int64))
    asked = asked_at(prepared, owner_T[~fake_U[owner_T]], prepared.moments.test)
    has_past_T = asked.end_T > prepared.history.offset_U1[asked.owner_T]
    return evenly_spread(asked.chosen(np.flatnonzero(has_past_T)), _MOST_TARGETS)


def _ranked(scorer: RunScorer, targets: MatchTargets, warm_V: NDArray[np.bool_]) -> Ranked:
    headline = views(scorer.prepared, targets, warm_V)[0]
    ranked = rank_all({OURS: scorer.match}, targets, [headline], len(warm_V), Silent(), _K)
    return ranked[OURS, headline.name]


def _data(
    drawn: bool, asked: tuple[float, int], names: list[str], fingerprints: Iterable[str]
) -> dict[str, object]:
    share, seeds = asked
    kinds = len(set(names))
    counts = {
        "kinds of fakes": kinds,
        "fakes in a hundred": round(100 * share, 1),
        **({"shops of each kind": seeds} if drawn else {}),
    }
    name = "Sample shops (synthetic)" if drawn else "Online Retail (UCI)"
    return {"name": name, "fingerprint": ", ".join(fingerprints), "counts": counts}


def _told(scene: Scene, answers: Mapping[str, _Answers]) -> dict[str, float]:
    """How many fakes there were, and what the filter left out."""
    name = scene.name
    return {
        f"{name}: fakes for each real user": scene.share,
        f"{name}: items pushed": float(len(scene.targets)),
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


def _over_seeds(by_seed: Board, names: Mapping[str, None]) -> dict[str, float | None]:
    """How sure the mean gap is over seeds: intervals over shoppers know nothing of trainings."""
    found: dict[str, float | None] = {}
    for name in names:
        figure = Figure(name, "match", _NDCG)
        both = zip(by_seed.runs.get(_DEFENDED, []), by_seed.runs.get(_CLEAN, []), strict=True)
        gaps = [
            float(np.nanmean(one[figure]) - np.nanmean(other[figure]))
            for one, other in both
            if figure in one and figure in other
        ]
        if len(gaps) > 1:
            what = f"{name}: {_NDCG} defended less without fakes, standard error over seeds"
            found[what] = float(np.std(gaps, ddof=1) / len(gaps) ** 0.5)
    return found
