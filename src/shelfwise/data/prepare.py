"""From a shop's raw files to a prepared folder: read, clean, attribute, split, remember, seal."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from shelfwise.data.clean import clean
from shelfwise.data.config import DataOptions
from shelfwise.data.features.declared import Source, not_numbers, refuse_unfound
from shelfwise.data.features.point_in_time import write_features
from shelfwise.data.folder import new_folder
from shelfwise.data.in_parallel import each
from shelfwise.data.item_rows import number_items, with_item_ids
from shelfwise.data.judged import judgement_rows
from shelfwise.data.log_tables import LogTables, log_tables
from shelfwise.data.pairs import split_pairs
from shelfwise.data.prepared import FEATURES, Prepared, open_prepared
from shelfwise.data.pseudonyms import Pseudonyms
from shelfwise.data.source.read import ShopTables, read_pairs_file, scan_shop
from shelfwise.data.stage import EventStage
from shelfwise.schema.columns import CAMPAIGNS
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.manifest import MANIFEST, file_digests, fingerprint_of, holds, seal
from shelfwise.schema.progress import Progress, Silent

# What only says where the tables came from and how they were worked on, not what is in them.
_NO_PART_OF_THE_DATA = frozenset(
    {"catalogue", "events", "users", "judgements", "campaigns", "pairs", "privacy", "memory"}
)
_REJECTS = "rejects.parquet"


def prepare(
    shop: Path, out: Path, options: DataOptions, progress: Progress | None = None
) -> Prepared:
    """Write everything training needs to know of ``shop`` into the new folder ``out``.

    Bad rows go to ``rejects.parquet`` with their reasons; for every file, rows read equal rows kept
    plus rejected plus duplicates, and the manifest holds the counts. Users' ids are replaced by
    pseudonyms before anything is written. The tables do not depend on the order of rows and files,
    nor on how much is held in memory.

    Args:
        shop: folder with the shop's files, or one table of texts and labels.
        out: folder to make; appears whole or not at all.
        options: what shop.toml says.
        progress: told of each step.

    Raises:
        DataError: nothing usable was found, or the leakage guard refused the result.
        ConfigError: ``out`` holds a trained run, or the key of the pseudonyms cannot be had.
    """
    progress = progress or Silent()
    if holds(out) == "run":
        raise ConfigError(f"{out}: holds a trained run; name another folder, or remove it first")
    with new_folder(out, MANIFEST) as folder:
        if shop.is_file():
            tables = clean(read_pairs_file(shop, options.pairs, progress))
            _refuse_lost_tables(tables, shop)
            facts = _write_pairs(tables, folder, options)
        else:
            # On the same disk as the result, and hidden until it is gone.
            with TemporaryDirectory(prefix=".scratch-", dir=folder) as scratch:
                facts, tables = _prepare_folder(shop, folder, Path(scratch), options, progress)
        tables.rejects.write_parquet(folder / _REJECTS)
        facts |= {"shop": str(shop.resolve())}
        facts |= {"options": options.model_dump(mode="json"), "rows": _row_counts(tables)}
        fingerprint = _fingerprint(folder, options)
        seal(folder, "prepared", seed=options.seed, data_fingerprint=fingerprint, facts=facts)
    return open_prepared(out)


def _prepare_folder(
    shop: Path, folder: Path, scratch: Path, options: DataOptions, progress: Progress
) -> tuple[dict[str, Any], ShopTables]:
    pseudonyms = Pseudonyms.of(options.privacy, shop)
    stage = EventStage(scratch, options, pseudonyms)
    tables = scan_shop(shop, options, stage.take, pseudonyms.hide, progress)
    _refuse_lost_tables(tables, shop)
    with progress.step("Cleaning"):
        tables = clean(tables)
        if tables.users is not None:
            tables = replace(tables, users=_without_ids(tables.users, pseudonyms))
    declared = _declared_columns(tables, stage, options)
    refuse_unfound(declared, options.features)
    if tables.has_events:
        made = log_tables(stage, tables, scratch, options, progress)
        facts = _write_shop(made, folder, made.tables)
        facts["features"] |= {"not_numbers": not_numbers(declared)}
        return facts, made.tables
    if tables.pairs is not None:
        return _write_pairs(tables, folder, options), tables
    return _write_judgements(tables, folder, options), tables


def _declared_columns(
    tables: ShopTables, stage: EventStage, options: DataOptions
) -> tuple[Source, ...]:
    return (
        Source.of_log(stage.columns, stage.readable),
        Source.of("users", tables.users, options.features),
        Source.of("items", tables.catalogue, options.features),
    )


def _without_ids(users: pl.DataFrame, pseudonyms: Pseudonyms) -> pl.DataFrame:
    names = [pseudonyms.name("user", user) for user in users["user_id"]]
    return users.with_columns(pl.Series("owner_id", names, pl.String)).drop("user_id")


def _refuse_lost_tables(tables: ShopTables, shop: Path) -> None:
    """A bad row or file is left out and counted; a lost table would change everything."""
    if tables.lost:
        unusable = [fault for group in tables.faults for fault in group.examples if fault.fatal]
        raise DataError(
            "\n".join(
                [f"{shop}: cannot be prepared:"]
                + [f"  {f.file}: {f.rule}; {_found(f.found)}; {f.fix}" for f in unusable]
            )
        )
    if tables.emptied:
        raise DataError("\n".join([f"{shop}: cannot be prepared:", *_why_empty(tables)]))


def _found(text: str) -> str:
    return text if text.startswith("found ") else f"found {text}"


def _why_empty(tables: ShopTables) -> list[str]:
    """Tables of which every row was refused, each with the rules that cost the most."""
    lines = []
    for name, files in sorted(tables.emptied.items()):
        costly = sorted(
            (one for one in tables.faults if one.file in files), key=lambda one: -one.count
        )
        told = "; ".join(f"{one.rule} ({one.count:,} rows)" for one in costly[:3])
        lines.append(f"  {name}: every row was refused: {told or 'run shelfwise check'}")
    return lines


def _fingerprint(folder: Path, options: DataOptions) -> str:
    """Of the tables and of the options that shape what is learned from them.

    Rejected rows, and where the rows came from, are no part of it: the same data out of files, a
    database or a stream have one fingerprint.
    """
    told = options.model_dump(
        mode="json", include=set(DataOptions.model_fields) - _NO_PART_OF_THE_DATA
    )
    digests = {name: one for name, one in file_digests(folder).items() if name != _REJECTS}
    return fingerprint_of(digests, json.dumps(told, sort_keys=True))


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


def _write_pairs(tables: ShopTables, folder: Path, options: DataOptions) -> dict[str, Any]:
    assert tables.pairs is not None
    rows, classes = split_pairs(tables.pairs, options.pairs)
    rows.write_parquet(folder / "pairs.parquet")
    return {
        "shape": "pairs",
        "classes": classes,
        "counts": dict(rows.group_by("part").len().sort("part").iter_rows()),
    }


def _write_judgements(tables: ShopTables, folder: Path, options: DataOptions) -> dict[str, Any]:
    """The text-only case: queries, items and grades, and nobody's behaviour."""
    if tables.judgements is None:
        raise DataError(
            "nothing to learn from: a shop has events, judgements or pairs; "
            "name their file in shop.toml"
        )
    judged = with_item_ids(tables.judgements)
    items = number_items(tables.catalogue, pl.Series([], dtype=pl.String), judged, options)
    queries = judged.select(pl.col("query").unique().sort().alias("text"))
    rows = judgement_rows(judged, items, queries)
    _write_tables(folder, items=items, queries=queries, judgements=rows)
    parts = rows.group_by("part").len().sort("part").iter_rows()
    return {
        "shape": "judgements",
        "counts": {"items": len(items), "queries": len(queries), "judgements": dict(parts)},
    }


def _write_shop(made: LogTables, folder: Path, tables: ShopTables) -> dict[str, Any]:
    _write_tables(
        folder,
        items=made.items,
        queries=made.queries,
        owners=made.owners,
        history=made.history,
        requests=made.requests,
        impressions=made.impressions,
        positives=made.positives,
        campaigns=_campaigns(tables.campaigns),
        judgements=made.judgements,
        users=made.users,
        fraud=made.fraud,
        vocabularies=made.vocabularies,
    )
    if made.figures is not None:
        write_features(folder / FEATURES, *made.figures)
    return dict(made.facts)


def _campaigns(table: pl.DataFrame | None) -> pl.DataFrame:
    columns = [column.name for column in CAMPAIGNS]
    if table is not None:
        return table.select(columns).sort("campaign_id")
    return pl.DataFrame(schema={name: pl.String for name in columns}).with_columns(
        pl.col("bid", "budget").cast(pl.Float64)
    )


def _write_tables(folder: Path, **tables: pl.DataFrame) -> None:
    def write(named: tuple[str, pl.DataFrame]) -> None:
        # One row group layout for one content, however the frame was put together.
        named[1].rechunk().write_parquet(folder / f"{named[0]}.parquet")

    deque(each(write, tables.items()), maxlen=0)
