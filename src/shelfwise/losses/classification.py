"""Cross-entropy of one class per row.

Shape suffixes in this file: B = rows of the batch; C = classes.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from shelfwise.losses.precision import at_least_float32
from shelfwise.losses.weighted_mean import weighted_mean


def classification_loss(
    logit_BC: Tensor,
    label_B: Tensor,
    *,
    class_weight_C: Tensor | None = None,
    weight_B: Tensor | None = None,
) -> Tensor:
    """Make each row's class likely: the weighted mean of ``-log softmax(logit)[label]``.

    A row counts with its own weight times that of its class; the sum is divided by the sum
    of those products.

    Args:
        logit_BC: ``[B, C]``.
        label_B: ``[B]`` int; below 0 where the class is not known (an item without a brand):
            such a row teaches nothing.
        class_weight_C: ``[C]`` 0 or more, such as ``effective_number_weights``.
        weight_B: ``[B]`` 0 or more.

    Returns:
        Scalar; 0 where no row has a known class.
    """
    class_B = label_B.clamp_min(0)
    loss_B = F.cross_entropy(at_least_float32(logit_BC), class_B, reduction="none")
    counted_B = (label_B >= 0).to(loss_B.dtype)
    if class_weight_C is not None:
        counted_B = counted_B * class_weight_C[class_B]
    if weight_B is not None:
        counted_B = counted_B * weight_B
    return weighted_mean(loss_B, counted_B)
