"""A shop folder, or a single table, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from glob import escape as glob_escape
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from shelfwise.data.config import (
    CampaignOptions,
    CatalogueOptions,
    DataOptions,
    EventOptions,
    PairsOptions,
)
from shelfwise.data.source import campaigns, catalogue, events, pairs
from shelfwise.data.source.checked import (
    REJECT_ROWS,
    CheckedTable,
    TableCounts,
    TableSpec,
    check_pattern,
)
from shelfwise.data.source.fault import FaultGroup, group
from shelfwise.data.source.files import not_found
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS, PAIRS, Column
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class ShopTables:
    """What a shop's files hold, typed; what had to be refused; and why.

    Each frame has every column that ``schema.columns`` lists for its table, then the files'
    further columns, then ``row`` and ``file``. Of a file with a fatal fault nothing is kept.
    """

    catalogue: pl.DataFrame | None
    events: pl.DataFrame | None
    campaigns: pl.DataFrame | None
    pairs: pl.DataFrame | None
    rejects: pl.DataFrame  # file, row, column, code, found, rule, raw (null: see the file)
    faults: tuple[FaultGroup, ...]
    notes: tuple[str, ...]  # worth telling, and no fault
    counts: tuple[TableCounts, ...]  # one a file
    lost: frozenset[str]  # tables that must be there and of whose files none can be used


def read_shop(
    folder: Path,
    options: DataOptions,
    progress: Progress | None = None,
    *,
    now: datetime | None = None,
) -> ShopTables:
    """Read every table of a shop folder and find everything that is wrong with it.

    Faults in the files are returned, not raised. ``now`` is the latest moment an event may
    have where the options name none; left out, the moment of the call.

    Raises:
        DataError: the folder does not exist.
        ConfigError: the options name a column or a time zone that there is not.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: not a folder; name the folder that holds the shop's files")
    _check_options(options)
    watch = progress or Silent()
    latest = options.events.latest or now or datetime.now(UTC)

    items = check_pattern(folder, options.catalogue.file, _catalogue_spec(options), watch)
    known = None if items is None or items.frame is None else items.frame["item_id"]
    log = check_pattern(folder, options.events.file, _event_spec(options, known, latest), watch)
    ads = check_pattern(folder, options.campaigns.file, _campaign_spec(options, known), watch)
    plain = check_pattern(folder, options.pairs.file, _pair_spec(options.pairs), watch)

    tables = {"catalogue": items, "events": log, "campaigns": ads, "pairs": plain}
    named: dict[str, CatalogueOptions | EventOptions | CampaignOptions | PairsOptions] = {
        "catalogue": options.catalogue,
        "events": options.events,
        "campaigns": options.campaigns,
        "pairs": options.pairs,
    }
    absent = [
        name
        for name, table in named.items()
        if tables[name] is None and "file" in table.model_fields_set
    ]
    if log is None and plain is None and "events" not in absent:
        absent.append("events")
    missing = group(not_found(folder, named[name].file) for name in absent)
    return _gathered(tables, absent, missing)


def read_any(shop: Path, options: DataOptions, progress: Progress | None = None) -> ShopTables:
    """Read a shop folder or, where ``shop`` is a file, that one table of texts and labels."""
    if shop.is_file():
        return read_pairs_file(shop, options.pairs, progress)
    return read_shop(shop, options, progress)


def read_pairs_file(
    path: Path, options: PairsOptions | None = None, progress: Progress | None = None
) -> ShopTables:
    """Read a single table of text and label; faults are returned, not raised."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; name a table with the columns text and label")
    spec = _pair_spec(options or PairsOptions())
    table = check_pattern(path.parent, glob_escape(path.name), spec, progress or Silent())
    return _gathered({"pairs": table}, [], [])


def _check_options(options: DataOptions) -> None:
    """What only reading can tell of the options: names of columns, and of the zone."""
    wrong = [
        *_unknown_columns("catalogue", options.catalogue.columns, CATALOGUE),
        *_unknown_columns("events", options.events.columns, EVENTS),
        *_unknown_columns("campaigns", options.campaigns.columns, CAMPAIGNS),
        *_unknown_columns("pairs", options.pairs.columns, PAIRS),
    ]
    zone = options.events.timezone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong.append(f"  events.timezone: {zone!r} is no time zone; write one like Europe/Berlin")
    if wrong:
        raise ConfigError("\n".join(["shop.toml:", *wrong]))


def _unknown_columns(
    section: str, mapping: Mapping[str, str], columns: Sequence[Column]
) -> list[str]:
    names = [column.name for column in columns]
    return [
        f"  {section}.columns.{name}: Shelfwise has no such column; it has {', '.join(names)}"
        for name in mapping
        if name not in names
    ]


def _catalogue_spec(options: DataOptions) -> TableSpec:
    return TableSpec(
        section="catalogue",
        columns=CATALOGUE,
        own_names=options.catalogue.columns,
        needed=(("item_id",),),
        rules=catalogue.catalogue_rules(options.catalogue.max_title_length),
        among_rows=catalogue.uniqueness_rules(),
    )


def _event_spec(options: DataOptions, known: pl.Series | None, latest: datetime) -> TableSpec:
    rules = (
        *events.identity_rules(),
        *events.time_rules(latest, options.events.timezone),
        *events.value_rules(options.catalogue.max_title_length),
    )
    if known is not None:
        reject = options.catalogue.unknown_items == "reject"
        rules += (events.unknown_item_rule(known, reject=reject),)
    return TableSpec(
        section="events",
        columns=EVENTS,
        own_names=options.events.columns,
        needed=(("event",), ("item_id",), ("user_id", "session_id"), ("timestamp", "sequence")),
        rules=rules,
        zone=options.events.timezone,
        translate=partial(events.with_kinds, names=options.events.names),
    )


def _campaign_spec(options: DataOptions, known: pl.Series | None) -> TableSpec:
    zone = options.events.timezone
    return TableSpec(
        section="campaigns",
        columns=CAMPAIGNS,
        own_names=options.campaigns.columns,
        needed=(("campaign_id",), ("item_id",), ("bid",)),
        rules=campaigns.campaign_rules(known, options.catalogue.max_title_length, zone),
        among_rows=campaigns.uniqueness_rules(),
        zone=zone,
    )


def _pair_spec(options: PairsOptions) -> TableSpec:
    return TableSpec(
        section="pairs",
        columns=PAIRS,
        own_names=options.columns,
        needed=(("text",), ("label",)),
        rules=pairs.pair_rules(),
        may_repeat=True,  # how often a text has a label is part of the data
    )


def _gathered(
    by_name: Mapping[str, CheckedTable | None], absent: Sequence[str], missing: list[FaultGroup]
) -> ShopTables:
    found = {name: table for name, table in by_name.items() if table is not None}
    frames = {name: table.frame for name, table in found.items()}
    tables = found.values()
    return ShopTables(
        catalogue=frames.get("catalogue"),
        events=frames.get("events"),
        campaigns=frames.get("campaigns"),
        pairs=frames.get("pairs"),
        rejects=pl.concat([pl.DataFrame(schema=REJECT_ROWS), *(t.rejects for t in tables)]),
        faults=(*missing, *(group for table in tables for group in table.groups)),
        notes=tuple(note for table in tables for note in table.notes),
        counts=tuple(count for table in tables for count in table.counts),
        # Without its campaigns a shop still learns, and only its ads stay empty.
        lost=frozenset([*absent, *(n for n, frame in frames.items() if frame is None)])
        - {"campaigns"},
    )
