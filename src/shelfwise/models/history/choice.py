"""The one place where options become a history encoder."""

from __future__ import annotations

from shelfwise.models.config import (
    FlatTextHistory,
    HistoryEncoderOptions,
    MeanPoolHistory,
    NoHistory,
    TargetAttentionHistory,
    TransformerHistory,
)
from shelfwise.models.history.flat_text import FlatText
from shelfwise.models.history.mean_pool import MeanPool
from shelfwise.models.history.request_alone import RequestAlone
from shelfwise.models.history.target_attention import TargetAttention
from shelfwise.models.history.transformer import TransformerHistoryEncoder
from shelfwise.models.history_encoder import HistoryEncoder


def history_encoder(width: int, kinds: int, options: HistoryEncoderOptions) -> HistoryEncoder:
    """A history encoder with fresh weights.

    Args:
        width: D, length of item, query and request vectors.
        kinds: of behaviour.
        options: which one, and its sizes.
    """
    match options:
        case TransformerHistory():
            return TransformerHistoryEncoder(width, kinds, options)
        case MeanPoolHistory():
            return MeanPool(width, kinds)
        case TargetAttentionHistory():
            return TargetAttention(width, kinds, options)
        case FlatTextHistory():
            return FlatText(width)
        case NoHistory():
            return RequestAlone(width)
