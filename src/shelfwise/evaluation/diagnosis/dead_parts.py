"""Are there parts of the network that do nothing, or can do no more?

Shape suffixes in this file: N = (request, item) pairs, R = requests, L = events, H = units.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from shelfwise.data.batches import gather
from shelfwise.evaluation.diagnosis.case import Case
from shelfwise.evaluation.diagnosis.finding import Evidence, Finding, Severity
from shelfwise.evaluation.diagnosis.gradients import Asked
from shelfwise.models.heads import POSITIONS
from shelfwise.models.history.flat_text import FlatText
from shelfwise.models.history.mean_pool import MeanPool
from shelfwise.models.history.request_alone import RequestAlone
from shelfwise.models.history.target_attention import TargetAttention
from shelfwise.models.history.transformer import TransformerHistoryEncoder
from shelfwise.models.inputs import as_requests
from shelfwise.models.requests import SURFACES
from shelfwise.models.shelf_model import ShelfModel
from shelfwise.training.answers import evenly_spread

_ROWS = 256  # requests that units are watched on
_STILL = 1e-4  # a unit that varies less says the same of everything
_DEAD_SHARE = 0.3
_ID_STD = 0.02  # that item embeddings start with
_FLAT = 0.02  # range of logits of places
_CLAMP = 100.0  # of the match's scale
_UNIFORM = 0.9999  # entropy over that of a plain mean


class Part(NamedTuple):
    """One part of the network, as it was found."""

    name: str
    ill: str  # what is wrong with it; "" for nothing
    evidence: Evidence


def dead_part_findings(case: Case, asked: list[Asked]) -> list[Finding]:
    """Everything that does nothing, in one finding."""
    model = case.network.model
    parts = [
        *_units(case),
        *_never_moved(model, case),
        *_places(model, case),
        _scale(model),
        *_unreached(case, asked),
    ]
    evidence = [part.evidence for part in parts]
    ill = [part for part in parts if part.ill]
    if ill:
        severity: Severity = "warning" if len(ill) > 1 else "note"
        return [
            Finding(
                "dead or saturated parts",
                severity,
                "; ".join(f"{part.name} {part.ill}" for part in ill[:6]) + ".",
                [part.evidence for part in ill] + [p.evidence for p in parts if not p.ill],
                "Train longer, or lower train.learning_rate if units died early; a part that a "
                "longer run still leaves unused can be switched off (model.id_embedding) or made "
                "smaller (model.heads.hidden, model.history.layers).",
            )
        ]
    return [
        Finding(
            "parts", "fine", "Every part of the network is in use, none at its limit.", evidence
        )
    ]


def _units(case: Case) -> Iterator[Part]:
    """Hidden units of the heads, and the weights with which the history is pooled."""
    heard, network = case.held_out, case.network
    rows = heard.rows[evenly_spread(len(heard.rows), _ROWS)]
    batch = gather(case.prepared, heard.examples, rows)
    if len(batch.query_R) == 0:
        return
    now = network.moments(batch.at_R)
    asked = as_requests(
        batch.history, batch.query_R, batch.surface_R, network.bank.device, now.moment_R
    )
    kept: dict[str, list[Tensor]] = {}
    watched = {
        name: part
        for name, part in network.model.named_modules()
        if isinstance(part, nn.GELU) or name in ("history.pool_query", "history.pool_key")
    }
    handles = [
        part.register_forward_hook(
            lambda _, __, out, name=name: kept.setdefault(name, []).append(out)
        )
        for name, part in watched.items()
    ]
    try:
        with torch.no_grad():
            catalogue = network.catalogue(asked.query_texts, now.trend_KVG)
            request_RD = network.model.request_vectors(asked.requests, catalogue)
            pairs = [torch.from_numpy(side) for side in (batch.shown_request_N, batch.shown_item_N)]
            if case.has_impressions and len(pairs[0]):
                network.model.judge(
                    request_RD, asked.requests, catalogue, (pairs[0], pairs[1]), None
                )
    finally:
        for handle in handles:
            handle.remove()
    for name, outs in kept.items():
        if not name.startswith("history.pool"):
            out = torch.cat([one.flatten(0, -2) for one in outs])
            dead = float((out.std(dim=0) < _STILL).float().mean())
            ill = (
                f"{dead:.0%} of its units say the same of everything" if dead > _DEAD_SHARE else ""
            )
            yield Part(
                name,
                ill,
                Evidence(f"{name}: share of dead units", dead, support=out.shape[1], of="units"),
            )
    if "history.pool_query" in kept:
        yield _attention(
            kept["history.pool_query"][0], kept["history.pool_key"][0], asked.requests.item_RL >= 0
        )


def _attention(query_RD: Tensor, key_RLD: Tensor, is_item_RL: Tensor) -> Part:
    """How evenly the history is pooled: 1 is a plain mean, as training began."""
    score_RL = torch.einsum("rd,rld->rl", query_RD, key_RLD) / query_RD.shape[-1] ** 0.5
    weight_RL = torch.softmax(score_RL.masked_fill(~is_item_RL, -1e9), dim=-1)
    several_R = is_item_RL.sum(-1) > 1
    entropy_R = -(weight_RL * weight_RL.clamp(min=1e-12).log()).sum(-1)[several_R]
    even = (
        float((entropy_R / is_item_RL.sum(-1)[several_R].log()).mean())
        if several_R.any()
        else float("nan")
    )
    ill = "weighs all events alike" if even > _UNIFORM else ""
    evidence = Evidence(
        "history.pool: evenness of attention (1: a plain mean)",
        even,
        support=int(several_R.sum()),
        of="requests",
    )
    return Part("history.pool", ill, evidence)


def _never_moved(model: ShelfModel, case: Case) -> Iterator[Part]:
    """Weights that training began at 0 and left there, and item embeddings as they were drawn."""
    zero_at_first = {
        **{f"history.{name}": weight for name, weight in _zero_in_history(model)},
    }
    if not isinstance(model.history, RequestAlone):
        zero_at_first["repeat"] = model.repeat.excitement.weight
    if _meets_words(case):
        zero_at_first["query_shift"] = model.query_shift.weight
    for name, weight in zero_at_first.items():
        largest = float(weight.detach().abs().max())
        ill = "never left 0" if largest < 1e-6 else ""
        yield Part(name, ill, Evidence(f"{name}: largest weight", largest))
    if model.item_id is not None and bool(case.network.warm_V.any()):
        std = float(model.item_id.weight.detach()[case.network.warm_V].std())
        ill = "is as it was drawn" if abs(std / _ID_STD - 1) < 0.02 else ""
        yield Part(
            "item_id",
            ill,
            Evidence("item_id: spread of warm items over that at first", std / _ID_STD),
        )


def _zero_in_history(model: ShelfModel) -> Iterator[tuple[str, Tensor]]:
    match model.history:
        case TransformerHistoryEncoder(out=out, pool_query=pool_query):
            yield from {"out": out.weight, "pool_query": pool_query.weight}.items()
        case MeanPool(weight=weight):
            yield "weight", weight.weight
        case TargetAttention(score=score):
            yield "score", score.weight
        case FlatText(shift=shift):
            yield "shift", shift.weight
        case RequestAlone(out=out):
            yield "out", out.weight


def _meets_words(case: Case) -> bool:
    """Whether training met typed words: a request's own, or those of an earlier search."""
    history = case.prepared.history
    searched = (history.query_E >= 0) & (history.item_E < 0)
    return bool((case.heard["train"].examples.query_R >= 0).any() or searched.any())


