"""Benchmarks that rank a whole catalogue: ours, the baselines and other libraries, one split.

Every system answers the same requests of the test; its scores meet the same views and metrics.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import shelfwise
from benchmarks.asking import Asking
from benchmarks.board import Board, Figure, Values
from benchmarks.failing import counted_as_failed
from benchmarks.kept import Answer, Arrays, Kept
from benchmarks.peer_process import absent_peers, peer_names
from benchmarks.peer_task import K, write_task
from benchmarks.peers_in_turn import Turns
from benchmarks.peers_ranking import read_scores
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, learn, name_of, prepared_shop, shop_of
from shelfwise.config import ShopConfig
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.baselines.choose import baselines
from shelfwise.evaluation.match import Ranked, Score, View, rank_all, views
from shelfwise.evaluation.per_owner import per_owner
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.summary import protocol_of
from shelfwise.metrics.hit_rate import hit_rate_at_k
from shelfwise.ranking.loaded_run import open_run
from shelfwise.retrieval.taken import taken_in
from shelfwise.schema.errors import DataError
from shelfwise.schema.manifest import file_digest, file_digests, fingerprint_of
from shelfwise.schema.progress import Progress, Silent

_COLD_PLACES = 100
_GROUPS = (OURS, "variants", "baselines", "peers")
_FAIR = "train.refit=true"  # baselines and peers learn from validation too, once it has chosen
RANDOM = "random order"


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is fixed of a benchmark, so that figures of different days compare."""

    name: str
    dataset: str  # the reader of the published form
    words: str  # the protocol in sentences
    view_names: Mapping[str, str] = field(default_factory=dict)  # a view -> as rows name it
    compared: Sequence[str] = (f"ndcg@{K}", f"recall@{_COLD_PLACES}")  # metrics of differences
    variants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of ours: its settings
    rare: int = 0  # apart: right items that so many took at most before the test; 0: not looked at


@dataclass(frozen=True, slots=True)
class _Contest:
    """The requests of the test, and how answers to them are looked at."""

    protocol: Protocol
    prepared: PreparedShop
    targets: MatchTargets
    looked_at: list[View]
    board: Board
    progress: Progress

    def hold(self, system: str, score: Score) -> bool:
        """Rank by ``score`` and keep the values; False where they are those of the last run."""
        return self.board.add(system, self.values(system, score))

    def digest(self) -> str:
        """Of the test's answers, and of how they are looked at."""
        told = hashlib.sha256()
        for view in self.looked_at:
            name = self.protocol.view_names.get(view.name, view.name)
            told.update(f"{view.name} as {name}:".encode())
            told.update(view.right_target_P.tobytes() + view.right_item_P.tobytes())
        return told.hexdigest()

    def values(self, system: str, score: Score) -> dict[Figure, NDArray[np.float64]]:
        """Every figure of a ranking by ``score``, a number for each unit."""
        systems, items = {system: score}, len(self.prepared.items)
        with self.progress.step(f"Ranking by {system}"):
            ranked = rank_all(systems, self.targets, self.looked_at, items, Silent())
        values: dict[Figure, NDArray[np.float64]] = {}
        for (_, view), found in ranked.items():
            name = self.protocol.view_names.get(view, view)
            for metric, value_U in unit_values(found, view, self.targets, items).items():
                values[Figure(name, "match", metric)] = value_U
        return values


def unit_values(
    found: Ranked, view: str, targets: MatchTargets, items: int
) -> dict[str, NDArray[np.float64]]:
    """Metrics of a view by what is drawn again: shoppers; in view ``cold`` the items asked for."""
    if view == "cold":
        places_P = found.ranks.last_P - found.ranks.first_P + 1
        within_P = np.minimum(found.ranks.last_P, _COLD_PLACES) - found.ranks.first_P + 1
        _, item_P = np.unique(found.item_P, return_inverse=True)
        share_U = np.bincount(item_P, within_P.clip(0) / places_P) / np.bincount(item_P)
        return {f"recall@{_COLD_PLACES}": share_U}
    hit_T = hit_rate_at_k(found.ranks, found.target_P, found.right_T, K)
    values = {
        f"ndcg@{K}": found.ndcg(K),
        f"hr@{K}": hit_T,
        f"recall@{K}": found.recall(K),
        "mrr": found.reciprocal_rank(items),
    }
    return {metric: per_owner(value_T, targets) for metric, value_T in values.items()}


