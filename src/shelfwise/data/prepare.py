"""From a shop's raw files to a prepared folder: read, clean, attribute, split, remember, seal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shelfwise.data.attribution import attribute
from shelfwise.data.config import DataOptions
from shelfwise.data.folder import new_folder
from shelfwise.data.history import KINDS, NONE, History, ends_before
from shelfwise.data.leakage import refuse_leaks
from shelfwise.data.occasions import Occasions, find_occasions, match_kinds
from shelfwise.data.pairs import split_pairs
from shelfwise.data.prepared import PreparedPairs, PreparedShop, item_of, open_prepared
from shelfwise.data.source.read import ShopTables, read_any
from shelfwise.data.split import split_moments
from shelfwise.data.text import item_text, query_text
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind
from shelfwise.schema.manifest import MANIFEST, seal
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
    tables = read_any(shop, options, progress)
    with new_folder(out, MANIFEST) as folder:
        if tables.events is not None:
            facts = _write_shop(tables, folder, options, progress)
        elif tables.pairs is not None:
            facts = _write_pairs(tables.pairs, folder, options)
        else:
            raise DataError(f"{shop}: neither events nor pairs could be read; run shelfwise check")
        tables.rejects.write_parquet(folder / "rejects.parquet")
        facts |= {"options": options.model_dump(mode="json"), "rows": _row_counts(tables)}
        seal(folder, "prepared", seed=options.seed, data_fingerprint=None, facts=facts)
    return open_prepared(out)


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
        "counts": dict(rows["part"].value_counts().iter_rows()),
    }


def _write_shop(
    tables: ShopTables, folder: Path, options: DataOptions, progress: Progress
) -> dict[str, Any]:
    assert tables.events is not None
    with progress.step("Building histories and requests", total=5) as step:
        items = _number_items(tables.catalogue, tables.events, options)
        events, owners, queries = _number_events(tables.events, items)
        moments = split_moments(_time(events, "min"), _time(events, "max"), options.split)
        step.advance()
        history, per_owner = _build_history(events, len(owners), options)
        step.advance()
        kinds = match_kinds(events, options.match)
        attributed = attribute(events, options.attribution)
        by_sequence = options.match.target == "next"
        occasions = find_occasions(events, attributed, kinds, by_sequence, moments)
        step.advance()
        history_end_R = _history_ends(history, per_owner, occasions, by_sequence)
        refuse_leaks(history, occasions, history_end_R)
        step.advance()
        requests = occasions.requests.with_columns(
            pl.Series("history_end", history_end_R), pl.col("query").fill_null(NONE)
        ).drop("request", "sequence")
        _write_tables(
            folder,
            items=items.drop("item"),
            queries=queries.select("text"),
            owners=owners.select("owner_id").with_columns(
                pl.Series("events", np.diff(history.offset_U1))
            ),
            history=_history_table(history),
            requests=requests,
            impressions=occasions.impressions,
            positives=occasions.positives,
            campaigns=_campaigns(tables.campaigns),
        )
        step.advance()
    return {
        "shape": "shop",
        "moments": moments._asdict(),
        "match_kinds": [str(kind) for kind in kinds],
        "counts": _counts(items, events, owners, occasions),
    }


def _time(events: pl.DataFrame, which: str) -> int:
    value = events["at"].min() if which == "min" else events["at"].max()
    if not isinstance(value, int):
        raise DataError(
            "events: no row with a timestamp was kept; the split by time needs one. "
            "Run shelfwise check to see what was rejected"
        )
    return value


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
            [catalogue.select(columns), blank.join(catalogue, on="item_id", how="anti")],
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
    whole_session = pl.col("user_id").drop_nulls().unique()
    session_user = (
        raw.filter(pl.col("session_id").is_not_null())
        .group_by("session_id")
        .agg(pl.when(whole_session.len() == 1).then(whole_session.first()).alias("session_user"))
    )
    named = raw.join(session_user, on="session_id", how="left", maintain_order="left").with_columns(
        pl.coalesce(
            "user_id", "session_user", pl.concat_str(pl.lit("session:"), "session_id")
        ).alias("owner_id")
    )
    owners = named.select(pl.col("owner_id").unique().sort()).with_row_index("owner")
    texts = (
        named.filter(pl.col("query").is_not_null())
        .select(pl.col("query").unique().sort())
        .with_columns(
            pl.col("query").map_elements(query_text, return_dtype=pl.String).alias("text")
        )
    )
    queries = texts.select(pl.col("text").unique().sort()).with_row_index("number")
    numbered = (
        named.join(owners, on="owner_id", how="left", maintain_order="left")
        .join(items.select("item_id", "item"), on="item_id", how="left", maintain_order="left")
        .join(texts, on="query", how="left", maintain_order="left")
        .join(queries, on="text", how="left", maintain_order="left")
    )
    events = numbered.select(
        "event",
        pl.col("owner").cast(pl.Int64),
        pl.col("item").cast(pl.Int64),
        pl.col("number").cast(pl.Int64).alias("query"),
        pl.col("timestamp").dt.epoch("us").alias("at"),
        "sequence",
        _request_key(numbered),
        "surface",
        "position",
        "propensity",
    ).filter(pl.col("at").is_not_null())
    return (
        events.sort("owner", "at", "sequence", nulls_last=True, maintain_order=True),
        owners,
        queries,
    )


def _request_key(numbered: pl.DataFrame) -> pl.Expr:
    """The log's request id; where owners share one, it is told apart by owner."""
    shared = (
        numbered.filter(pl.col("request_id").is_not_null())
        .group_by("request_id")
        .agg(pl.col("owner").n_unique().alias("owners"))
        .filter(pl.col("owners") > 1)
    )
    if shared.is_empty():
        return pl.col("request_id")
    return pl.concat_str("owner_id", pl.lit("/"), "request_id").alias("request_id")


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
    placed = requests.join(first, on=order, how="left", nulls_equal=True, maintain_order="left")
    named_R = placed["request_id"].is_not_null().to_numpy()
    place_R = placed["place"].cast(pl.Int64).fill_null(-1).to_numpy()
    return np.where(named_R | (place_R < 0), ends_R, place_R).astype(np.int64)


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
