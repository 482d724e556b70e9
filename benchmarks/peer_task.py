"""A ranking task as other libraries are given it: a folder of tables, without the test's answers.

`benchmarks/peers/exchange.py` reads it. Shape suffixes: T = targets, E = events of histories.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from shelfwise.data.part_rows import LEARNED, TRAINED
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.targets import MatchTargets, match_targets
from shelfwise.evaluation.baselines.choose import match_kind_numbers
from shelfwise.retrieval.taken import Taken, taken_in

K = 10
_ITEM_COLUMNS = ("item_id", "title", "category", "brand", "price", "text")


def write_task(prepared: PreparedShop, targets: MatchTargets, name: str, folder: Path) -> Path:
    """Everything a system may learn from for the test, and the requests that it has to answer.

    Args:
        prepared: the log.
        targets: the test's requests.
        name: of the benchmark.
        folder: to make.
    """
    folder.mkdir()
    validation = match_targets(prepared, "validation")
    told = {
        "name": name,
        "items": len(prepared.items),
        "targets": len(targets),
        "validation_targets": len(validation),
        "clock": "order" if prepared.manifest.facts.get("clock") == "order" else "time",
        "k": K,
        # Whether items of the history count, as the headline has it.
        "view": "new" if prepared.options.match.seen == "remove" else "all",
    }
    (folder / "task.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    _interactions(prepared).write_parquet(folder / "interactions.parquet")
    items = prepared.items.with_row_index("item").with_columns(pl.col("item").cast(pl.Int64))
    items.select("item", *_ITEM_COLUMNS).write_parquet(folder / "items.parquet")
    histories(prepared, targets).write_parquet(folder / "histories.parquet")
    histories(prepared, validation).write_parquet(folder / "validation_histories.parquet")
    answers = {"target": validation.right_target_P, "item": validation.right_item_P}
    pl.DataFrame(answers).write_parquet(folder / "validation_answers.parquet")
    return folder


def _interactions(prepared: PreparedShop) -> pl.DataFrame:
    """Behaviour before the test that counts as a match: owner, item, at, part; in this order."""

    def rows(taken: Taken) -> pl.DataFrame:
        return pl.DataFrame({"owner": taken.owner_E, "item": taken.item_E, "at": taken.at_E})

    trained, learned = rows(taken_in(prepared, TRAINED)), rows(taken_in(prepared, LEARNED))
    # The same event may stand in a log twice: of equal rows, the first are those of training.
    keys = ["owner", "item", "at"]
    numbered = pl.int_range(pl.len()).over(keys).alias("copy")
    return (
        learned.with_columns(numbered)
        .join(
            trained.with_columns(numbered, part=pl.lit("train")),
            on=[*keys, "copy"],
            how="left",
            maintain_order="left",
        )
        .select(*keys, pl.col("part").fill_null("validation"))
    )


def histories(prepared: PreparedShop, targets: MatchTargets) -> pl.DataFrame:
    """Each request's owner and moment, and the items they had taken, oldest first."""
    history = prepared.history
    begin_T = history.offset_U1[targets.owner_T]
    length_T = targets.end_T - begin_T
    target_E = np.repeat(np.arange(len(targets)), length_T)
    first_E = np.repeat(length_T.cumsum() - length_T, length_T)
    place_E = begin_T[target_E] + np.arange(len(target_E)) - first_E
    counted_E = np.isin(history.kind_E[place_E], match_kind_numbers(prepared))
    counted_E &= history.item_E[place_E] >= 0
    items = history.item_E[place_E[counted_E]].astype(np.int64)
    taken = pl.DataFrame({"target": target_E[counted_E], "items": items})
    lists = taken.group_by("target", maintain_order=True).agg("items")
    asked = pl.DataFrame({"owner": targets.owner_T, "at": targets.at_T}).with_columns(
        pl.int_range(pl.len()).alias("target")
    )
    return asked.join(lists, on="target", how="left", maintain_order="left").select(
        "target", "owner", pl.col("items").fill_null([]), "at"
    )
