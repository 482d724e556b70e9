"""`shelfwise prepare`: a shop's files made into what training reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.console import AsJson, Bars, Settings, answer, emit


def prepare(
    shop: Annotated[Path, typer.Argument(help="Shop folder, or one table of text and label.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    settings: Settings = None,
    as_json: AsJson = False,
) -> None:
    """Read, clean, attribute, split by time, and build point-in-time histories.

    Good rows are prepared whatever else is wrong; bad ones go to rejects.parquet with their
    reasons.

    Example: shelfwise prepare myshop --out prepared
    """
    from shelfwise.config import load_config
    from shelfwise.data.prepare import prepare as prepare_shop

    prepared = prepare_shop(shop, out, load_config(shop, settings or ()), Bars())
    facts = prepared.manifest.facts
    for count in facts["rows"]:
        answer.print(
            f"{count['file']}: {count['rows_in']:,} rows in = {count['kept']:,} kept + "
            f"{count['rejected']:,} rejected + {count['duplicates']:,} duplicates"
        )
    for name, value in facts["counts"].items():
        shown = (
            ", ".join(f"{k} {v:,}" for k, v in value.items())
            if isinstance(value, dict)
            else f"{value:,}"
        )
        answer.print(f"{name}: {shown}")
    for warning in facts.get("warnings", []):
        answer.print(f"warning: {warning}", style="yellow", markup=False)
    if sum(count["rejected"] for count in facts["rows"]):
        answer.print(
            f"rejected rows and reasons: {out / 'rejects.parquet'}; "
            f"ways out are told by: shelfwise check {shop}"
        )
    answer.print(f"{out}: prepared; next: shelfwise train {out} --out run")
    emit(
        as_json,
        {
            "folder": str(out),
            "fingerprint": prepared.manifest.data_fingerprint,
            "rows": facts["rows"],
            "counts": facts["counts"],
            "warnings": facts.get("warnings", []),
        },
    )
