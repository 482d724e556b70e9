"""How much less is looked at a place than at the first: measured from a log that showed at random.

What is estimated is the examination model's curve (Richardson et al., 2007; Joachims et al., 2017,
arXiv:1608.04468): ``P(click) = examination(place) * relevance(item, shopper)``, so

    relative(k) = examination(k) / examination(1)          one curve for each surface.

A raw click rate by place is not that curve, for good items stand on top. Two estimates are made of
rows whose propensity (probability of this item in this slot, given those above) is known:

* randomised: every row counts ``1 / propensity``, as if items had been drawn uniformly (Li et al.,
  2018); right whatever the shop's policy is, and wide where the policy is peaked.
* harvested swaps (Agarwal et al., 2019, arXiv:1806.03555): the same item, asked for by the same
  query and about as likely to be shown, stood at several places. With one rate for each such group,
  clicks of all groups are fitted together, ``rate(group) * relative(place)``, which is the
  efficient form of comparing all pairs of places. Weights ``group's propensity / propensity``
  balance what is left of the policy's preferences.

Both are linear in owners to first order, so their covariance is known, and they are mixed with the
weights of least variance. Each place is then pulled towards ``relative(k) = k ** -decay`` as far
as noise may explain the difference (empirical Bayes), but never out of its interval, which is that
of the estimate before the pull and holds for a curve of any shape.

Shape suffixes in this file: N = impressions, K = places, G = groups, U = owners, J = K - 1 places
beyond the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.data.attribution import labels_as_of
from shelfwise.data.part_rows import TRAINED, rows_of_parts
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.split import Part
from shelfwise.schema.event import Surface

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST_CLICKS = 100  # effective clicks at a place below which nothing is said of it
_ALIKE = 4.0  # rows of a group differ in propensity by less than this factor
_LARGEST_WEIGHT = 20.0
_ROUNDS = 500
_Z = 1.959963984540054  # 97.5 % point of the normal law


@dataclass(frozen=True, slots=True)
class ShownRows:
    """Impressions of one surface whose propensity is known, one row each."""

    position_N: Ints  # 1 is the first
    item_N: Ints
    query_N: Ints  # -1: nothing typed
    propensity_N: Floats
    clicked_N: NDArray[np.bool_]
    owner_N: Ints  # rows of one owner resemble each other: the unit of intervals


@dataclass(frozen=True, slots=True)
class PositionCurve:
    """Examination of each place relative to the first, on one surface."""

    surface: str
    position_K: list[int]
    relative_K: list[float]  # nan where too little was seen; pulled towards a smooth curve
    low_K: list[float]  # 95 % interval of the measured one
    high_K: list[float]
    measured_K: list[float]  # before the pull
    shown_K: list[int]
    clicks_K: list[int]
    randomised_K: list[float]  # clicks that the estimate at this place is worth, by its weights
    decay: float  # of the smooth curve k ** -decay
    refused: str = ""  # why there is no curve, in a sentence

    @property
    def sentence(self) -> str:
        """In words what was found."""
        if self.refused:
            return self.refused
        known = [place for place in range(len(self.position_K)) if not np.isnan(self.low_K[place])]
        last = known[-1] if known else 0
        return (
            f"On {self.surface}, place {self.position_K[last]} is looked at "
            f"{self.relative_K[last]:.2f} times as often as place 1 "
            f"({self.low_K[last]:.2f} to {self.high_K[last]:.2f}; "
            f"{self.randomised_K[last]:,.0f} randomised clicks there)."
        )

    def relative_at(self, position_N: Ints) -> Floats:
        """Relative examination of places; one beyond the curve is taken for its last place.

        Place 0 (unknown) is nan, and so is everything where the curve was refused.
        """
        known = np.flatnonzero(~np.isnan(self.relative_K))
        if not len(known):
            return np.full(len(position_N), np.nan)
        curve = np.array(self.relative_K)[known]
        place_N = np.searchsorted(np.array(self.position_K)[known], position_N, side="right") - 1
        return np.where(place_N < 0, np.nan, curve[place_N])


class _LogCurve(NamedTuple):
    """An estimate of ``log relative`` beyond the first place."""

    log_J: Floats
    influence_UJ: Floats  # what each owner adds to its error, to first order
    clicks_K: Floats  # effective clicks at every place


def position_curves(
    prepared: PreparedShop, parts: Sequence[Part] = TRAINED
) -> tuple[PositionCurve, ...]:
    """A curve for each surface that showed lists in ``parts``; refused where nothing was random.

    Rows of suspected machines (weight 0) are left out: they do not look at places as shoppers do.
    """
    table = _shown(prepared, parts)
    found = []
    for surface in Surface:
        rows = table.filter(pl.col("surface") == surface.value)
        if not rows.is_empty():
            found.append(_curve_of_table(surface.value, rows))
    return tuple(found)


def _shown(prepared: PreparedShop, parts: Sequence[Part]) -> pl.DataFrame:
    until = prepared.moments.known_until(parts)
    shown = rows_of_parts(prepared, prepared.impressions, parts)
    shown = labels_as_of(shown, until, prepared.options.attribution).filter(pl.col("weight") > 0)
    requests = prepared.requests.select("owner", "query", "surface").with_row_index("request")
    columns = ("request", "item", "position", "propensity", "clicked")
    return (
        shown.select(*columns)
        .join(requests.cast({"request": shown["request"].dtype}), on="request")
        .with_columns(pl.col("surface").cast(pl.String))
    )


def _curve_of_table(surface: str, rows: pl.DataFrame) -> PositionCurve:
    known = rows.filter((pl.col("position") > 0) & pl.col("propensity").is_not_null())
    if known.is_empty():
        lacking = "position" if rows["position"].null_count() == len(rows) else "propensity"
        return _refused(
            surface,
            f"No position curve on {surface}: none of its {len(rows):,} impressions has a "
            f"{lacking}. Log with what probability each item was drawn for its slot.",
        )
    if not (known["propensity"] < 1).any():
        return _refused(
            surface,
            f"No position curve on {surface}: every logged propensity is 1, so nothing was shown "
            "at random. Let a share of the slots explore.",
        )
    columns = {
        name: known[name].fill_null(-1).cast(pl.Int64).to_numpy()
        for name in ("position", "item", "query", "owner")
    }
    return position_curve(
        surface,
        ShownRows(
            position_N=columns["position"],
            item_N=columns["item"],
            query_N=columns["query"],
            propensity_N=known["propensity"].to_numpy(),
            clicked_N=known["clicked"].to_numpy(),
            owner_N=columns["owner"],
        ),
    )


def position_curve(surface: str, shown: ShownRows) -> PositionCurve:
    """The curve of one surface from its randomised rows."""
    place_N = shown.position_N - 1
    places = int(place_N.max()) + 1
    _, owner_N = np.unique(shown.owner_N, return_inverse=True)
    swaps = _swapped(shown, place_N, owner_N, places)
    enough_K = swaps.clicks_K >= FEWEST_CLICKS
    clicks_K = np.bincount(place_N, shown.clicked_N, minlength=places).astype(np.int64)
    shown_K = np.bincount(place_N, minlength=places)
    if not enough_K[0] or not enough_K[1:].any():
        most = max(swaps.clicks_K[1:], default=0.0)
        return _refused(
            surface,
            f"No position curve on {surface}: swaps of the same item between places are worth "
            f"{swaps.clicks_K[0]:.0f} clicks at place 1 and at most {most:.0f} at another, and "
            f"{FEWEST_CLICKS} are needed at both. Bring a longer log or explore more.",
        )
    both = _mixed(_randomised(shown, place_N, owner_N, places), swaps)
    kept_J = enough_K[1:]
    covariance_JJ = _covariance(both)[np.ix_(kept_J, kept_J)]
    measured_J, spread_J = both.log_J[kept_J], np.sqrt(np.diag(covariance_JJ))
    pulled_J, decay = _pulled(measured_J, covariance_JJ, np.flatnonzero(kept_J) + 2)
    low_J, high_J = measured_J - _Z * spread_J, measured_J + _Z * spread_J

    def curve(log_J: Floats) -> list[float]:
        whole_K = np.full(places, np.nan)
        whole_K[0], whole_K[1:][kept_J] = 1.0, np.exp(log_J)
        return whole_K.tolist()

    return PositionCurve(
        surface=surface,
        position_K=list(range(1, places + 1)),
        relative_K=curve(pulled_J.clip(low_J, high_J)),
        low_K=curve(low_J),
        high_K=curve(high_J),
        measured_K=curve(measured_J),
        shown_K=shown_K.tolist(),
        clicks_K=clicks_K.tolist(),
        randomised_K=both.clicks_K.tolist(),
        decay=decay,
    )


def _refused(surface: str, why: str) -> PositionCurve:
    return PositionCurve(surface, [], [], [], [], [], [], [], [], float("nan"), why)


def _randomised(shown: ShownRows, place_N: Ints, owner_N: Ints, places: int) -> _LogCurve:
    """Click rate of each place as if items had been drawn uniformly, against that of the first."""
    weight_N = 1 / shown.propensity_N
    mass_K = np.bincount(place_N, weight_N, minlength=places)
    hit_N = weight_N * shown.clicked_N
    with np.errstate(divide="ignore", invalid="ignore"):  # a place without clicks has no estimate
        rate_K = np.bincount(place_N, hit_N, minlength=places) / mass_K
        error_N = weight_N * (shown.clicked_N - rate_K[place_N]) / (rate_K * mass_K)[place_N]
        log_J = np.log(rate_K[1:]) - np.log(rate_K[0])
    error_UK = _by_owner(error_N, owner_N, place_N, places)
    return _LogCurve(log_J, error_UK[:, 1:] - error_UK[:, :1], _effective(hit_N, place_N, places))


def _swapped(shown: ShownRows, place_N: Ints, owner_N: Ints, places: int) -> _LogCurve:
    """Clicks of the same item at several places, all groups fitted together."""
    log_p_N = np.log(shown.propensity_N)
    level_N = np.floor(log_p_N / np.log(_ALIKE)).astype(np.int64)
    # One number for item, query and level: many times faster to group by than three columns.
    level_N = level_N - level_N.min()
    key_N = shown.item_N * (int(shown.query_N.max()) + 2) + shown.query_N + 1
    _, group_N = np.unique(key_N * (int(level_N.max()) + 1) + level_N, return_inverse=True)
    count_G = np.bincount(group_N)
    usual_G = np.exp(np.bincount(group_N, log_p_N) / count_G)
    weight_N = np.minimum(usual_G[group_N] / shown.propensity_N, _LARGEST_WEIGHT)
    hit_N = weight_N * shown.clicked_N
    # A group without clicks has rate 0 and says nothing of places; so does one of a single place.
    cell_GK = np.bincount(group_N * places + place_N, weight_N, minlength=len(count_G) * places)
    cell_GK = cell_GK.reshape(len(count_G), places)
    hit_G = np.bincount(group_N, hit_N)
    telling_G = (hit_G > 0) & ((cell_GK > 0).sum(axis=1) > 1)
    rows = telling_G[group_N]
    new_G = np.cumsum(telling_G) - 1
    return _fitted(
        _Swaps(
            cell_GK=cell_GK[telling_G],
            hit_G=hit_G[telling_G],
            group_N=new_G[group_N[rows]],
            place_N=place_N[rows],
            owner_N=owner_N[rows],
            weight_N=weight_N[rows],
            hit_N=hit_N[rows],
        ),
        int(owner_N.max()) + 1,
    )


class _Swaps(NamedTuple):
    cell_GK: Floats  # weight shown
    hit_G: Floats  # weight clicked
    group_N: Ints
    place_N: Ints
    owner_N: Ints
    weight_N: Floats
    hit_N: Floats


def _fitted(swaps: _Swaps, owners: int) -> _LogCurve:
    """Poisson likelihood of ``rate(group) * relative(place)``, by taking turns (iterative scaling).

    The influence follows from the score with the groups' rates profiled out:
    ``sum over rows of weight * (clicked - expected) * (place's indicator - group's place share)``.
    """
    places = swaps.cell_GK.shape[1]
    hit_K = np.bincount(swaps.place_N, swaps.hit_N, minlength=places)
    relative_K = np.ones(places)
    for _ in range(_ROUNDS if len(swaps.hit_G) else 0):
        rate_G = swaps.hit_G / (swaps.cell_GK @ relative_K)
        expected_K = rate_G @ swaps.cell_GK
        new_K = np.divide(hit_K, expected_K, out=np.zeros(places), where=expected_K > 0)
        if new_K[0] > 0:
            new_K = new_K / new_K[0]
        settled = np.abs(new_K - relative_K).max() < 1e-9
        relative_K = new_K
        if settled:
            break
    clicks_K = _effective(swaps.hit_N, swaps.place_N, places)
    with np.errstate(divide="ignore", invalid="ignore"):  # a place without clicks has no estimate
        log_J = np.log(relative_K[1:] / relative_K[0])
        share_GK = swaps.cell_GK * relative_K
        share_GK /= share_GK.sum(axis=1, keepdims=True)
        rate_G = swaps.hit_G / (swaps.cell_GK @ relative_K)
    rest_N = swaps.hit_N - swaps.weight_N * relative_K[swaps.place_N] * rate_G[swaps.group_N]
    score_UK = _by_owner(rest_N, swaps.owner_N, swaps.place_N, places, owners)
    for place in range(places):
        score_UK[:, place] -= np.bincount(
            swaps.owner_N, rest_N * share_GK[swaps.group_N, place], minlength=owners
        )
    held_GK = swaps.hit_G[:, None] * share_GK
    information = np.diag(held_GK.sum(axis=0)) - share_GK.T @ held_GK
    inverse = np.linalg.pinv(information[1:, 1:], hermitian=True)
    return _LogCurve(log_J, score_UK[:, 1:] @ inverse, clicks_K)


def _by_owner(
    value_N: Floats, owner_N: Ints, place_N: Ints, places: int, owners: int | None = None
) -> Floats:
    """``[U, K]`` sums of a row's value by owner and place."""
    owners = int(owner_N.max()) + 1 if owners is None else owners
    total = np.bincount(owner_N * places + place_N, value_N, minlength=owners * places)
    return np.asarray(total.reshape(owners, places))


