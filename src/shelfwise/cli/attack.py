"""`shelfwise attack`: how much of a run's figures typos, chance and adversaries leave."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit, show

if TYPE_CHECKING:
    from shelfwise.evaluation.attacks.attack import AttackReport


def attack(
    run: Annotated[Path, typer.Argument(help="Folder that `train` wrote.")],
    data: Annotated[
        Path | None, typer.Option(help="Prepared folder, if it is no longer where it was.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the page here.")] = None,
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Attack a run: typos, noise in histories, stuffed titles, gradients; and what is left of it.

    Example: shelfwise attack run --html attack.html
    """
    from shelfwise.cli.saved_config import config_of
    from shelfwise.evaluation.attack_page import write_attack_page
    from shelfwise.evaluation.attacks.attack import attack as under_attack
    from shelfwise.evaluation.page import refuse_no_place
    from shelfwise.schema.manifest import open_sealed

    config = config_of(run, open_sealed(run, "run"), settings or (), sections=("attack",))
    if html is not None:
        refuse_no_place(html)
    found = under_attack(run, config.attack, data, Bars())
    _show(found)
    if html is not None:
        write_attack_page(found, html)
        answer.print(f"page: {html}", markup=False)
    emit(as_json, found.as_json())


def _show(found: AttackReport) -> None:
    answer.print(found.name, style="bold", markup=False)
    if found.synthetic:
        answer.print("Synthetic data: the figures show that the parts work, not how good they are.")
    answer.print(found.protocol, markup=False)
    answer.print(
        f"Robustness {found.robustness:.3f}, mean of all attacks (learned against: "
        f"{found.adversary})",
        style="bold",
        markup=False,
    )
    table = Table("attack", "figure", "clean", "at its strongest", "lost", "robustness", box=None)
    for curve in found.curves:
        last = curve.points[-1]
        table.add_row(
            curve.attack,
            curve.metric,
            f"{curve.clean:.3f}",
            f"{last.value:.3f}",
            f"{last.lost:.3f} \\[{last.lost_low:.3f}, {last.lost_high:.3f}]",
            f"{curve.robustness:.3f} \\[{curve.robustness_low:.3f}, {curve.robustness_high:.3f}]",
        )
    show(table)
    for push in found.pushes:
        answer.print(
            f"{push.words} words behind {push.items} titles: shown {push.after} times instead of "
            f"{push.before} in {push.requests} searches",
            markup=False,
        )
    for one in found.slices[:5]:
        answer.print(
            f"hurt most: {one.name} under {one.attack}: {one.clean:.3f} to {one.attacked:.3f}",
            markup=False,
        )
    for note in found.notes:
        answer.print(f"note: {note}", style="dim", markup=False)
