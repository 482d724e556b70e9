"""A whole log under judgement: parts, machines, features, the leakage guard, and weights."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.features.behaviour import Log
from shelfwise.data.features.fitted import Fitted, fit_columns
from shelfwise.data.features.guarded import counted_figures, offered_figures
from shelfwise.data.features.point_in_time import Standings
from shelfwise.data.fraud_watch import Flags, with_reasons
from shelfwise.data.history import NONE
from shelfwise.data.leakage import Made, refuse_leaks
from shelfwise.data.leaks.negatives import Passed, without_answer
from shelfwise.data.leaks.offered import offered_features
from shelfwise.data.parts import Asked, assign_parts
from shelfwise.data.split import Moments
from shelfwise.data.stage import Numbers
from shelfwise.data.weights import trust_in, with_weights
from shelfwise.data.whole_log import WholeLog


@dataclass(frozen=True, slots=True)
class Known:
    """What stands beside the log when it is judged."""

    numbers: Numbers
    users: pl.DataFrame  # owner, and features
    flags: Flags  # of the fraud filter
    first_met: pl.DataFrame  # item, owner, at
    moments: Moments


@dataclass(frozen=True, slots=True)
class JudgedLog:
    """A log in which the future cannot be seen, with all that training reads of it."""

    whole: WholeLog  # requests with part and fraud; impressions and positives with weight
    behaviour: Log
    standings: Standings | None  # None: statistics are not asked for
    fitted: Fitted


def judge_log(whole: WholeLog, known: Known, options: DataOptions) -> JudgedLog:
    """Part, flag, guard and weigh a log.

    Raises:
        DataError: the leakage guard refuses it.
    """
    requests = assign_parts(_asked(whole, known), known.moments, options.split)
    requests = with_reasons(requests, known.flags).with_columns(pl.col("query").fill_null(NONE))
    whole = replace(whole, requests=requests)
    behaviour = _behaviour(whole, known, options)
    standings = Standings.of_log(behaviour) if options.features.statistics else None
    made = _evidence(whole, known, options)
    refuse_leaks(made if standings is None else _with_figures(made, behaviour, standings))
    trust = trust_in(requests, options.fraud.soft_from)
    impressions, positives = with_weights(
        whole.impressions, whole.positives, requests, options.weights, trust
    )
    return JudgedLog(
        whole=replace(whole, impressions=impressions, positives=positives),
        behaviour=behaviour,
        standings=standings,
        fitted=fit_columns(behaviour, known.users, options.features),
    )


def _asked(whole: WholeLog, known: Known) -> Asked:
    return Asked(
        whole.requests,
        whole.impressions,
        whole.positives,
        known.numbers.items,
        known.numbers.queries,
    )


def _evidence(whole: WholeLog, known: Known, options: DataOptions) -> Made:
    """What the leakage guard looks at."""
    asked = _asked(whole, known)
    return Made(
        history=whole.history,
        history_end_R=whole.requests["history_end"].to_numpy(),
        asked=asked,
        moments=known.moments,
        split=options.split,
        offered=offered_features(asked, known.users, options.features, seed=options.seed),
        passed=(Passed(without_answer(whole.impressions), known.first_met),),
    )


def _behaviour(whole: WholeLog, known: Known, options: DataOptions) -> Log:
    return Log(
        history=whole.history,
        requests=whole.requests,
        impressions=whole.impressions,
        items=known.numbers.items,
        queries=known.numbers.queries,
        fraud=known.flags.trained.filter("flagged"),
        moments=known.moments,
        split=options.split,
    )


def _with_figures(made: Made, behaviour: Log, standings: Standings) -> Made:
    """The guard's evidence, and what rows are told of counts and rates."""
    return replace(
        made,
        offered=made.offered + offered_figures(behaviour, standings),
        counted=tuple(counted_figures(behaviour, standings)),
    )