def _effective(hit_N: Floats, place_N: Ints, places: int) -> Floats:
    """How many clicks of equal weight the clicks at each place are worth (Kish, 1965)."""
    total_K = np.bincount(place_N, hit_N, minlength=places)
    square_K = np.bincount(place_N, hit_N**2, minlength=places)
    return np.divide(total_K**2, square_K, out=np.zeros(places), where=square_K > 0)


def _mixed(randomised: _LogCurve, swaps: _LogCurve) -> _LogCurve:
    """The mixture of least variance at each place, their covariance counted.

    The randomised estimate takes part where it rests on enough clicks to know its own spread.
    """
    a, b = randomised.influence_UJ, swaps.influence_UJ
    with np.errstate(invalid="ignore"):
        var_a, var_b, cov = (a**2).sum(axis=0), (b**2).sum(axis=0), (a * b).sum(axis=0)
        gap = var_a + var_b - 2 * cov
        share_J = np.where(gap > 0, (var_b - cov) / np.where(gap > 0, gap, 1.0), 0.0).clip(0, 1)
    enough_J = np.minimum(randomised.clicks_K[1:], randomised.clicks_K[0]) >= FEWEST_CLICKS
    share_J = np.where(enough_J, share_J, 0.0)
    return _LogCurve(
        np.where(enough_J, share_J * np.nan_to_num(randomised.log_J), 0.0)
        + (1 - share_J) * swaps.log_J,
        np.nan_to_num(a) * share_J + b * (1 - share_J),
        swaps.clicks_K,
    )


