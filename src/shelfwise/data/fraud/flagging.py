"""From figures of behaviour to who is flagged, how surely, and why."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.fraud.forest import isolation
from shelfwise.data.fraud.options import ActorKind, FraudOptions
from shelfwise.data.fraud.population import population_of, with_night
from shelfwise.data.fraud.rules import Rule, buys_as_usual, company_rules, rules_for

FLAGS: Mapping[str, pl.DataType] = {
    "actor": pl.String(),
    "id": pl.UInt64(),
    "score": pl.Float64(),
    "flagged": pl.Boolean(),
    "reason": pl.String(),
    "rules": pl.List(pl.String()),
    "rows": pl.Int64(),
}
_FOREST = "stands alone"
_FOREST_WEIGHT = 0.2
_FOREST_RAMP = 0.1
_TOLD = 0.1  # evidence below which a rule is no part of the reason


def flag(
    features: pl.DataFrame,
    options: FraudOptions,
    seed: int = 0,
    company: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Score every actor that has done enough to be judged.

    What is usual is measured on these very actors, so hand over figures of the training period
    only: then nothing later decides about a training row.

    Args:
        features: `actor_features` of one kind of actor.
        options: the thresholds.
        seed: of the isolation forest.
        company: ``id`` and what `crowds` and `replays` say of it; actors with a row are judged
            however little they did.

    Returns:
        Columns of `FLAGS`, one row per judged actor in order of ``id``: ``score`` in [0, 1],
        ``flagged``, ``reason`` in words (null where nothing speaks against the actor) and the
        names of the ``rules`` behind it. Others with fewer than ``min_acts`` acts have no row.
    """
    if features.is_empty():
        return pl.DataFrame(schema=FLAGS)
    actor: ActorKind = features["actor"][0]
    features = with_night(features)
    people = population_of(features, options)
    enough = pl.col("acts") >= options.min_acts
    judged = features.filter(enough).sort("id")
    rules = list(rules_for(actor, people, options))
    if options.forest:
        judged = judged.with_columns(isolation(judged, people, seed))
        rules.append(_stands_alone(options))
    if company is not None:
        # Who did little is judged by the company he keeps alone: his own figures say nothing.
        little = features.filter(~enough).join(company, on="id", how="semi")
        judged = pl.concat([judged, little], how="diagonal").sort("id")
        judged = judged.join(company, on="id", how="left", maintain_order="left")
        rules = [rule._replace(evidence=pl.when(enough).then(rule.evidence)) for rule in rules]
        rules += company_rules()
    judged = judged.with_columns(buys_as_usual(people).alias("buys"))
    return _scored(judged, rules, options)


def _stands_alone(options: FraudOptions) -> Rule:
    over = (pl.col("isolation") - options.forest_from) / _FOREST_RAMP
    return Rule(
        _FOREST,
        _FOREST_WEIGHT,
        over.clip(0, 1),
        pl.format("unlike the others as a whole (isolation {})", pl.col("isolation").round(2)),
    )


def _scored(judged: pl.DataFrame, rules: list[Rule], options: FraudOptions) -> pl.DataFrame:
    evidence = [rule.evidence.cast(pl.Float64).fill_nan(0).fill_null(0) for rule in rules]
    judged = judged.with_columns(
        shown.alias(f"evidence {rule.name}") for rule, shown in zip(rules, evidence, strict=True)
    )
    innocent = {True: pl.lit(1.0), False: pl.lit(1.0)}  # by whether it is forgiven
    for rule in rules:
        innocent[rule.forgiven] *= 1 - rule.weight * pl.col(f"evidence {rule.name}")
    suspect = (1 - innocent[True]) * pl.when("buys").then(0.5).otherwise(1.0)
    score = 1 - (1 - suspect) * innocent[False]
    told = {rule.name: pl.col(f"evidence {rule.name}") >= _TOLD for rule in rules}
    return judged.select(
        "actor",
        "id",
        score.alias("score"),
        (score >= options.flag_from).alias("flagged"),
        pl.concat_list(pl.when(told[rule.name]).then(rule.text) for rule in rules)
        .list.drop_nulls()
        .list.join("; ")
        .replace("", None)
        .alias("reason"),
        pl.concat_list(pl.when(told[rule.name]).then(pl.lit(rule.name)) for rule in rules)
        .list.drop_nulls()
        .alias("rules"),
        "rows",
    )