def _places(model: ShelfModel, case: Case) -> Iterator[Part]:
    """The tower of places, flat although places differ in how often they are clicked."""
    if not case.has_impressions:
        return
    answers = case.heard["train"].answers
    seen = np.unique(answers.position_N[answers.position_N > 0]).clip(max=POSITIONS - 1)
    if len(seen) < 2:
        return
    table = model.heads.position.weight.detach()[:, 0].reshape(len(SURFACES), POSITIONS)
    spread = float((table[:, seen].max(dim=1).values - table[:, seen].min(dim=1).values).max())
    ill = "is flat: every place counts the same" if spread < _FLAT else ""
    yield Part(
        "heads.position", ill, Evidence("heads.position: range of logits over places", spread)
    )


def _scale(model: ShelfModel) -> Part:
    scale = float(model.match_scale().detach())
    ill = f"is at its limit of {_CLAMP:.0f}" if scale >= _CLAMP * 0.99 else ""
    ill = ill or ("has all but gone" if scale < 0.5 else "")
    return Part("match scale", ill, Evidence("match scale", scale))


def _unreached(case: Case, asked: list[Asked]) -> Iterator[Part]:
    """Weights that no batch's loss depends on."""
    if not asked:
        return
    # Parts that the log cannot teach are not dead, they were never asked.
    never = ["auxiliary.", "task_weights."]  # of tasks that are not asked here
    never += [] if case.has_impressions else ["heads.", "past_weight"]
    never += [] if _meets_words(case) else ["query_shift"]
    if isinstance(case.network.model.history, RequestAlone):  # the past is not looked at
        never += ["repeat", "past_weight"]
    names = [name for name in asked[0].norm_of if not name.startswith(tuple(never))]
    longest = {name: max(one.norm_of[name] for one in asked) for name in names}
    still = [name for name, norm in longest.items() if norm < 1e-12]
    evidence = Evidence(
        "share of weights that no gradient reaches",
        len(still) / len(names),
        support=len(names),
        of="weights",
    )
    yield Part(", ".join(still[:3]), "is reached by no gradient" if still else "", evidence)
