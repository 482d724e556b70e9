"""How likely an item is that nobody has taken yet, as a group beside all others.

Counts cannot place an item that has none: a zero puts it behind everything that ever sold. What is
known is how large a share of matches went to items that nobody had met when a ranking was made. So
all items not yet met get one logit between them, such that together they are expected that share;
which of them it is, their text says.

Shape suffixes in this file: R = requests, V = items.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
import torch

from shelfwise.data.attribution import DAY
from shelfwise.data.batches import Examples, gather
from shelfwise.data.item_facts import first_met
from shelfwise.data.part_rows import believed, rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.models.inputs import as_requests
from shelfwise.training.network import Network

_MOST = 512  # requests, the latest, over which the share is expected
_ROWS = 256
_LATELY = 90 * DAY  # how far back the share of newcomers is counted
_USUAL, _WORTH = 0.01, 50  # share where nothing is known of it, and the matches that this is worth


def horizon_of(prepared: PreparedShop) -> int:
    """Microseconds that a ranking has to hold for: a period as long as validation, or a day."""
    if prepared.options.match.target == "next":
        return DAY
    return prepared.moments.end_of("validation") - prepared.moments.start_of("validation")


def share_of_newcomers(prepared: PreparedShop, parts: Sequence[Part], waiting: int) -> float:
    """Share of matches that will go to the ``waiting`` items which ``parts`` have not met.

    The last quarter of ``parts`` is cut into horizons, each of which begins with a ranking.
    Where fewer items wait than came in such a time, they are expected less; more do not bring
    more, for some never sell. Suspected fraud counts for nothing. A log that knows order alone says
    nothing of what came first: there the usual share is taken.
    """
    until = prepared.moments.known_until(parts)
    known = believed(rows_of_parts(prepared, prepared.positives, parts))
    taken = known.filter((pl.col("at") < until) & (pl.col("at") >= until - _LATELY))
    at_M = taken["at"].to_numpy()
    first_M = first_met(prepared)[taken["item"].cast(pl.Int64).to_numpy()]
    horizon = horizon_of(prepared)
    ranked_M = until - ((until - 1 - at_M) // horizon + 1) * horizon
    # Before a log begins everything is new; in its first horizon nearly all would be.
    counted_M = ranked_M >= prepared.moments.first + horizon
    if prepared.manifest.facts.get("clock") == "order":
        counted_M[:] = False
    new_M = counted_M & (first_M >= ranked_M)
    share = float((new_M.sum() + _USUAL * _WORTH) / (counted_M.sum() + _WORTH))
    rankings = len(np.unique(ranked_M[counted_M]))
    came = taken["item"].filter(pl.Series(new_M)).n_unique() / max(rankings, 1)
    return share * min(1.0, waiting / max(came, 1.0))


@torch.no_grad()
def place_cold(network: Network, prepared: PreparedShop, examples: Examples, share: float) -> None:
    """Set the logit of items not yet met, so that together they are expected ``share``.

    What all others are expected is what the network, as it is, says of the latest ``examples``.
    """
    model, cold_V = network.model, ~network.warm_V
    if not cold_V.any() or cold_V.all() or len(examples) == 0:
        return
    model.eval()
    model.cold_logit.zero_()
    gaps: list[torch.Tensor] = []
    rows = np.argsort(examples.at_R, kind="stable")[-_MOST:]
    for start in range(0, len(rows), _ROWS):
        batch = gather(prepared, examples, rows[start : start + _ROWS])
        now = network.moments(batch.at_R)
        device = network.bank.device
        asked = as_requests(
            *(batch.history, batch.query_R, batch.surface_R, device),
            now.moment_R,
            batch.fold_R,
        )
        catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
        request_RD = model.request_vectors(asked.requests, catalogue)
        score_RV = model.match_scores(request_RD, asked.requests, catalogue)
        gaps.append(score_RV[:, ~cold_V].logsumexp(1) - score_RV[:, cold_V].logsumexp(1))
    odds = math.log(share / (1 - share))
    model.cold_logit.fill_(odds + float(torch.cat(gaps).mean()))
