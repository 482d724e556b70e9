"""Where an attack did most: groups of requests, and single requests.

Shape suffixes in this file: T = targets of an attack, V = items.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.targets import MatchTargets
from shelfwise.evaluation.attacks.curve import Drawing
from shelfwise.evaluation.attacks.shop import Harm
from shelfwise.evaluation.attacks.victim import Victim
from shelfwise.evaluation.match import View
from shelfwise.evaluation.per_owner import per_owner

_FEWEST = 20  # requests below which a group is not told
_MOST = 10  # groups told


@dataclass(frozen=True, slots=True)
class DamagedSlice:
    """A group of requests under the strongest form of an attack."""

    attack: str
    name: str
    requests: int
    clean: float
    attacked: float
    lost: float
    lost_low: float
    lost_high: float


@dataclass(frozen=True, slots=True)
class HarmedRequest:
    """A search whose right answer went furthest down."""

    typed: str
    attacked: str
    right: str  # title of the right answer
    clean: float  # NDCG
    left: float
    first: str  # what stands first under the attack


def damaged_slices(victim: Victim, harms: list[Harm]) -> list[DamagedSlice]:
    """The groups that lose most, of all attacks, worst first."""
    drawing = Drawing(victim.options.draws, victim.options.seed)
    found = []
    for harm in harms:
        targets = harm.targets
        for name, inside_T in _groups(victim, targets):
            known_T = inside_T & ~np.isnan(harm.clean_T)
            if known_T.sum() < _FEWEST:
                continue
            clean_T, attacked_T = (
                np.where(known_T, value_T, np.nan) for value_T in (harm.clean_T, harm.attacked_T)
            )
            clean_U, attacked_U = (per_owner(v, targets) for v in (clean_T, attacked_T))
            lost = drawing.difference(clean_U, attacked_U)
            found.append(
                DamagedSlice(
                    harm.curve.attack,
                    name,
                    int(known_T.sum()),
                    float(np.nanmean(clean_U)),
                    float(np.nanmean(attacked_U)),
                    *lost[:3],
                )
            )
    certain = [one for one in found if one.lost_low > 0]
    return sorted(certain, key=lambda one: -one.lost)[:_MOST]


def _groups(victim: Victim, targets: MatchTargets) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    begin_T = victim.prepared.history.offset_U1[targets.owner_T]
    past_T = targets.end_T - begin_T
    for name, low, high in (
        ("no history", 0, 0),
        ("1 to 4 events before", 1, 4),
        ("5 to 19 events before", 5, 19),
        ("20 events before or more", 20, np.inf),
    ):
        yield name, (past_T >= low) & (past_T <= high)
    words_T = np.array(
        [
            len(victim.scorer.queries.texts[query].split()) if query >= 0 else 0
            for query in targets.query_T.tolist()
        ]
    )
    yield "nothing typed", words_T == 0
    yield "one word typed", words_T == 1
    yield "two words typed", words_T == 2  # as it says
    yield "three words typed or more", words_T > 2
    yield from _by_popularity(victim, targets)


def _by_popularity(
    victim: Victim, targets: MatchTargets
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """By the most popular right answer: head, the items that make up half of what was taken."""
    times_V = victim.times_V
    order = np.argsort(-times_V, kind="stable")
    share = times_V[order].cumsum() / max(1, times_V.sum())
    head_V = np.zeros(len(times_V), bool)
    head_V[order[: int(np.searchsorted(share, 0.5)) + 1]] = True
    is_head_T = np.zeros(len(targets), bool)
    is_head_T[targets.right_target_P[head_V[targets.right_item_P]]] = True
    yield "popular right answers", is_head_T
    yield "rarer right answers alone", ~is_head_T


def harmed_requests(victim: Victim, harms: list[Harm]) -> list[HarmedRequest]:
    """Searches whose answer suffered most from noise in what was typed."""
    found = []
    titles = victim.prepared.items["title"].to_list()
    for harm in (one for one in harms if one.typed[0]):
        lost_T = np.nan_to_num(harm.clean_T - harm.attacked_T)
        worst = np.argsort(-lost_T, kind="stable")[: victim.options.examples]
        targets = harm.targets
        right = _first_right(victim.view(targets))
        before, after = harm.typed
        for row in worst.tolist():
            if lost_T[row] <= 0:
                break
            one = targets.chosen(np.array([row]))
            scorer, asked = victim.asking(one, [after[row]])
            first = int(victim.ranked(scorer.match, asked, victim.view(one)).top_TK[0, 0])
            found.append(
                HarmedRequest(
                    before[row],
                    after[row],
                    titles[right[row]],
                    float(harm.clean_T[row]),
                    float(harm.attacked_T[row]),
                    titles[first],
                )
            )
    return found


def _first_right(view: View) -> Mapping[int, int]:
    found: dict[int, int] = {}
    for row, item in zip(view.right_target_P.tolist(), view.right_item_P.tolist(), strict=True):
        found.setdefault(row, item)
    return found
