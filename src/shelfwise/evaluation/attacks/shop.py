"""The attacks that a shop's run is put through.

Shape suffixes in this file: T = targets, U = owners, V = items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from shelfwise.data.near_sounds import near_sounds
from shelfwise.data.targets import MatchTargets
from shelfwise.data.text_noise import Noise, noisy
from shelfwise.evaluation.attacks.curve import Attack, Curve, Drawing, curve_of
from shelfwise.evaluation.attacks.gradient import RADIUS, hardest, under
from shelfwise.evaluation.attacks.histories import HISTORY_NOISES, disturbed
from shelfwise.evaluation.attacks.victim import Victim, unlikelihood
from shelfwise.evaluation.per_owner import per_owner
from shelfwise.evaluation.stored_answers import evenly_spread
from shelfwise.models.config import FlatTextHistory, NoHistory
from shelfwise.models.places import PlaceName, reachable
from shelfwise.schema.progress import Progress

QUERY_NOISE = Attack(
    "query noise",
    "typos, swapped letters, shouting, lost spaces, lookalike letters, near sounds and shapes, "
    "dropped and other words in what is typed",
    "share of words",
)
TITLE_NOISE = Attack("title noise", "the same in the titles of all items", "share of words")
_HISTORY_ABOUT = {
    "accidental clicks": "looks at any item, between what was done",
    "dropped events": "what was done and not logged",
    "shuffled order": "items that change places in the history",
}
_GRADIENT_ABOUT = {
    "words": "word vectors of what is typed, moved against the network",
    "items": "vectors of items, moved against the network",
    "history": "vectors of what was done, moved against the network",
}
_FEWEST = 10  # targets below which a curve says nothing


class Harm(NamedTuple):
    """An attack's curve, with each request's share in it at the strongest."""

    curve: Curve
    targets: MatchTargets
    clean_T: NDArray[np.float64]
    attacked_T: NDArray[np.float64]
    typed: tuple[list[str], list[str]] = ([], [])  # before and after, where words are attacked


def attack_shop(victim: Victim, progress: Progress) -> tuple[list[Harm], list[str]]:
    """Every attack that the shop's requests can meet, and notes on those that they cannot."""
    harms: list[Harm] = []
    notes: list[str] = []
    attacks = (_query_noise, _title_noise, _history_noise, _gradients)
    with progress.step("Attacks", total=len(attacks)) as step:
        for attack in attacks:
            for found in attack(victim):
                if isinstance(found, str):
                    notes.append(found)
                else:
                    harms.append(found)
            step.advance()
    return harms, notes


def _query_noise(victim: Victim) -> list[Harm | str]:
    targets, options = victim.searches, victim.options
    if len(targets) < _FEWEST:
        return [f"Query noise: only {len(targets)} searches of the test led anywhere; left out."]
    typed, view = victim.typed(targets), victim.view(targets)
    attacked, last, sounds = [], typed, near_sounds()
    for share in options.noise_shares:
        last = noisy(typed, Noise(share, sounds=sounds), options.seed)
        scorer, asked = victim.asking(targets, last)
        attacked.append((share, victim.ndcg(scorer.match, asked, view)))
    clean_T = victim.ndcg(victim.scorer.match, targets, view)
    harm = _harm(victim, QUERY_NOISE, targets, clean_T, attacked)
    return [harm._replace(typed=(typed, last))]


def _title_noise(victim: Victim) -> list[Harm | str]:
    if not victim.reads_titles:
        return ["Title noise: the run tells items by their ids; left out."]
    targets, texts = victim.targets, list(victim.run.item_texts)
    attacked, sounds = [], near_sounds()
    for share in victim.options.noise_shares:
        changed = noisy(texts, Noise(share, sounds=sounds), victim.options.seed)
        scorer = victim.with_titles(
            {n: new for n, (old, new) in enumerate(zip(texts, changed, strict=True)) if old != new}
        )
        attacked.append((share, victim.ndcg(scorer.match, targets, victim.headline)))
    return [_harm(victim, TITLE_NOISE, targets, victim.clean_T, attacked)]


