"""What is searched where nobody said: the options that tell most on this kind of shop."""

from __future__ import annotations

from shelfwise.data.prepared import Prepared, PreparedJudgements, PreparedPairs, PreparedShop

_ALL = ("train.learning_rate", "train.encoder_learning_rate", "train.weight_decay")
_TEXTS = (*_ALL, "model.heads.dropout")
_JUDGED = (
    *_ALL,
    "train.relevance.batch_pairs",
    "train.relevance.list_net_weight",
    "train.relevance.lambda_weight",
    "model.encoder.tuning.layers",
)
_SHOP = (
    *_ALL,
    "train.batch_requests",
    "train.match_loss.label_smoothing",
    "model.history.dropout",
    "model.id_dropout",
    "model.match_scale",
)
_SHOWN = ("train.match_weight", "train.purchase_weight", "model.heads.dropout")


def usual_options(prepared: Prepared) -> tuple[str, ...]:
    """Options by section.key."""
    match prepared:
        case PreparedPairs():
            return _TEXTS
        case PreparedJudgements():
            return _JUDGED
        case PreparedShop():
            return (*_SHOP, *(_SHOWN if prepared.has_impressions else ()))
