"""From a shop's raw files to a prepared folder: read, clean, attribute, split, remember, seal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shelfwise.data.attribution import attribute
from shelfwise.data.clean import clean
from shelfwise.data.config import DataOptions
from shelfwise.data.folder import new_folder
from shelfwise.data.history import KINDS, NONE, History, ends_before
from shelfwise.data.leakage import refuse_leaks
from shelfwise.data.occasions import Occasions, find_occasions, match_kinds
from shelfwise.data.pairs import split_pairs
from shelfwise.data.parts import Asked, assign_parts
from shelfwise.data.prepared import PreparedPairs, PreparedShop, item_of, open_prepared
from shelfwise.data.source.read import ShopTables, read_any
from shelfwise.data.split import split_moments, split_warning
from shelfwise.data.text import item_text
from shelfwise.data.weights import with_weights
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.event import EventKind
from shelfwise.schema.manifest import MANIFEST, file_digests, fingerprint_of, holds, seal
from shelfwise.schema.progress import Progress, Silent


def prepare(
    shop: Path, out: Path, options: DataOptions, progress: Progress | None = None
) -> PreparedShop | PreparedPairs:
    """Write everything training needs to know of ``shop`` into the new folder ``out``.

    Bad rows go to ``rejects.parquet`` with their reasons; for every file, rows read equal rows kept
    plus rejected plus duplicates, and the manifest holds the counts.

    Args:
        shop: folder with the shop's files, or one table of texts and labels.
        out: folder to make; appears whole or not at all.
        options: what shop.toml says.
        progress: told of each step.

    Raises:
        DataError: nothing usable was found, or the leakage guard refused the result.
    """
    progress = progress or Silent()
    if holds(out) == "run":
        raise ConfigError(f"{out}: holds a trained run; name another folder, or remove it first")
    with new_folder(out, MANIFEST) as folder:
        tables = read_any(shop, options, progress)
        _refuse_lost_tables(tables, shop)
        with progress.step("Cleaning"):
            tables = clean(tables)
        if tables.events is not None:
            facts = _write_shop(tables, folder, options, progress)
        elif tables.pairs is not None:
            facts = _write_pairs(tables.pairs, folder, options)
        else:
            raise AssertionError("without events and pairs, the reader reports a missing file")
        tables.rejects.write_parquet(folder / "rejects.parquet")
        facts |= {"options": options.model_dump(mode="json"), "rows": _row_counts(tables)}
        fingerprint = _fingerprint(folder, options)
        seal(folder, "prepared", seed=options.seed, data_fingerprint=fingerprint, facts=facts)
    return open_prepared(out)


def _refuse_lost_tables(tables: ShopTables, shop: Path) -> None:
    """A bad row or file is left out and counted; a lost table would change everything."""
    if tables.lost:
        unusable = [fault for group in tables.faults for fault in group.examples if fault.fatal]
        raise DataError(
            "\n".join(
                [f"{shop}: cannot be prepared:"]
                + [f"  {f.file}: {f.rule}; found {f.found}; {f.fix}" for f in unusable]
            )
        )


def _fingerprint(folder: Path, options: DataOptions) -> str:
    """Of the tables and of the options that `prepare` reads; later commands' are left out."""
    told = options.model_dump(mode="json", include=set(DataOptions.model_fields))
    return fingerprint_of(file_digests(folder), json.dumps(told, sort_keys=True))


def _row_counts(tables: ShopTables) -> list[dict[str, Any]]:
    return [
        {
            "file": count.file,
            "rows_in": count.rows_in,
            "kept": count.kept,
            "rejected": count.rejected,
            "duplicates": count.duplicates,
        }
        for count in tables.counts
    ]


def _write_pairs(pairs: pl.DataFrame, folder: Path, options: DataOptions) -> dict[str, Any]:
    rows, classes = split_pairs(pairs, options.pairs)
    rows.write_parquet(folder / "pairs.parquet")
    return {
        "shape": "pairs",
        "classes": classes,
        "counts": dict(rows.group_by("part").len().sort("part").iter_rows()),
    }


def _write_shop(
    tables: ShopTables, folder: Path, options: DataOptions, progress: Progress
) -> dict[str, Any]:
    assert tables.events is not None
    with progress.step("Building histories and requests", total=5) as step:
        items = _number_items(tables.catalogue, tables.events, options)
        events, owners, queries = _number_events(tables.events, items)
        at_E = events["at"].to_numpy()
        moments = split_moments(int(at_E.min()), int(at_E.max()), options.split)
        step.advance()
        history, per_owner = _build_history(events, len(owners), options)
        step.advance()
        kinds = _match_kinds(events, options)
        attributed = attribute(events, options.attribution)
        by_sequence = options.match.target == "next"
        occasions = find_occasions(events, attributed, kinds, by_sequence)
        asked = Asked(*occasions, items, queries)
        occasions = occasions._replace(requests=assign_parts(asked, moments, options.split))
        step.advance()
        history_end_R = _history_ends(history, per_owner, occasions, by_sequence)
        refuse_leaks(history, occasions, history_end_R)
        step.advance()
        requests = occasions.requests.with_columns(
            pl.Series("history_end", history_end_R), pl.col("query").fill_null(NONE)
        ).drop("request", "sequence")
        impressions, positives = with_weights(
            occasions.impressions, occasions.positives, requests, options.weights
        )
        _write_tables(
            folder,
            items=items.drop("item"),
            queries=queries.select("text"),
            owners=owners.select("owner_id").with_columns(
                pl.Series("events", np.diff(history.offset_U1))
            ),
            history=_history_table(history),
            requests=requests,
            impressions=impressions,
            positives=positives,
            campaigns=_campaigns(tables.campaigns),
        )
        step.advance()
    return {
        "shape": "shop",
        "moments": moments._asdict(),
        "warnings": [warning] if (warning := split_warning(options.split)) else [],
        "match_kinds": [str(kind) for kind in kinds],
        "counts": _counts(items, events, owners, occasions),
    }