def _history_noise(victim: Victim) -> list[Harm | str]:
    targets = victim.targets
    found: list[Harm | str] = []
    for noise in HISTORY_NOISES:
        attack = Attack(noise, _HISTORY_ABOUT[noise], "share of events")
        attacked = []
        for share in victim.options.noise_shares:
            history, moved = disturbed(
                victim.prepared.history,
                targets,
                noise,
                share,
                len(victim.prepared.items),
                victim.options.seed,
            )
            scorer = victim.with_history(history)
            attacked.append((share, victim.ndcg(scorer.match, moved, victim.headline)))
        found.append(_harm(victim, attack, targets, victim.clean_T, attacked))
    return found


def _gradients(victim: Victim) -> list[Harm | str]:
    found: list[Harm | str] = []
    places: tuple[PlaceName, ...] = ("items", "history", "words")
    history = victim.run.model.options.history
    for place in places:
        if place == "history" and isinstance(history, NoHistory | FlatTextHistory):
            found.append(f"Gradient on history: histories are read as {history.kind}; left out.")
            continue
        targets = victim.searches if place == "words" else victim.targets
        if len(targets) < _FEWEST:
            reached = len(targets)
            found.append(f"Gradient on {place}: only {reached} requests it can reach; left out.")
            continue
        some = evenly_spread(targets, victim.options.gradient_targets)
        found.append(_gradient(victim, place, some))
    return found


def _gradient(victim: Victim, place: PlaceName, targets: MatchTargets) -> Harm:
    options = victim.options
    view = victim.view(targets)
    scores = _scores_of(victim, targets, anew=place)
    everyone = np.arange(len(targets))
    places = reachable(victim.run.model, victim.run.encoder)
    attacked = []
    for radius in options.radii:
        nudges = hardest(
            lambda: unlikelihood(scores(), view, everyone),
            places,
            place,
            radius=radius,
            steps=options.gradient_steps,
        )
        moved_TV = under(places, nudges, scores).numpy()
        attacked.append((radius, victim.ndcg(lambda _, at: moved_TV[at], targets, view)))  # noqa: B023  # asked at once
    clean_T = victim.ndcg(victim.scorer.match, targets, view)
    attack = Attack(f"gradient on {place}", _GRADIENT_ABOUT[place], RADIUS)
    return _harm(victim, attack, targets, clean_T, attacked)


def _scores_of(victim: Victim, targets: MatchTargets, anew: PlaceName) -> Callable[[], Tensor]:
    """``[T, V]`` scores, with gradient back to the vectors of what is worked out anew."""
    run, model = victim.run, victim.run.model
    requests, query_texts = victim.requests(targets, np.arange(len(targets)))
    chosen = victim.scorer.queries.chosen(query_texts)
    known = run.catalogue(chosen)

    def scores() -> Tensor:
        model.eval()
        catalogue = known
        if anew == "words":
            vector_QH = run.read(chosen.tokens)
            catalogue = known._replace(
                query_QD=model.query_vectors(vector_QH), query_text_QH=vector_QH
            )
        if anew == "items":
            fresh = model.catalogue(run.inputs, chosen.vector_QH)
            catalogue = known._replace(item_VD=fresh.item_VD, target_VD=fresh.target_VD)
        request_RD = model.request_vectors(requests, catalogue)
        return model.match_scores(request_RD, requests, catalogue)

    return scores


def _harm(
    victim: Victim,
    attack: Attack,
    targets: MatchTargets,
    clean_T: NDArray[np.float64],
    attacked: Sequence[tuple[float, NDArray[np.float64]]],
) -> Harm:
    options = victim.options
    curve = curve_of(
        attack,
        f"ndcg@{options.k}",
        per_owner(clean_T, targets),
        [(strength, per_owner(value_T, targets)) for strength, value_T in attacked],
        Drawing(options.draws, options.seed),
    )
    return Harm(curve, targets, clean_T, attacked[-1][1])