def compare(protocol: Protocol, asking: Asking, progress: Progress) -> Result:
    """Run every system that was asked for; one that fails is a row with the reason."""
    began = time.perf_counter()
    absent = absent_peers(asking.scripts, asking.environments)
    peers = peer_names(asking.scripts, "rank")
    models = [name for name in asking.systems if name.partition("/")[0] in peers]
    parts = any(name in ("variants", *protocol.variants) for name in asking.systems)
    asking.refuse_unknown([*_GROUPS, *protocol.variants, *peers, *absent, *models])
    with TemporaryDirectory(prefix=f"{protocol.name}-") as folder:
        scratch = Path(folder)
        settings = (_FAIR, *asking.settings)
        shop = shop_of(asking.data, protocol.dataset, scratch, settings, progress)
        prepared = prepared_shop(shop, scratch / "prepared", progress)
        # The words are the published set's; another shop's protocol is what its shop.toml says.
        words = protocol.words if shop.published else protocol_of(prepared)
        contest = _contest(protocol, prepared, progress, Kept(asking.keep))
        _random_order(contest)
        if asking.wants(OURS):
            with counted_as_failed(contest.board.fail, OURS):
                _ours(contest, shop, asking, scratch)
        for name, changes in protocol.variants.items():
            if asking.wants("variants", name):
                changed = shop._replace(settings=(*shop.settings, *changes))
                with counted_as_failed(contest.board.fail, name):
                    _ours(contest, changed, asking, scratch, name)
        if asking.wants("baselines"):
            with counted_as_failed(contest.board.fail, "baselines"):
                _baselines(contest, shop)
        for name, reason in absent.items():
            if asking.wants("peers", name):
                contest.board.fail(name, reason)
        if models or any(asking.wants("peers", name) for name in peers):
            _peers(contest, asking, scratch)
    board, headline = contest.board, protocol.view_names.get(contest.looked_at[0].name)
    figure = Figure(headline or contest.looked_at[0].name, "match", f"ndcg@{K}")
    return Result(
        benchmark=protocol.name,
        section=f"{protocol.name}, parts" if parts else "",
        protocol=f"{words} Budget {asking.minutes:g} minutes a system and seed.",
        data=_data(contest),
        figures=board.seed_figures(figure),
        seconds=round(time.perf_counter() - began, 1),
        peak_mib=peak_mib(),
        rows=board.rows(),
        differences=board.differences(protocol.compared),
        systems=board.about,
        notes=board.notes,
    )


def _contest(
    protocol: Protocol, prepared: PreparedShop, progress: Progress, kept: Kept
) -> _Contest:
    targets = match_targets(prepared, "test")
    if len(targets) == 0:
        raise DataError(f"{protocol.name}: the test has no request over the whole catalogue")
    taken = taken_in(prepared, LEARNED)
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    looked_at = views(prepared, targets, warm_V)
    if protocol.rare:
        count_V = np.bincount(taken.item_E, minlength=taken.items)
        looked_at.append(_of_rare_items(looked_at[0], count_V, protocol.rare))
    weights = {
        view.name: np.unique(view.right_item_P, return_counts=True)[1].astype(np.float64)
        for view in looked_at
        if view.name == "cold"
    }
    return _Contest(protocol, prepared, targets, looked_at, Board(weights, kept=kept), progress)


def _of_rare_items(view: View, count_V: NDArray[np.int64], most: int) -> View:
    """The same rankings, asked for the right items alone that few took."""
    count_P = count_V[view.right_item_P]
    few_P = (count_P > 0) & (count_P <= most)
    return replace(
        view,
        name=f"taken {most} times at most",
        right_target_P=view.right_target_P[few_P],
        right_item_P=view.right_item_P[few_P],
    )