def _match_kinds(events: pl.DataFrame, options: DataOptions) -> tuple[EventKind, ...]:
    kinds = match_kinds(events, options.match)
    if not events["event"].is_in([*kinds, EventKind.IMPRESSION]).any():
        found = ", ".join(events["event"].unique().sort())
        asked = f"match.events asks for {', '.join(kinds)}" if kinds else "none shows interest"
        raise DataError(
            f"events: nothing can be learned from the kinds found ({found}): no impression, and "
            f"{asked}; map the log's own names in shop.toml under [events.names]"
        )
    return kinds


def _number_items(
    catalogue: pl.DataFrame | None, events: pl.DataFrame, options: DataOptions
) -> pl.DataFrame:
    """The catalogue, then items known only from events by their id, with the text of each."""
    columns = [column.name for column in CATALOGUE]
    blank = events.select(pl.col("item_id").drop_nulls().unique().sort())
    if catalogue is None:
        items = blank
    else:
        items = pl.concat(
            [
                catalogue.select(columns),
                blank.join(catalogue, on="item_id", how="anti", maintain_order="left"),
            ],
            how="diagonal",
        )
    for name in columns:
        if name not in items.columns:
            kind = {"price": pl.Float64, "available": pl.Boolean}.get(name, pl.String)
            items = items.with_columns(pl.lit(None, kind).alias(name))
    texts = [item_text(item_of(row), options.text) for row in items.iter_rows(named=True)]
    return (
        items.select(columns)
        .with_columns(pl.Series("text", texts, pl.String))
        .with_row_index("item")
    )


def _number_events(
    raw: pl.DataFrame, items: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Events with numbers for items, owners and queries, sorted by owner, time and log order."""
    owners = raw.select(pl.col("owner_id").unique().sort()).with_row_index("owner")
    queries = raw.select(pl.col("query").drop_nulls().unique().sort()).with_row_index("number")
    numbered = (
        raw.join(owners, on="owner_id", how="left", maintain_order="left")
        .join(items.select("item_id", "item"), on="item_id", how="left", maintain_order="left")
        .join(queries, on="query", how="left", maintain_order="left")
    )
    events = numbered.select(
        "event",
        pl.col("owner").cast(pl.Int64),
        pl.col("item").cast(pl.Int64),
        pl.col("number").cast(pl.Int64).alias("query"),
        pl.col("timestamp").dt.epoch("us").alias("at"),
        "sequence",
        "request_id",
        "surface",
        "position",
        "propensity",
    )
    return (
        events.sort("owner", "at", "sequence", nulls_last=True, maintain_order=True),
        owners,
        queries.rename({"query": "text"}),
    )


def _build_history(
    events: pl.DataFrame, owners: int, options: DataOptions
) -> tuple[History, pl.DataFrame]:
    """The array of all behaviour, and the events it was made from in the same order."""
    kept = events.filter(
        pl.col("event").is_in(options.history.behaviours)
        & (pl.col("item").is_not_null() | pl.col("query").is_not_null())
    )
    places = {str(kind): place for place, kind in enumerate(KINDS)}
    count_U = np.bincount(kept["owner"].to_numpy(), minlength=owners)
    history = History(
        offset_U1=np.concatenate([[0], count_U.cumsum()]).astype(np.int64),
        item_E=kept["item"].fill_null(NONE).to_numpy().astype(np.int32),
        query_E=kept["query"].fill_null(NONE).to_numpy().astype(np.int32),
        kind_E=kept["event"].replace_strict(places, return_dtype=pl.UInt8).to_numpy(),
        at_E=kept["at"].to_numpy(),
    )
    return history, kept


def _history_ends(
    history: History, kept: pl.DataFrame, occasions: Occasions, by_sequence: bool
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Where each request's history ends: before its time or, by sequence, before its own event."""
    requests = occasions.requests
    ends_R = ends_before(history, requests["owner"].to_numpy(), requests["at"].to_numpy())
    if not by_sequence:
        return ends_R
    order = ["owner", "at", "sequence"]
    first = kept.with_row_index("place").group_by(order).agg(pl.col("place").min())
    # Without a sequence (named requests have none) the order within a time stamp is not known.
    placed = requests.join(first, on=order, how="left", maintain_order="left")
    place_R = placed["place"].cast(pl.Int64).fill_null(-1).to_numpy()
    return np.where(place_R < 0, ends_R, place_R).astype(np.int64)


def _history_table(history: History) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item": history.item_E,
            "query": history.query_E,
            "kind": history.kind_E,
            "at": history.at_E,
        }
    )


def _campaigns(table: pl.DataFrame | None) -> pl.DataFrame:
    columns = [column.name for column in CAMPAIGNS]
    if table is not None:
        return table.select(columns)
    return pl.DataFrame(schema={name: pl.String for name in columns}).with_columns(
        pl.col("bid", "budget").cast(pl.Float64)
    )


def _write_tables(folder: Path, **tables: pl.DataFrame) -> None:
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")


def _counts(
    items: pl.DataFrame, events: pl.DataFrame, owners: pl.DataFrame, occasions: Occasions
) -> dict[str, Any]:
    by_kind = dict(events.group_by("event").len().sort("event").iter_rows())
    parts = dict(occasions.requests.group_by("part").len().sort("part").iter_rows())
    return {
        "items": len(items),
        "owners": len(owners),
        "events": {kind: by_kind[kind] for kind in map(str, EventKind) if kind in by_kind},
        "requests": parts,
        "impressions": len(occasions.impressions),
        "positives": len(occasions.positives),
    }
