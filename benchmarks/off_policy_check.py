"""Off-policy estimates against what really happened: on a real log, and where the truth is known.

Open Bandit (real): the uniform policy's click rate, estimated from the log of Thompson sampling
(``bts``), against the click rate of the ``random`` log, which that policy wrote. The other way
needs the distribution of ``bts`` over all items at each visit, which no log holds.

Sample shop (synthetic): shelves drawn again with new lists and new clicks; how often the intervals
hold the true click rate of a policy that explores in every slot, how far off the estimates are on
average, and how wide the intervals.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.redrawn_shelves import RedrawnShelves
from benchmarks.result import Result
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.evaluation.off_policy.estimate import OffPolicy, OffPolicyOptions, estimate_policy
from shelfwise.evaluation.off_policy.interval import interval_of
from shelfwise.evaluation.off_policy.inverse_propensity import inverse_propensity
from shelfwise.evaluation.off_policy.logged import Linear, LoggedRows
from shelfwise.evaluation.off_policy.reward_model import modelled
from shelfwise.evaluation.off_policy.self_normalised import self_normalised
from shelfwise.evaluation.off_policy.weights import importance_weights
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress

CAMPAIGNS = ("all", "men", "women")
SHOP = SampleOptions(users=2_000, items=1_000, days=30)
USERS = 300  # of a redrawn log
_TRUTH_DRAWS = 10
_COLUMNS = ("item_id", "position", "click", "propensity_score")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    data: Path | None
    draws: int
    users: int = USERS


def check_off_policy(protocol: str, asked: Asked, progress: Progress) -> Result:
    """Measure on the Open Bandit sample, where it is given, and on redrawn logs."""
    data, draws = asked.data, asked.draws
    began = time.perf_counter()
    rows: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    figures: dict[str, float | None] = {}
    counts: dict[str, int] = {}
    fingerprint = ""
    if data is not None:
        fingerprint = _fingerprint(data)
        for campaign in CAMPAIGNS:
            found, gaps = of_campaign(data, campaign)
            rows += [
                _row(one.estimator, campaign, "click rate", one.value)
                | {"low": one.low, "high": one.high, "support": one.support}
                for one in found.estimates
            ]
            differences += gaps
            figures[f"effective_{campaign}"] = found.effective
            figures[f"refused_{campaign}"] = float(bool(found.refused))
            counts[campaign] = found.rows
    drawn = coverage(draws, asked.users, progress)
    rows += [
        _row(name, "sample shop", metric, value) | {"support": draws}
        for name, told in drawn.items()
        for metric, value in told.items()
    ]
    figures |= {f"coverage_{name}": told["coverage"] for name, told in drawn.items()}
    return Result(
        benchmark="off_policy",
        protocol=protocol.format(draws=draws, users=asked.users),
        data={
            "name": "open-bandit and sample shop" if data else "sample shop",
            "fingerprint": fingerprint,
            "counts": counts,
        },
        figures=figures,
        seconds=time.perf_counter() - began,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        rows=rows,
        differences=differences,
    )


def _row(system: str, view: str, metric: str, value: float) -> dict[str, Any]:
    told = {"system": system, "view": view, "task": "click", "metric": metric, "value": value}
    return {**told, "low": None, "high": None, "seeds": 1}


def of_campaign(data: Path, campaign: str) -> tuple[OffPolicy, list[dict[str, Any]]]:
    """The uniform policy by the ``bts`` log, and the differences to the ``random`` log's mean."""
    log, uniform = (_read(data, policy, campaign) for policy in ("bts", "random"))
    rows = bandit_rows(log, uniform["item_id"].n_unique())
    found = estimate_policy(
        rows,
        OffPolicyOptions(),
        policy="the uniform policy",
        reward="click",
        where=f"campaign {campaign}, all three places",
    )
    if found.refused:
        return found, []
    clicked = uniform["click"].to_numpy().astype(np.float64)
    own = inverse_propensity(clicked, np.ones(len(clicked)))
    weight_N = importance_weights(rows.target_N, rows.propensity_N)
    gaps = []
    for name, one in (
        ("ips", inverse_propensity(rows.reward_N, weight_N)),
        ("snips", self_normalised(rows.reward_N, weight_N)),
    ):
        gap = apart(one, own)
        gaps.append(
            {
                "a": f"{name} of the bts log",
                "b": "the random log's mean",
                "view": campaign,
                "metric": "click rate",
                "value": gap[0],
                "low": gap[1],
                "high": gap[2],
                "seeds": 1,
            }
        )
    return found, gaps


