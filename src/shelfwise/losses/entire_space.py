"""Entire-space multi-task loss (Ma et al., 2018, arXiv:1804.07931), and the one it corrects.

Shape suffixes in this file: B = impressions in the batch.
"""

from __future__ import annotations

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, logaddexp

from shelfwise.losses.generalised_cross_entropy import generalised_cross_entropy
from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean


class LossTerms(NamedTuple):
    total: Tensor  # ()
    click: Tensor  # ()
    purchase: Tensor  # ()


class RowUse(NamedTuple):
    """How much each impression counts, and how much of its purchase label has been seen yet."""

    weight_B: Tensor | None = None  # 0 or more; 1 where left out
    # Share of such rows' purchases that have come by their age: 1 once the window has closed (or
    # where left out), 0 where nothing can be said.
    arrived_B: Tensor | None = None
    doubt: float = 0.0  # as for `generalised_cross_entropy`


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
    bias of learning conversion from clicks.

    A row whose purchase window is open, not bought by an age at which a share F of purchases has
    come, has been seen not to have probability ``p_click * p_convert * F``; to call it unbought
    would teach that new items do not sell. One of which nothing can be said (F = 0) teaches the
    click head alone.

    Args:
        click_logit_B: ``[B]`` float. Logit of P(click | impression).
        convert_logit_B: ``[B]`` float. Logit of P(purchase | click).
        clicked_B: ``[B]`` float in {0, 1}.
        purchased_B: ``[B]`` float in {0, 1}; ``purchased <= clicked`` in every row. What
            stands in a row of which nothing can be said is not read.
        use: Weights of the rows, and how much of their purchases has been seen.
        purchase_weight: Weight of the purchase term in the total (lambda).

    Returns:
        Scalar weighted means over the batch, the purchase term over the rows of which something
        can be said: ``total = click + purchase_weight * purchase``.
    """
    click_logit_B = at_least_float32(click_logit_B)
    convert_logit_B = at_least_float32(convert_logit_B)
    click = _click_loss(click_logit_B, clicked_B, use)

    # P(bought) = pq and P(not bought) = (1-p) + p(1-q), both kept in log space so that
    # neither a rare purchase nor a confident head sends log() to -inf.
    log_p_B = F.logsigmoid(click_logit_B)
    log_bought_B = log_p_B + F.logsigmoid(convert_logit_B)
    log_not_bought_B = logaddexp(
        F.logsigmoid(-click_logit_B), log_p_B + F.logsigmoid(-convert_logit_B)
    )
    purchase_loss_B = _seen_or_not(log_bought_B, log_not_bought_B, purchased_B, use)
    purchase_loss_B = generalised_cross_entropy(purchase_loss_B, use.doubt)
    purchase = weighted_mean(purchase_loss_B, _purchase_weights(use, purchase_loss_B))

    return LossTerms(click + purchase_weight * purchase, click, purchase)


def clicked_only_loss(
    click_logit_B: Tensor,
    convert_logit_B: Tensor,
    clicked_B: Tensor,
    purchased_B: Tensor,
    *,
    use: RowUse = EVERY_ROW,
    purchase_weight: float = 1.0,
) -> LossTerms:
    """Train the conversion head on clicked rows alone: the usual way, biased on all others.

    It is there to be compared with: whoever clicks an item is not whoever is shown it, so what is
    learned from clicks does not hold of all impressions (sample selection bias).

    Args:
        click_logit_B: ``[B]`` float. Logit of P(click | impression).
        convert_logit_B: ``[B]`` float. Logit of P(purchase | click).
        clicked_B: ``[B]`` float in {0, 1}.
        purchased_B: ``[B]`` float in {0, 1}.
        use: As in ``entire_space_loss``.
        purchase_weight: Weight of the purchase term in the total (lambda).

    Returns:
        As ``entire_space_loss``, the purchase term over the clicked rows.
    """
    click_logit_B = at_least_float32(click_logit_B)
    convert_logit_B = at_least_float32(convert_logit_B)
    click = _click_loss(click_logit_B, clicked_B, use)
    purchase_loss_B = _seen_or_not(
        F.logsigmoid(convert_logit_B), F.logsigmoid(-convert_logit_B), purchased_B, use
    )
    purchase_loss_B = generalised_cross_entropy(purchase_loss_B, use.doubt)
    weight_B = _purchase_weights(use, purchase_loss_B)
    among_B = clicked_B.to(purchase_loss_B.dtype)
    purchase = weighted_mean(purchase_loss_B, among_B if weight_B is None else among_B * weight_B)

    return LossTerms(click + purchase_weight * purchase, click, purchase)


def _click_loss(click_logit_B: Tensor, clicked_B: Tensor, use: RowUse) -> Tensor:
    loss_B = F.binary_cross_entropy_with_logits(
        click_logit_B, clicked_B.to(click_logit_B.dtype), reduction="none"
    )
    return weighted_mean(generalised_cross_entropy(loss_B, use.doubt), use.weight_B)


def _seen_or_not(
    log_bought_B: Tensor, log_not_bought_B: Tensor, purchased_B: Tensor, use: RowUse
) -> Tensor:
    """``[B]`` -log of the probability of what has been seen: bought, or not (yet) bought.

    ``1 - F * P(bought) = P(not bought) + (1 - F) * P(bought)``. That of a purchase seen is
    ``F * P(bought)``, whose F moves nothing.
    """
    if use.arrived_B is None:
        bought_B = purchased_B.to(log_bought_B.dtype)
        return -(bought_B * log_bought_B + (1 - bought_B) * log_not_bought_B)
    arrived_B = use.arrived_B.to(log_bought_B.dtype)
    bought_B = purchased_B.where(use.arrived_B > 0, 0).to(log_bought_B.dtype)
    log_not_seen_B = logaddexp(log_not_bought_B, (1 - arrived_B).log() + log_bought_B)
    return -(bought_B * log_bought_B + (1 - bought_B) * log_not_seen_B)


def _purchase_weights(use: RowUse, like_B: Tensor) -> Tensor | None:
    if use.arrived_B is None:
        return use.weight_B
    told_B = (use.arrived_B > 0).to(like_B.dtype)
    return told_B if use.weight_B is None else told_B * use.weight_B
