"""Whether a log can teach conversion, and in words for whoever trains where it cannot.

Shape suffixes in this file: N = impressions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.batches import Examples
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.purchase_delay import LEAST_PURCHASES
from shelfwise.training.config import TrainOptions


def learned_conversion(examples: Examples, options: TrainOptions) -> bool:
    """Whether P(purchase | click) had anything to learn from: clicked rows that tell, some bought.

    Args:
        examples: what was learned from, labelled as of its end.
        options: how open windows were used.
    """
    return bool((examples.purchased_N & _told(examples, options)).any())


def conversion_warnings(
    prepared: PreparedShop, examples: Examples, options: TrainOptions, ended: int
) -> list[str]:
    """What is wrong with P(purchase | click): no purchases, or windows that outlast training.

    Args:
        prepared: the shop.
        examples: what was learned from, labelled as of its end.
        options: how open windows were used.
        ended: moment (microseconds) of that end.
    """
    clicked_N = examples.clicked_N
    if not clicked_N.any():
        return []
    told_N = _told(examples, options)
    if (clicked_N & examples.known_N).any():
        if learned_conversion(examples, options):
            return []
        return [
            f"none of the {int(told_N.sum()):,} clicks that were learned from led to a purchase: "
            "conversion was not learned, p_convert says nothing; log purchases, or bring a "
            "longer log"
        ]
    window = prepared.options.attribution.purchase_window_days
    days = (ended - prepared.moments.first) / DAY
    found = (
        f"no purchase window of {window:g} days had closed when training ended, {days:.1f} days "
        "after the log began"
    )
    way_out = "bring a longer log, or shorten attribution.purchase_window_days and prepare again"
    if told_N.any():
        return [f"{found}: p_convert speaks of purchases within those days; {way_out}"]
    why = (
        "train.open_windows leaves open ones out"
        if options.open_windows == "leave_out"
        else f"fewer than {LEAST_PURCHASES} purchases are too few to learn their delay from"
    )
    return [f"{found}, and {why}: conversion was not learned, p_convert says nothing; {way_out}"]


def _told(examples: Examples, options: TrainOptions) -> NDArray[np.bool_]:
    """``[N]`` clicked rows of which it is known, wholly or by its age, whether they were bought."""
    used_N = examples.known_N if options.open_windows == "leave_out" else examples.arrived_N > 0
    return examples.clicked_N & used_N