def _covariance(curve: _LogCurve) -> Floats:
    return np.asarray(curve.influence_UJ.T @ curve.influence_UJ)


def _pulled(log_J: Floats, covariance_JJ: Floats, place_J: Ints) -> tuple[Floats, float]:
    """Places pulled towards ``-decay * log(place)``, and that decay.

    The scatter beyond noise is DerSimonian and Laird's (1986) moment estimate; the pull is the
    usual mixed model's.
    """
    line_J = -np.log(place_J)
    precise = np.linalg.pinv(covariance_JJ, hermitian=True)
    of_line = line_J @ precise @ line_J
    decay = float(line_J @ precise @ log_J / of_line)
    if len(log_J) == 1:  # one place alone has nothing to be pulled towards
        return log_J, decay
    rest_J = log_J - decay * line_J
    excess = rest_J @ precise @ rest_J - (len(log_J) - 1)
    scale = np.trace(precise) - line_J @ precise @ precise @ line_J / of_line
    scatter = max(0.0, excess / scale)
    total = np.linalg.pinv(covariance_JJ + scatter * np.eye(len(log_J)), hermitian=True)
    decay = float(line_J @ total @ log_J / (line_J @ total @ line_J))
    return decay * line_J + scatter * total @ (log_J - decay * line_J), decay
