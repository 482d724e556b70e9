"""Features made from what they are to predict: one that tells the label all by itself.

An honest feature of a shop's log hardly lifts an AUC over .8; one that alone reaches .995 was
computed from the outcome (an order's value, a column that is empty unless something was bought).

Shape suffixes in this file: N = rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.leaks.leak import SHOWN, Leak

TOO_GOOD = 0.995  # area under the curve of a single feature
_SUPPORT = 20  # rows of either label, or no verdict is given
MOST_ROWS = 500_000  # looked at; more are sampled
_BINS = 64  # of a number, beside its own order: a leak need not rise or fall


class Offered(NamedTuple):
    """Rows with their labels and the features that a model would be offered for them."""

    rows: pl.DataFrame
    labels: tuple[str, ...]  # columns of true, false or null (unknown: the row is left out)
    features: tuple[str, ...]  # columns of numbers, truth values, times or words


def leaks_from_labels(offered: Offered, *, seed: int = 0) -> list[Leak]:
    """Every feature that tells a label by itself, with its AUC and first rows."""
    found = []
    for label in offered.labels:
        known = offered.rows.with_row_index("row").filter(pl.col(label).is_not_null())
        if len(known) > MOST_ROWS:
            known = known.sample(MOST_ROWS, seed=seed)
        for feature in offered.features:
            area = single_feature_auc(known[feature], known[label].to_numpy(), seed=seed)
            if area > TOO_GOOD:
                found.append(_leak(known, feature, label, area))
    return found


def single_feature_auc(feature: pl.Series, label_N: NDArray[np.bool_], *, seed: int = 0) -> float:
    """The best AUC that a feature reaches alone; nan where too few rows of a label are there.

    By its own order, up or down, where it is a number; and by the label's rate at each of its
    values (or bins), learned on one half of the rows and judged on the other, so that a value that
    stands only once tells nothing.
    """
    areas = [_rate_auc(_codes(feature), label_N, seed)]
    if feature.dtype.is_numeric() or feature.dtype.is_temporal():
        known_N = _is_known(feature)
        values_N = feature.to_physical().cast(pl.Float64).to_numpy()[known_N]
        area = _auc(values_N, label_N[known_N])
        areas.append(max(area, 1 - area))
    return float(np.nanmax([0.0 if np.isnan(area) else area for area in areas]))


def _is_known(feature: pl.Series) -> NDArray[np.bool_]:
    known = feature.is_not_null()
    if feature.dtype.is_float():
        known &= feature.is_not_nan().fill_null(False)
    known_N: NDArray[np.bool_] = known.to_numpy()
    return known_N


def _codes(feature: pl.Series) -> NDArray[np.int64]:
    """``[N]`` a number for each value or bin, with one for what is missing."""
    if feature.dtype.is_numeric() or feature.dtype.is_temporal():
        values = feature.to_physical().cast(pl.Float64).fill_nan(None)
        if values.n_unique() > _BINS:
            edges = np.quantile(values.drop_nulls().to_numpy(), np.linspace(0, 1, _BINS)[1:-1])
            # A value that fills a bin alone, as many zeros do, is one by itself.
            edges = np.unique([edges, np.nextafter(edges, np.inf)])
            bins_N = np.searchsorted(edges, values.fill_null(0).to_numpy(), side="right") + 1
            return np.where(values.is_null().to_numpy(), 0, bins_N).astype(np.int64)
        feature = values
    codes_N: NDArray[np.int64] = feature.cast(pl.String).rank("dense").fill_null(0).to_numpy()
    return codes_N.astype(np.int64)


def _rate_auc(code_N: NDArray[np.int64], label_N: NDArray[np.bool_], seed: int) -> float:
    # A stream of its own: labels may have been drawn with the same small seed.
    learned_N = np.random.default_rng([seed, 995]).random(len(code_N)) < 0.5
    size = int(code_N.max(initial=0)) + 1
    seen = np.bincount(code_N[learned_N], minlength=size)
    hit = np.bincount(code_N[learned_N], label_N[learned_N].astype(np.float64), minlength=size)
    mean = label_N[learned_N].mean() if learned_N.any() else 0.0
    rate = (hit + mean) / (seen + 1)
    return _auc(rate[code_N[~learned_N]], label_N[~learned_N])


def _auc(score_N: NDArray[np.float64], label_N: NDArray[np.bool_]) -> float:
    """Probability that a positive stands above a negative, ties counting one half."""
    positives = int(label_N.sum())
    negatives = len(label_N) - positives
    if min(positives, negatives) < _SUPPORT:
        return float("nan")
    rank_N = pl.Series(score_N).rank("average").to_numpy()
    above = float(rank_N[label_N].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def _leak(known: pl.DataFrame, feature: str, label: str, area: float) -> Leak:
    positives = int(known[label].sum())
    what = (
        f"feature {feature!r} tells {label!r} by itself (AUC {area:.4f}, {positives:,} of "
        f"{len(known):,} rows {label}); leave it out of [features]"
    )
    shown = known.sort("row").select("row", feature, label).head(SHOWN)
    first = tuple(
        f"row {row} ({feature} {value}, {label} {str(bool(hit)).lower()})"
        for row, value, hit in shown.iter_rows()
    )
    return Leak(what, len(known), "rows", first)
