"""What share of the purchases that will come has come by an age, learned from a log cut short.

A log that ends at a moment shows of its young rows only the quick purchases (right truncation), so
the plain distribution of the delays it holds is too quick. Lynden-Bell's product-limit estimator
(1971) compares at each delay only rows old enough to have shown it. With it a row whose window is
open teaches what it can: a purchase of probability p is seen by age a with probability p * F(a)
(delayed feedback; Chapelle, 2014).

Shape suffixes in this file: P = purchases, K = distinct delays, N = impressions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

LEAST_PURCHASES = 20  # purchases that a point of the distribution rests on, at least


@dataclass(frozen=True, slots=True)
class PurchaseDelay:
    """Distribution of the time from an impression to the purchase it leads to, in its window."""

    delay_K: NDArray[np.int64]  # microseconds, ascending
    share_K: NDArray[np.float64]  # of the purchases that come as late at most
    support: int  # purchases it was learned from; 0: nothing is known, and ``share`` is 0

    def share(self, age_N: NDArray[np.int64]) -> NDArray[np.float64]:
        """``[N]`` share of purchases that have come by each age (microseconds)."""
        steps = np.concatenate([[0.0], self.share_K])
        share_N: NDArray[np.float64] = steps[np.searchsorted(self.delay_K, age_N, side="right")]
        return share_N


def purchase_delay(delay_P: NDArray[np.int64], age_P: NDArray[np.int64]) -> PurchaseDelay:
    """The distribution of delays, from purchases that came before the log was cut.

    ``F(t-) = F(t) * (1 - d(t) / n(t))`` from the longest delay down, with d(t) the purchases of
    delay t and n(t) those with delay <= t <= age. At the upper end, where fewer than
    ``LEAST_PURCHASES`` rows are old enough, the log cannot tell: F is 1 from there.

    Args:
        delay_P: ``[P]`` from impression to purchase; at most ``age_P``.
        age_P: ``[P]`` from impression to the end of the log.
    """
    delay_K, count_K = np.unique(delay_P, return_counts=True)
    younger_K = np.searchsorted(np.sort(age_P), delay_K, side="left")  # age < t, so delay < t too
    at_risk_K = count_K.cumsum() - younger_K
    enough = np.flatnonzero(at_risk_K >= LEAST_PURCHASES)
    if len(enough) == 0:
        return PurchaseDelay(np.empty(0, np.int64), np.empty(0), 0)
    last = enough[-1] + 1
    delay_K, stay_K = delay_K[:last], 1 - count_K[:last] / at_risk_K[:last]
    # The share that came before t is the product of what stays from t on.
    before_K = np.cumprod(stay_K[::-1])[::-1]
    return PurchaseDelay(delay_K, np.append(before_K[1:], 1.0), len(delay_P))


def arrived_by(shown: pl.DataFrame, moment: int) -> NDArray[np.float32]:
    """``[N]`` share of each row's purchases that have come by ``moment``, 1 where it is settled.

    The delay is counted from the impression for all rows, so that what is known of a row does not
    depend on whether it was clicked. Where too few purchases are known, the share of an open row is
    0: nothing can be said of it.

    Args:
        shown: impressions with ``at``, ``purchased_at``, ``purchased`` and ``known``, as labelled
            at ``moment``.
        moment: microseconds.
    """
    bought = shown.filter("purchased")
    delay = purchase_delay(
        (bought["purchased_at"] - bought["at"]).to_numpy(), (moment - bought["at"]).to_numpy()
    )
    share_N = delay.share((moment - shown["at"]).to_numpy())
    return np.where(shown["known"].to_numpy(), 1.0, share_N).astype(np.float32)
