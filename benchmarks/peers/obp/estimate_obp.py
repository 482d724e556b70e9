"""What Open Bandit Pipeline estimates, to compare ours with: one JSON object on the last line.

Run by the peer's own interpreter (`make peers`); needs obp alone, no Shelfwise:

    .venv-peers/obp/bin/python benchmarks/peers/obp/estimate_obp.py

Cases: ``sums``, a log made of whole-number arithmetic, the same on every machine; and, from the
sample that the package brings, the uniform policy on the log of Bernoulli Thompson sampling, by
campaign. The reward model is an item's click rate, shrunk by 100 impressions of the mean rate.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from pathlib import Path

import numpy as np
import obp
from obp.dataset import OpenBanditDataset
from obp.ope import (
    DirectMethod,
    DoublyRobust,
    InverseProbabilityWeighting,
    SelfNormalizedInverseProbabilityWeighting,
    SwitchDoublyRobust,
)

ROWS, ACTIONS, CONTEXTS = 400, 7, 5
SWITCH = 1.5
_SHRUNK = 100


def sums() -> dict[str, np.ndarray]:
    """A log whose every number follows from its row's."""
    context, action = np.meshgrid(np.arange(CONTEXTS), np.arange(ACTIONS), indexing="ij")
    logged = 1.0 + (3 * action + 2 * context) % 5
    logged /= logged.sum(axis=1, keepdims=True)
    target = 1.0 + (action + 2 * context) % 3
    target /= target.sum(axis=1, keepdims=True)
    expected = 0.1 + 0.04 * ((action + 2 * context) % 4)
    row = np.arange(ROWS)
    x = row % CONTEXTS
    below = ((37 * row) % ROWS + 0.5) / ROWS
    taken = (np.cumsum(logged[x], axis=1) < below[:, None]).sum(axis=1)
    reward = ((53 * row) % ROWS) / ROWS < 0.1 + 0.05 * ((taken + x) % 4)
    return {
        "action": taken,
        "reward": reward.astype(float),
        "pscore": logged[x, taken],
        "action_dist": target[x][:, :, None],
        "expected": expected[x][:, :, None],
        "position": np.zeros(ROWS, dtype=int),
    }


def open_bandit(campaign: str) -> dict[str, np.ndarray]:
    """The sample's log of Thompson sampling, and the uniform policy."""
    folder = Path(obp.__file__).parent / "dataset" / "obd"
    log = OpenBanditDataset("bts", campaign, data_path=folder).obtain_batch_bandit_feedback()
    actions, rows, places = log["n_actions"], log["n_rounds"], int(log["position"].max()) + 1
    shown = np.bincount(log["action"], minlength=actions)
    clicks = np.bincount(log["action"], log["reward"], minlength=actions)
    rate = (clicks + _SHRUNK * log["reward"].mean()) / (shown + _SHRUNK)
    return {
        "action": log["action"],
        "reward": log["reward"].astype(float),
        "pscore": log["pscore"],
        "action_dist": np.full((rows, actions, places), 1 / actions),
        "expected": np.broadcast_to(rate[None, :, None], (rows, actions, places)),
        "position": log["position"],
    }


def estimates(case: dict[str, np.ndarray]) -> dict[str, float]:
    """Every estimator's value."""
    given = {name: case[name] for name in ("action", "reward", "action_dist", "position")}
    model = {"estimated_rewards_by_reg_model": case["expected"]}
    weighted = given | {"pscore": case["pscore"]}
    return {
        "ips": float(InverseProbabilityWeighting().estimate_policy_value(**weighted)),
        "snips": float(
            SelfNormalizedInverseProbabilityWeighting().estimate_policy_value(**weighted)
        ),
        "dm": float(
            DirectMethod().estimate_policy_value(
                action_dist=case["action_dist"], position=case["position"], **model
            )
        ),
        "dr": float(DoublyRobust().estimate_policy_value(**weighted, **model)),
        "switch_dr": float(
            SwitchDoublyRobust(tau=SWITCH).estimate_policy_value(**weighted, **model)
        ),
    }


def main() -> None:
    """Print every case."""
    cases = {"sums": estimates(sums())}
    for campaign in ("all", "men", "women"):
        cases[f"open-bandit/{campaign}"] = estimates(open_bandit(campaign))
    print(json.dumps({"version": importlib.metadata.version("obp"), "cases": cases}))  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
