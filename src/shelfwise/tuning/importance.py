"""Which options matter: their share in what parts good trials from the others."""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

from shelfwise.tuning.records import Trial
from shelfwise.tuning.space import Space
from shelfwise.tuning.surrogate import distribution_of

_LEAST = 10
_GOOD = 5  # trials that count as good, at least
_GOOD_SHARE = 0.1


def importance_of(trials: Sequence[Trial], space: Space, rising: bool) -> dict[str, float]:
    """Share of each option that always applies, the largest first; of the first objective.

    PED-ANOVA (Watanabe, Bansal and Hutter, 2023, arXiv:2304.10255): how far the good trials' values
    of an option lie from all trials' values. Good is the best tenth, five at least. Empty before
    ten trials are done.
    """
    done = [trial for trial in trials if trial.state == "done"]
    axes = [axis for axis in space.axes if not axis.when]
    if len(done) < _LEAST or not axes or len({trial.values[0] for trial in done}) < 2:
        return {}
    study = optuna.create_study(direction="maximize" if rising else "minimize")
    distributions = {axis.name: distribution_of(axis) for axis in axes}
    for trial in done:
        study.add_trial(
            optuna.trial.create_trial(
                params=space.coded({axis.name: trial.params[axis.name] for axis in axes}),
                distributions=distributions,
                value=trial.values[0],
            )
        )
    share = max(_GOOD_SHARE, _GOOD / len(done))
    found = get_param_importances(
        study, evaluator=PedAnovaImportanceEvaluator(target_quantile=min(0.5, share))
    )
    return {name: float(value) for name, value in found.items()}