def apart(one: Linear, other: Linear) -> tuple[float, float, float]:
    """Difference of estimates from two independent logs, with its interval; rows are units."""
    rows = len(one.influence_N) + len(other.influence_N)
    influence_N = np.concatenate(
        [
            one.influence_N * (rows / len(one.influence_N)),
            -other.influence_N * (rows / len(other.influence_N)),
        ]
    )
    gap = interval_of(Linear(one.value - other.value, influence_N), np.arange(rows))
    return gap.value, gap.low, gap.high


def bandit_rows(log: pl.DataFrame, items: int) -> LoggedRows:
    """A log of Open Bandit, and the uniform policy over the campaign's items.

    The reward model knows an item by its click rate in the log, shrunk by 100 impressions of the
    mean, and the three places.
    """
    item_N = log["item_id"].to_numpy()
    reward_N = log["click"].to_numpy().astype(np.float64)
    shown_V = np.bincount(item_N, minlength=items)
    rate_V = (np.bincount(item_N, reward_N, minlength=items) + 100 * reward_N.mean()) / (
        shown_V + 100
    )
    place_N = log["position"].to_numpy()
    places = np.stack([(place_N == place).astype(np.float64) for place in (1, 2, 3)], axis=1)
    rows_N = np.arange(len(log))

    def features(rate_N: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([rate_N[:, None], places], axis=1)

    return LoggedRows(
        reward_N=reward_N,
        propensity_N=log["propensity_score"].to_numpy(),
        target_N=np.full(len(log), 1 / items),
        unit_N=rows_N,
        modelled=modelled(
            features(rate_V[item_N]),
            features(np.full(len(log), rate_V.mean())),
            reward_N,
            rows_N,
        ),
    )


def coverage(draws: int, users: int, progress: Progress) -> Mapping[str, dict[str, float]]:
    """Of each estimator: how often its interval held the truth, its bias and its width."""
    shelves = RedrawnShelves.of(SHOP, exploration_share=1.0)
    truth, _ = shelves.true_value(_TRUTH_DRAWS, np.random.default_rng(1))
    found: dict[str, list[tuple[float, float, float]]] = {}
    with progress.step("Drawing logs again", total=draws) as step:
        for draw in range(draws):
            log = shelves.draw(users, np.random.default_rng([2, draw]))
            told = estimate_policy(
                log, OffPolicyOptions(), policy="uniform", reward="click", where="every slot"
            )
            for one in told.estimates:
                found.setdefault(one.estimator, []).append((one.value, one.low, one.high))
            step.advance()
    width = np.mean([high - low for _, low, high in found["dr"]])
    return {name: _summed(np.array(told), truth, float(width)) for name, told in found.items()}


def _summed(told_D3: NDArray[np.float64], truth: float, width: float) -> dict[str, float]:
    value_D, low_D, high_D = told_D3.T
    return {
        "coverage": float(((low_D <= truth) & (truth <= high_D)).mean()),
        "bias_percent": float(100 * (value_D.mean() / truth - 1)),
        "bias_error_percent": float(100 * value_D.std() / truth / np.sqrt(len(value_D))),
        "width_percent": float(100 * (high_D - low_D).mean() / truth),
        "width_to_dr": float((high_D - low_D).mean() / width),
    }


def _read(data: Path, policy: str, campaign: str) -> pl.DataFrame:
    folder = data / policy / campaign
    for name in (f"{campaign}.csv", f"{campaign}.csv.gz"):
        if (folder / name).is_file():
            return pl.read_csv(folder / name, columns=_COLUMNS, glob=False)
    raise DataError(
        f"{folder}: holds no {campaign}.csv; name the folder of the Open Bandit sample, which "
        "holds the folders random and bts"
    )


def _fingerprint(data: Path) -> str:
    digest = sha256()
    for path in sorted(data.glob("*/*/*.csv*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
