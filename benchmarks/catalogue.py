"""Benchmarks that rank a whole catalogue: ours, the baselines and other libraries, one split.

Every system answers the same requests of the test; its scores meet the same views and metrics.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.asking import Asking
from benchmarks.board import Board, Figure
from benchmarks.peer_task import K, write_task
from benchmarks.peers_ranking import (
    Asked,
    Peer,
    PeerError,
    ask_peer,
    peer_names,
    peers_of,
    uninstalled_peers,
)
from benchmarks.result import Result, peak_mib
from benchmarks.shops import Shop, prepared_shop, shop_of
from shelfwise.data.part_rows import LEARNED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.baselines.choose import baselines, taken_in
from shelfwise.evaluation.match import Ranked, Score, View, rank_all, views
from shelfwise.evaluation.per_owner import per_owner
from shelfwise.evaluation.report import OURS
from shelfwise.evaluation.run_scorer import RunScorer
from shelfwise.evaluation.summary import protocol_of
from shelfwise.metrics.hit_rate import hit_rate_at_k
from shelfwise.ranking.loaded_run import open_run
from shelfwise.schema.errors import DataError, ShelfwiseError
from shelfwise.schema.progress import Progress, Silent
from shelfwise.training.train import train

_COLD_PLACES = 100
_GROUPS = (OURS, "baselines", "peers")
RANDOM = "random order"


@dataclass(frozen=True, slots=True)
class Protocol:
    """What is fixed of a benchmark, so that figures of different days compare."""

    name: str
    dataset: str  # the reader of the published form
    words: str  # the protocol in sentences
    view_names: Mapping[str, str] = field(default_factory=dict)  # a view -> as rows name it
    compared: Sequence[str] = (f"ndcg@{K}", f"recall@{_COLD_PLACES}")  # metrics of differences


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
        systems, items = {system: score}, len(self.prepared.items)
        with self.progress.step(f"Ranking by {system}"):
            ranked = rank_all(systems, self.targets, self.looked_at, items, Silent())
        values: dict[Figure, NDArray[np.float64]] = {}
        for (_, view), found in ranked.items():
            name = self.protocol.view_names.get(view, view)
            for metric, value_U in unit_values(found, view, self.targets, items).items():
                values[Figure(name, "match", metric)] = value_U
        return self.board.add(system, values)


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
    asking.refuse_unknown([*_GROUPS, *peer_names(asking.scripts)])
    with TemporaryDirectory(prefix=f"{protocol.name}-") as folder:
        scratch = Path(folder)
        shop = shop_of(asking.data, protocol.dataset, scratch, asking.settings, progress)
        prepared = prepared_shop(shop, scratch / "prepared", progress)
        # The words are the published set's; another shop's protocol is what its shop.toml says.
        words = protocol.words if shop.published else protocol_of(prepared)
        contest = _contest(protocol, prepared, progress)
        _random_order(contest)
        if asking.wants(OURS):
            with _counted_as_failed(contest, OURS):
                _ours(contest, shop, asking, scratch)
        if asking.wants("baselines"):
            with _counted_as_failed(contest, "baselines"):
                _baselines(contest, shop)
        wanted = [name for name in peer_names(asking.scripts) if asking.wants("peers", name)]
        if wanted:
            _peers(contest, wanted, asking, scratch)
    board, headline = contest.board, protocol.view_names.get(contest.looked_at[0].name)
    figure = Figure(headline or contest.looked_at[0].name, "match", f"ndcg@{K}")
    return Result(
        benchmark=protocol.name,
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


def _contest(protocol: Protocol, prepared: PreparedShop, progress: Progress) -> _Contest:
    targets = match_targets(prepared, "test")
    if len(targets) == 0:
        raise DataError(f"{protocol.name}: the test has no request over the whole catalogue")
    taken = taken_in(prepared, LEARNED)
    warm_V = np.bincount(taken.item_E, minlength=taken.items) > 0
    looked_at = views(prepared, targets, warm_V)
    weights = {
        view.name: np.unique(view.right_item_P, return_counts=True)[1].astype(np.float64)
        for view in looked_at
        if view.name == "cold"
    }
    return _Contest(protocol, prepared, targets, looked_at, Board(weights), progress)


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
    options = prepared.options.shop
    return {
        "name": options.name + (" (synthetic)" if options.synthetic else ""),
        "fingerprint": prepared.manifest.data_fingerprint,
        "counts": counts,
    }


@contextmanager
def _counted_as_failed(contest: _Contest, system: str) -> Iterator[None]:
    """A system's mistake costs its own rows, not the hours of the others."""
    try:
        yield
    except ShelfwiseError as error:
        contest.board.fail(system, str(error))


