"""Entire-space multi-task loss (Ma et al., 2018, arXiv:1804.07931).

Shape suffixes in this file: B = impressions in the batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, logaddexp

from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean


class LossTerms(NamedTuple):
    total: Tensor  # ()
    click: Tensor  # ()
    purchase: Tensor  # ()


class RowUse(NamedTuple):
    """How much each impression counts, and whether its purchase label can be read yet."""

    weight_B: Tensor | None = None  # 0 or more; 1 where left out
    known_B: Tensor | None = (
        None  # bool; true where left out, false while the purchase window is open
    )


EVERY_ROW = RowUse()


def entire_space_loss(
    click_logit_B: Tensor,
    convert_logit_B: Tensor,
    clicked_B: Tensor,
    purchased_B: Tensor,
    *,
    use: RowUse = EVERY_ROW,
    purchase_weight: float = 1.0,
) -> LossTerms:
    """Train click and conversion heads on every impression, not only on clicked ones.

    With ``p_click = sigmoid(click_logit)`` and ``p_convert = sigmoid(convert_logit)``,
    the observable event "bought" has probability ``p_click * p_convert``. Supervising
    that product, instead of ``p_convert`` on clicked rows alone, removes the selection
    bias of learning conversion from clicks. A row whose purchase is not known yet
    teaches the click head alone: to call it unbought would teach that new items do not sell.

    Args:
        click_logit_B: ``[B]`` float. Logit of P(click | impression).
        convert_logit_B: ``[B]`` float. Logit of P(purchase | click).
        clicked_B: ``[B]`` float in {0, 1}.
        purchased_B: ``[B]`` float in {0, 1}; ``purchased <= clicked`` in every row. What
            stands in a row that is not known is not read.
        use: Weights of the rows, and which purchases are known.
        purchase_weight: Weight of the purchase term in the total (lambda).

    Returns:
        Scalar weighted means over the batch, the purchase term over its known rows:
        ``total = click + purchase_weight * purchase``.
    """
    click_logit_B = at_least_float32(click_logit_B)
    convert_logit_B = at_least_float32(convert_logit_B)
    click_loss_B = F.binary_cross_entropy_with_logits(
        click_logit_B, clicked_B.to(click_logit_B.dtype), reduction="none"
    )
    click = weighted_mean(click_loss_B, use.weight_B)

    # P(bought) = pq and P(not bought) = (1-p) + p(1-q), both kept in log space so that
    # neither a rare purchase nor a confident head sends log() to -inf.
    log_p_B = F.logsigmoid(click_logit_B)
    log_bought_B = log_p_B + F.logsigmoid(convert_logit_B)
    log_not_bought_B = logaddexp(
        F.logsigmoid(-click_logit_B), log_p_B + F.logsigmoid(-convert_logit_B)
    )
    bought_B = _known_purchases(purchased_B, use).to(log_p_B.dtype)
    purchase_loss_B = -(bought_B * log_bought_B + (1 - bought_B) * log_not_bought_B)
    purchase = weighted_mean(purchase_loss_B, _purchase_weights(use, purchase_loss_B))

    return LossTerms(click + purchase_weight * purchase, click, purchase)


def _known_purchases(purchased_B: Tensor, use: RowUse) -> Tensor:
    return purchased_B if use.known_B is None else purchased_B.where(use.known_B, 0)


def _purchase_weights(use: RowUse, like_B: Tensor) -> Tensor | None:
    if use.known_B is None:
        return use.weight_B
    known_B = use.known_B.to(like_B.dtype)
    return known_B if use.weight_B is None else known_B * use.weight_B