def _data(contest: _Contest) -> dict[str, Any]:
    prepared = contest.prepared
    counts: dict[str, Any] = {
        "items": len(prepared.items),
        "shoppers": len(prepared.owners),
        "interactions before the test": len(taken_in(prepared, LEARNED).item_E),
        "requests of the test": len(contest.targets),
    }
    for view in contest.looked_at:
        name = contest.protocol.view_names.get(view.name, view.name)
        counts[f"pairs in view {name}"] = len(view.right_item_P)
        counts[f"requests in view {name}"] = len(np.unique(view.right_target_P))
    return {
        "name": name_of(prepared),
        "fingerprint": prepared.manifest.data_fingerprint,
        "counts": counts,
    }


def _random_order(contest: _Contest) -> None:
    """All scores alike: what a random order is expected to earn."""
    items = len(contest.prepared.items)
    contest.hold(RANDOM, lambda _, rows: np.zeros((len(rows), items), np.float32))


def _ours(contest: _Contest, shop: Shop, asking: Asking, scratch: Path, system: str = OURS) -> None:
    """One run a seed. A refit takes as long again, so each of the two gets half of the budget."""
    halves = 2 if shop.config().train.refit else 1
    for seed in range(asking.seeds):
        minutes = f"train.minutes={asking.minutes / halves}"
        config = shop.config(minutes, f"train.seed={seed}")
        # The same code on the same data by the same options: nobody need learn it again.
        key = {
            "ours": config.model_dump(mode="json"),
            "code": own_code(),
            "data": contest.prepared.manifest.data_fingerprint,
            "task": contest.digest(),
        }
        answer = contest.board.kept.found(key)
        if answer is None:
            answer = _learned(contest, config, scratch, system)
            contest.board.kept.keep(key, answer)
        contest.board.about.append({"system": system, "seed": seed, **answer.about})
        if not contest.board.add(system, values_of(answer.arrays)):
            break


def _learned(contest: _Contest, config: ShopConfig, scratch: Path, system: str) -> Answer:
    began = time.perf_counter()
    manifest = learn(contest.prepared, scratch / "run", config, contest.progress)
    seconds = round(time.perf_counter() - began, 1)
    facts = {name: manifest.facts[name] for name in ("best_step", "steps", "validation")}
    scorer = RunScorer(open_run(scratch / "run"), contest.prepared)
    return Answer({"seconds": seconds, **facts}, arrays_of(contest.values(system, scorer.match)))


def own_code() -> str:
    """One digest of every module that Shelfwise is made of."""
    folder = Path(shelfwise.__file__).parent
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    return fingerprint_of({name: file_digest(path) for name, path in sorted(files.items())})


def arrays_of(values: Values) -> Arrays:
    """Values by figure, as they are kept."""
    return {"|".join(figure): value_U for figure, value_U in values.items()}


def values_of(arrays: Arrays) -> Values:
    """The other way."""
    return {Figure(*name.split("|")): value_U for name, value_U in arrays.items()}


def _baselines(contest: _Contest, shop: Shop) -> None:
    encoder = shop.config().model.encoder
    rivals = baselines(contest.prepared, contest.progress, encoder)
    contest.board.notes.extend(rivals.notes)
    for rival in rivals.found:
        with counted_as_failed(contest.board.fail, rival.name):
            contest.hold(rival.name, rival.scores)
        told = {"system": rival.name, "settings": rival.setting._asdict(), "tried": rival.tried}
        contest.board.about.append(told | {"validation": {f"ndcg@{K}": rival.validation}})


def _peers(contest: _Contest, asking: Asking, scratch: Path) -> None:
    """Each by its defaults and, apart from it, tuned by its own means in the same time."""
    task = write_task(contest.prepared, contest.targets, contest.protocol.name, scratch / "task")

    def read(out: Path) -> Arrays:
        return arrays_of(contest.values("a peer", read_scores(task, out).scores))

    def hold(system: str, arrays: Arrays, about: dict[str, Any]) -> bool:
        contest.board.about.append(about)
        return contest.board.add(system, values_of(arrays))

    digest = fingerprint_of(file_digests(task), contest.digest())
    Turns("rank", task, digest, read, hold, contest.board.fail).ask(asking, contest.progress)