def _random_order(contest: _Contest) -> None:
    """All scores alike: what a random order is expected to earn."""
    items = len(contest.prepared.items)
    contest.hold(RANDOM, lambda _, rows: np.zeros((len(rows), items), np.float32))


def _ours(contest: _Contest, shop: Shop, asking: Asking, scratch: Path) -> None:
    """One run a seed. A refit takes as long again, so each of the two gets half of the budget."""
    halves = 2 if shop.config().train.refit else 1
    for seed in range(asking.seeds):
        minutes = f"train.minutes={asking.minutes / halves}"
        config = shop.config(minutes, f"train.seed={seed}")
        began = time.perf_counter()
        manifest = train(
            contest.prepared, scratch / "run", config.model, config.train, contest.progress
        )
        seconds = round(time.perf_counter() - began, 1)
        facts = {name: manifest.facts[name] for name in ("best_step", "steps", "validation")}
        scorer = RunScorer(open_run(scratch / "run"), contest.prepared)
        again = not contest.hold(OURS, scorer.match)
        contest.board.about.append({"system": OURS, "seed": seed, "seconds": seconds, **facts})
        if again:
            break


def _baselines(contest: _Contest, shop: Shop) -> None:
    encoder = shop.config().model.encoder
    rivals = baselines(contest.prepared, contest.progress, encoder)
    contest.board.notes.extend(rivals.notes)
    for rival in rivals.found:
        contest.hold(rival.name, rival.scores)
        told = {"system": rival.name, "settings": rival.setting._asdict(), "tried": rival.tried}
        contest.board.about.append(told | {"validation": {f"ndcg@{K}": rival.validation}})


def _peers(contest: _Contest, libraries: Sequence[str], asking: Asking, scratch: Path) -> None:
    """Each by its defaults and, apart from it, tuned by its own means in the same time."""
    name = contest.protocol.name
    task = write_task(contest.prepared, contest.targets, name, scratch / "task")
    for library, reason in uninstalled_peers(asking.scripts, asking.environments).items():
        contest.board.fail(library, reason)
    steps = len(libraries)
    with contest.progress.step("Peers", total=steps) as bar:
        for library in libraries:
            bar.note(library)
            for peer in _models(contest, library, asking):
                for tune in (False, True):
                    _one_peer(contest, peer, task, (asking, tune))
            bar.advance()


def _models(contest: _Contest, library: str, asking: Asking) -> list[Peer]:
    try:
        return list(peers_of(library, asking.scripts, asking.environments))
    except PeerError as error:
        contest.board.fail(library, str(error))
        return []


def _one_peer(contest: _Contest, peer: Peer, task: Path, how: tuple[Asking, bool]) -> None:
    asking, tune = how
    out = task.with_name("answer")
    for seed in range(asking.seeds):
        try:
            given = Asked(asking.minutes * 60, seed, tune)
            answer = ask_peer(peer, task, out, given)
            system = answer.about.get("system", peer.name) + (" (tuned)" if tune else "")
            again = not contest.hold(system, answer.scores)
            contest.board.about.append(answer.about | {"system": system, "seed": seed})
            if again:
                break
        except (ShelfwiseError, ValueError) as error:
            # One that fails in both ways for one reason is told once.
            if contest.board.failures.get(peer.name) != str(error):
                contest.board.fail(f"{peer.name}{' (tuned)' if tune else ''}", str(error))
            break
        finally:
            shutil.rmtree(out, ignore_errors=True)
