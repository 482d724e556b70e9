"""How likely an item is that nobody has taken yet, as a group beside all others.

Counts cannot place an item that has none: a zero puts it behind everything that ever sold. What is
known is how large a share of matches went to items on the day they first appeared. So all items
not yet met get one logit between them, such that together they are expected that share; which of
them it is, their text says.

Shape suffixes in this file: R = requests, V = items.
"""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import torch

from shelfwise.data.attribution import DAY
from shelfwise.data.batches import Examples, gather
from shelfwise.data.item_facts import first_met
from shelfwise.data.prepared import PreparedShop
from shelfwise.models.inputs import as_requests
from shelfwise.training.network import Network

_MOST = 512  # requests, the latest, over which the share is expected
_ROWS = 256
_LATELY = 90 * DAY  # how far back the share of newcomers is counted
_DOUBT = 0.5  # matches with newcomers that nobody saw: none in a short log is not never


def share_of_newcomers(prepared: PreparedShop, until: int) -> float:
    """Share of the last quarter's matches before ``until`` that went to items new on that day."""
    taken = prepared.positives.filter((pl.col("at") < until) & (pl.col("at") >= until - _LATELY))
    at_M = taken["at"].to_numpy()
    first_M = first_met(prepared)[taken["item"].cast(pl.Int64).to_numpy()]
    if prepared.manifest.facts.get("clock") == "order":  # what came first is not known
        counted_M, new_M = np.ones(len(at_M), bool), np.zeros(len(at_M), bool)
    else:
        counted_M = at_M >= prepared.moments.first + DAY  # on a log's first day all is new
        new_M = counted_M & (at_M - first_M < DAY)
    return float((new_M.sum() + _DOUBT) / (counted_M.sum() + 2 * _DOUBT))


@torch.no_grad()
def place_cold(network: Network, prepared: PreparedShop, examples: Examples) -> None:
    """Set the logit of items not yet met, from what the network says of ``examples`` as it is."""
    model, cold_V = network.model, ~network.warm_V
    if not cold_V.any() or cold_V.all() or len(examples) == 0:
        return
    model.eval()
    model.cold_logit.zero_()
    gaps: list[torch.Tensor] = []
    rows = np.arange(len(examples))[-_MOST:]
    for start in range(0, len(rows), _ROWS):
        batch = gather(prepared, examples, rows[start : start + _ROWS])
        now = network.moments(batch.at_R)
        device = network.bank.device
        asked = as_requests(batch.history, batch.query_R, batch.surface_R, device, now.moment_R)
        catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
        request_RD = model.request_vectors(asked.requests, catalogue)
        score_RV = model.match_scores(request_RD, asked.requests, catalogue)
        gaps.append(score_RV[:, ~cold_V].logsumexp(1) - score_RV[:, cold_V].logsumexp(1))
    share = share_of_newcomers(prepared, network.frozen_at)
    odds = math.log(share / (1 - share))
    model.cold_logit.fill_(odds + float(torch.cat(gaps).mean()))
