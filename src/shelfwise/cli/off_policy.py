"""`shelfwise off-policy`: what another policy would have earned, from the present one's log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, answer, emit, show
from shelfwise.evaluation.report_words import figure, interval

if TYPE_CHECKING:
    from shelfwise.evaluation.off_policy.estimate import OffPolicy
    from shelfwise.evaluation.off_policy.shop import ReorderedLists


def off_policy(  # noqa: PLR0913  # the options of a command
    prepared: Annotated[Path, typer.Argument(help="Folder that `prepare` wrote.")],
    policy: Annotated[
        str, typer.Option(help="uniform, logged, or a folder that `train` wrote.")
    ] = "uniform",
    reward: Annotated[str, typer.Option(help="click, purchase or revenue.")] = "click",
    part: Annotated[
        str, typer.Option(help="test, or later: validation as well (not for a run).")
    ] = "test",
    slots: Annotated[
        str, typer.Option(help="all: each given what the log put above it; or first.")
    ] = "all",
    temperature: Annotated[
        float, typer.Option(help="Of a run's softmax; higher is nearer to uniform.")
    ] = 1.0,
    clip: Annotated[float | None, typer.Option(help="Largest importance weight.")] = None,
    switch_above: Annotated[
        float | None, typer.Option(help="Weight beyond which dr trusts its model alone.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate what a policy would have earned in the logged slots, or say why the log cannot tell.

    IPS, self-normalised IPS, direct method and doubly robust, for each surface whose impressions
    have a propensity. Of a run also what its order of the shown items would have earned.

    Example: shelfwise off-policy prepared --policy run --temperature 2 --json
    """
    from shelfwise.data.prepared import open_prepared_shop
    from shelfwise.evaluation.off_policy.shop import (
        NAMED_POLICIES,
        off_policy_of,
        reordered_lists,
    )

    options = _options(
        {
            "reward": reward,
            "part": part,
            "slots": slots,
            "temperature": temperature,
            "clip": clip,
            "switch_above": switch_above,
        }
    )
    shop = open_prepared_shop(prepared)
    lists: list[ReorderedLists] = []
    if policy in NAMED_POLICIES:
        found = off_policy_of(shop, NAMED_POLICIES[policy], options, Bars())
    else:
        scorer = _scorer(Path(policy), shop)
        found = off_policy_of(shop, scorer, options, Bars())
        if scorer.run.has_heads and reward == "click":
            lists = reordered_lists(shop, scorer, Bars())
    for one in found:
        _show(one)
    for order in lists:
        answer.print(order.sentence, markup=False)
    emit(
        as_json,
        {
            "options": options.model_dump(mode="json"),
            "estimates": [asdict(one) | {"sentence": one.sentence} for one in found],
            "reordered": [_plain(order) for order in lists],
        },
    )


def _options(given: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from shelfwise.evaluation.off_policy.shop import ShopOffPolicyOptions
    from shelfwise.schema.errors import ConfigError
    from shelfwise.schema.options import explain

    try:
        return ShopOffPolicyOptions.model_validate(given)
    except ValidationError as error:
        raise ConfigError(
            "\n".join(["off-policy:", *explain(error, ShopOffPolicyOptions)])
        ) from error


def _scorer(run: Path, shop: Any) -> Any:
    from shelfwise.evaluation.run_scorer import RunScorer
    from shelfwise.ranking.loaded_run import open_run
    from shelfwise.schema.errors import ArtifactError

    loaded = open_run(run)
    if loaded.manifest.data_fingerprint != shop.manifest.data_fingerprint:
        raise ArtifactError(
            f"{run}: was trained from other data than {shop.folder} holds; name the prepared "
            f"folder it was trained from, {loaded.manifest.facts['prepared']}"
        )
    return RunScorer(loaded, shop)


def _show(found: OffPolicy) -> None:
    answer.print(f"[bold]{escape(found.where)}[/]: {escape(found.policy)}")
    bounds = escape(interval(found.covered_low, found.covered_high, 3))
    mean = f"{figure(found.covered, 3)} {bounds}".strip()
    answer.print(
        f"{found.rows:,} slots of {found.units:,} owners; effective sample size "
        f"{found.effective:,.0f}; mean weight {mean}, largest {found.largest_weight:,.1f}"
    )
    table = Table("estimator", f"{found.reward} a slot", "gain over the log's own", box=None)
    table.add_row(
        "logged",
        f"{figure(found.logged, 5)} {escape(interval(found.logged_low, found.logged_high, 5))}",
        "",
    )
    for one in found.estimates:
        table.add_row(
            one.estimator,
            f"{figure(one.value, 5)} {escape(interval(one.low, one.high, 5))}",
            f"{figure(one.gain, 5)} {escape(interval(one.gain_low, one.gain_high, 5))}",
        )
    show(table)
    answer.print(found.sentence, markup=False)
    for note in found.notes:
        answer.print(f"note: {note}", style="dim", markup=False)


def _plain(order: ReorderedLists) -> dict[str, Any]:
    told = order.found
    figures = (
        None
        if told is None
        else {
            "effective": told.effective,
            **{name: getattr(told, name)._asdict() for name in ("value", "logged", "gain")},
        }
    )
    return {"surface": order.surface, "sentence": order.sentence, "found": figures}
