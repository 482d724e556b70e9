"""A shop folder, or a single table, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    JudgementOptions,
    PairsOptions,
    UserOptions,
)
from shelfwise.data.in_parallel import ahead
from shelfwise.data.source import campaigns, catalogue, events, judgements, pairs, users
from shelfwise.data.source.checked import check_sources, finished, nothing_of
from shelfwise.data.source.fault import FaultGroup, group
from shelfwise.data.source.files import not_found
from shelfwise.data.source.scan import (
    REJECT_ROWS,
    CheckedTable,
    Hide,
    TableCounts,
    TableScan,
    TableSpec,
)
from shelfwise.data.source.sources import files_as_sources, sources_of
from shelfwise.schema.columns import (
    CAMPAIGNS,
    CATALOGUE,
    EVENTS,
    JUDGEMENTS,
    PAIRS,
    PERSONAL,
    USERS,
    Column,
)
from shelfwise.schema.errors import ConfigError, DataError
from shelfwise.schema.progress import Progress, Silent


@dataclass(frozen=True, slots=True)
class ShopTables:
    """What a shop's files hold, typed; what had to be refused; and why.

    Each frame has every column that ``schema.columns`` lists for its table, then the files'
    further columns, then ``row`` and ``file``. Of a file with a fatal fault nothing is kept.
    """

    catalogue: pl.DataFrame | None
    events: pl.DataFrame | None  # None also where `scan_shop` handed the rows out
    users: pl.DataFrame | None
    judgements: pl.DataFrame | None
    campaigns: pl.DataFrame | None
    pairs: pl.DataFrame | None
    has_events: bool  # there is a log, and some of it can be used
    rejects: pl.DataFrame  # file, row, column, code, found, rule, raw (null: see the file)
    faults: tuple[FaultGroup, ...]
    notes: tuple[str, ...]  # worth telling, and no fault
    counts: tuple[TableCounts, ...]  # one a file
    lost: frozenset[str]  # tables that must be there and of whose files none can be used
    emptied: Mapping[str, tuple[str, ...]]  # tables of which every row was refused: their files


TakeRows = Callable[[pl.DataFrame], None]


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
    return _Reading(folder, options, progress or Silent(), now).all_tables(None, None)


def scan_shop(
    folder: Path,
    options: DataOptions,
    take: TakeRows,
    hide: Hide | None = None,
    progress: Progress | None = None,
) -> ShopTables:
    """As `read_shop`, but hands the rows of the log out part by part and keeps none.

    Rows that repeat another are still among them, and counted as kept; each part has the columns
    of ``schema.columns`` and the file's further ones. What rejects show of personal ids is what
    ``hide`` makes of them.
    """
    return _Reading(folder, options, progress or Silent(), None).all_tables(take, hide)


TableOptions = (
    CatalogueOptions
    | EventOptions
    | UserOptions
    | JudgementOptions
    | CampaignOptions
    | PairsOptions
)


class _Reading:
    """One look at a shop folder."""

    def __init__(
        self, folder: Path, options: DataOptions, progress: Progress, now: datetime | None
    ) -> None:
        if not folder.is_dir():
            raise DataError(f"{folder}: not a folder; name the folder that holds the shop's files")
        _check_options(options)
        self.folder = folder
        self.options = options
        self.progress = progress
        self.latest = options.events.latest or now or datetime.now(UTC)
        self.named: dict[str, TableOptions] = {
            "catalogue": options.catalogue,
            "events": options.events,
            "users": options.users,
            "judgements": options.judgements,
            "campaigns": options.campaigns,
            "pairs": options.pairs,
        }

    def all_tables(self, take: TakeRows | None, hide: Hide | None) -> ShopTables:
        options = self.options
        items = self._table("catalogue", _catalogue_spec(options))
        known = None if items is None or items.frame is None else items.frame["item_id"]
        events = _event_spec(options, known, self.latest)
        longest = options.catalogue.max_title_length
        tables = {
            "catalogue": items,
            "events": self._table("events", events)
            if take is None
            else self._log(events, take, hide),
            "users": self._table("users", _user_spec(options), hide),
            "judgements": self._table("judgements", _judgement_spec(options, known, longest)),
            "campaigns": self._table("campaigns", _campaign_spec(options, known)),
            "pairs": self._table("pairs", _pair_spec(options.pairs)),
        }
        absent = [
            name
            for name, table in self.named.items()
            if tables[name] is None and "file" in table.model_fields_set
        ]
        learnable = [tables[name] for name in ("events", "pairs", "judgements")]
        if learnable == [None] * 3 and "events" not in absent:
            absent.append("events")
        missing = group(not_found(self.folder, self.named[name].file) for name in absent)
        return _gathered(tables, absent, missing)

    def _table(self, name: str, spec: TableSpec, hide: Hide | None = None) -> CheckedTable | None:
        sources, faults = sources_of(self.folder, name, self.named[name])
        return check_sources(sources, faults, spec, self.progress, hide)

    def _log(self, spec: TableSpec, take: TakeRows, hide: Hide | None) -> CheckedTable | None:
        """The table of events, its rows handed to ``take`` as they are read."""
        sources, faults = sources_of(self.folder, "events", self.named["events"])
        if not sources and not faults:
            return None
        scan = TableScan(spec, hide)
        for source in sources:
            with self.progress.step(f"Reading {source.name}") as step:
                # The next part is read and judged while this one is taken.
                for rows in ahead(scan.read(source)):
                    take(finished(rows, spec.columns))
                    step.note(f"{scan.rows_in(source.name):,} rows")
        checked = scan.finish()
        frame = finished(nothing_of(spec), spec.columns) if scan.usable() else None
        return replace(checked, frame=frame, groups=group(faults) + checked.groups)


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
    options = options or PairsOptions()
    sources, faults = files_as_sources(path.parent, glob_escape(path.name))
    table = check_sources(sources, faults, _pair_spec(options), progress or Silent())
    return _gathered({"pairs": table}, [], [])


def _check_options(options: DataOptions) -> None:
    """What only reading can tell of the options: names of columns, and of the zone."""
    wrong = [
        *_unknown_columns("catalogue", options.catalogue.columns, CATALOGUE),
        *_unknown_columns("events", options.events.columns, EVENTS),
        *_unknown_columns("users", options.users.columns, USERS),
        *_unknown_columns("judgements", options.judgements.columns, JUDGEMENTS),
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
        units=options.catalogue.units,
        needed=(("item_id",),),
        rules=catalogue.catalogue_rules(options.catalogue.max_title_length),
        among_rows=catalogue.uniqueness_rules(),
        further_count=True,
    )


def _event_spec(options: DataOptions, known: pl.Series | None, latest: datetime) -> TableSpec:
    rules = (
        *events.identity_rules(),
        *events.time_rules(latest, options.events.timezone, ordered=options.events.rows_in_order),
        *events.value_rules(options.catalogue.max_title_length),
    )
    needed: tuple[tuple[str, ...], ...] = (("event",), ("item_id",), ("user_id", "session_id"))
    if not options.events.rows_in_order:  # else its place gives every row one
        needed += (("timestamp", "sequence"),)
    if known is not None:
        reject = options.catalogue.unknown_items == "reject"
        rules += (events.unknown_item_rule(known, reject=reject),)
    return TableSpec(
        section="events",
        columns=EVENTS,
        own_names=options.events.columns,
        units=options.events.units,
        needed=needed,
        rules=rules,
        zone=options.events.timezone,
        translate=partial(events.with_kinds, names=options.events.names),
        private=PERSONAL,
    )


def _user_spec(options: DataOptions) -> TableSpec:
    return TableSpec(
        section="users",
        columns=USERS,
        own_names=options.users.columns,
        needed=(("user_id",),),
        rules=users.user_rules(),
        among_rows=users.uniqueness_rules(),
        further_count=True,
        zone=options.events.timezone,
        private=PERSONAL,
    )


def _judgement_spec(options: DataOptions, known: pl.Series | None, longest: int) -> TableSpec:
    return TableSpec(
        section="judgements",
        columns=JUDGEMENTS,
        own_names=options.judgements.columns,
        needed=(("query",), ("item_id", "title"), ("grade",)),
        rules=judgements.judgement_rules(known, longest),
        among_rows=judgements.uniqueness_rules(),
    )


def _campaign_spec(options: DataOptions, known: pl.Series | None) -> TableSpec:
    zone = options.events.timezone
    return TableSpec(
        section="campaigns",
        columns=CAMPAIGNS,
        own_names=options.campaigns.columns,
        units=options.campaigns.units,
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
        users=frames.get("users"),
        judgements=frames.get("judgements"),
        campaigns=frames.get("campaigns"),
        pairs=frames.get("pairs"),
        has_events=frames.get("events") is not None,
        rejects=pl.concat([pl.DataFrame(schema=REJECT_ROWS), *(t.rejects for t in tables)]),
        faults=(*missing, *(group for table in tables for group in table.groups)),
        notes=tuple(note for table in tables for note in table.notes),
        counts=tuple(count for table in tables for count in table.counts),
        # Without its campaigns a shop still learns, and only its ads stay empty.
        lost=frozenset([*absent, *(n for n, frame in frames.items() if frame is None)])
        - {"campaigns"},
        emptied={
            name: tuple(count.file for count in table.counts)
            for name, table in found.items()
            if name in _NEEDED and table.frame is not None and not _kept(table)
        },
    )


_NEEDED = ("catalogue", "events", "judgements", "pairs")


def _kept(table: CheckedTable) -> int:
    return sum(count.kept for count in table.counts)
