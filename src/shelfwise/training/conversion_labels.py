"""Whether a log is long enough to learn conversion from, in words for whoever trains."""

from __future__ import annotations

from shelfwise.data.attribution import DAY
from shelfwise.data.batches import Examples
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.purchase_delay import LEAST_PURCHASES
from shelfwise.training.config import TrainOptions


def conversion_warnings(
    prepared: PreparedShop, examples: Examples, options: TrainOptions
) -> list[str]:
    """What is wrong with P(purchase | click) where purchase windows outlast what was learned from.

    Args:
        prepared: the shop.
        examples: what was learned from, labelled as of its end.
        options: how open windows were used.
    """
    clicked_N = examples.clicked_N
    if not clicked_N.any() or (clicked_N & examples.known_N).any():
        return []
    window = prepared.options.attribution.purchase_window_days
    days = (prepared.moments.validation - prepared.moments.first) / DAY
    found = (
        f"no purchase window of {window:g} days had closed when training ended, {days:.1f} days "
        "after the log began"
    )
    way_out = "bring a longer log, or shorten attribution.purchase_window_days and prepare again"
    told_N = clicked_N & (examples.arrived_N > 0)
    if options.open_windows == "delayed" and told_N.any():
        return [f"{found}: p_convert speaks of purchases within those days; {way_out}"]
    why = (
        "train.open_windows leaves open ones out"
        if options.open_windows == "leave_out"
        else f"fewer than {LEAST_PURCHASES} purchases are too few to learn their delay from"
    )
    return [f"{found}, and {why}: conversion was not learned, p_convert says nothing; {way_out}"]
