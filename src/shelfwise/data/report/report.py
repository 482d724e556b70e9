"""Everything the data report says, gathered; every section stands alone and can be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from shelfwise.data.config import DataOptions
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.report.categories import Categories, categories
from shelfwise.data.report.columns import TableFill, table_fill
from shelfwise.data.report.concentration import Concentration, concentration
from shelfwise.data.report.days import Days, days
from shelfwise.data.report.delays import Delays, delays
from shelfwise.data.report.flagged import Flagged, flagged
from shelfwise.data.report.funnel import Step, SurfaceFunnel, funnel, surface_funnels
from shelfwise.data.report.kinds import KindCount, kind_counts
from shelfwise.data.report.labels import Judgements, Labels, judgements, labels
from shelfwise.data.report.languages import Languages, languages
from shelfwise.data.report.near_duplicates import NearDuplicates, near_duplicates
from shelfwise.data.report.parts import PartRows, part_rows
from shelfwise.data.report.prices import Prices, prices
from shelfwise.data.report.rows import Rows, rows
from shelfwise.data.report.tasks import Task, tasks_of_events, tasks_of_tables
from shelfwise.data.report.thin_log import collect, thin_log
from shelfwise.data.report.visits import Visits, visits
from shelfwise.data.report.weighing import WeightShare, weighing
from shelfwise.data.source import ShopTables, TableCounts
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS, JUDGEMENTS, PAIRS, Column


@dataclass(frozen=True, slots=True)
class ReportTables:
    """A shop's checked tables, as the report wants them: the log need not fit in memory."""

    events: pl.LazyFrame | None
    catalogue: pl.DataFrame | None
    campaigns: pl.DataFrame | None
    judgements: pl.DataFrame | None
    pairs: pl.DataFrame | None
    counts: tuple[TableCounts, ...]  # one a file
    rejects: pl.DataFrame  # file, row, column, code, found, rule, raw
    faults: int  # kinds of fault
    notes: tuple[str, ...] = ()


def report_tables(shop: ShopTables) -> ReportTables:
    """The tables as `read_shop` gives them."""
    return ReportTables(
        events=None if shop.events is None else shop.events.lazy(),
        catalogue=shop.catalogue,
        campaigns=shop.campaigns,
        judgements=shop.judgements,
        pairs=shop.pairs,
        counts=shop.counts,
        rejects=shop.rejects,
        faults=len(shop.faults),
        notes=shop.notes,
    )


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The items by themselves, and against the log."""

    items: int
    never: int | None  # items that no event names; None without a log
    prices: Prices | None
    languages: Languages | None
    near_duplicates: NearDuplicates | None
    categories: Categories | None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The log by itself."""

    kinds: tuple[KindCount, ...]
    funnel: tuple[Step, ...]
    days: Days | None  # None: the log has no times
    items: Concentration
    owners: Concentration
    visits: Visits | None
    delays: Delays | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What only preparation tells."""

    surfaces: tuple[SurfaceFunnel, ...]  # empty: the log does not say what was shown
    parts: tuple[PartRows, ...]
    flagged: Flagged | None  # None: nobody was to be judged
    weights: tuple[WeightShare, ...]  # empty: rows are not weighed


@dataclass(frozen=True, slots=True)
class DataReport:
    """A shop's data in numbers."""

    name: str
    synthetic: bool
    currency: str
    latest: str  # where events are cut off; "" for the moment of reading
    rows: Rows
    fills: tuple[TableFill, ...]
    faults: int  # kinds of fault, as `shelfwise check` lists them
    behaviour: Behaviour | None
    catalogue: Catalogue | None
    labels: Labels | None
    judgements: Judgements | None
    tasks: tuple[Task, ...]
    prepared: Prepared | None
    unprepared: str  # why ``prepared`` is missing
    notes: tuple[str, ...]


def data_report(tables: ReportTables, options: DataOptions) -> DataReport:
    """Every number that the checked tables give; `with_prepared` adds the rest.

    Args:
        tables: what was kept and refused of the shop's files.
        options: the shop's name, zone, windows and seed.
    """
    events = tables.events
    if events is not None and collect(events.select(pl.len())).item() == 0:
        events = None
    fills = _fills(tables)
    behaviour = None if events is None else _behaviour(events, options)
    latest = options.events.latest
    return DataReport(
        name=options.shop.name,
        synthetic=options.shop.synthetic,
        currency=options.shop.currency,
        latest="" if latest is None else latest.isoformat(timespec="minutes"),
        rows=rows(tables.counts, tables.rejects),
        fills=fills,
        faults=tables.faults,
        behaviour=behaviour,
        catalogue=(
            None if tables.catalogue is None else _catalogue(tables.catalogue, events, options.seed)
        ),
        labels=None if tables.pairs is None else labels(tables.pairs),
        judgements=None if tables.judgements is None else judgements(tables.judgements),
        tasks=_tasks(tables, behaviour, fills),
        prepared=None,
        unprepared="",
        notes=tables.notes,
    )


def with_prepared(report: DataReport, shop: PreparedShop) -> DataReport:
    """The same report with what preparation found out."""
    shown = shop.impressions.lazy()
    found = Prepared(
        surface_funnels(shown, shop.requests.lazy()) if shop.has_impressions else (),
        part_rows(shop.requests, shop.impressions, shop.positives),
        flagged(shop.fraud, shop.requests) if shop.options.fraud.enabled else None,
        weighing(shop.requests, shop.positives),
    )
    return replace(report, prepared=found)


def _behaviour(events: pl.LazyFrame, options: DataOptions) -> Behaviour:
    with TemporaryDirectory() as folder:
        # Written once, read by every question: the owners of a large log are a costly join.
        thin_log(events).sink_parquet(Path(folder) / "log.parquet")
        thin = pl.scan_parquet(Path(folder) / "log.parquet")
        return Behaviour(
            kind_counts(thin),
            funnel(thin),
            days(thin, options.events.timezone),
            concentration(thin, "item_id", "items"),
            concentration(thin, "owner", "shoppers"),
            visits(thin, options.sessions.gap_minutes),
            delays(thin, options.attribution.purchase_window_days),
        )


def _catalogue(items: pl.DataFrame, events: pl.LazyFrame | None, seed: int) -> Catalogue:
    never = None
    if events is not None:
        named = collect(events.select(pl.col("item_id").drop_nulls().unique()))
        never = len(items.join(named, on="item_id", how="anti"))
    return Catalogue(
        len(items),
        never,
        prices(items),
        languages(items, seed),
        near_duplicates(items),
        categories(items),
    )


def _fills(tables: ReportTables) -> tuple[TableFill, ...]:
    found: Sequence[tuple[str, pl.LazyFrame | pl.DataFrame | None, Sequence[Column]]] = (
        ("events", tables.events, EVENTS),
        ("catalogue", tables.catalogue, CATALOGUE),
        ("campaigns", tables.campaigns, CAMPAIGNS),
        ("judgements", tables.judgements, JUDGEMENTS),
        ("pairs", tables.pairs, PAIRS),
    )
    return tuple(
        table_fill(name, table.lazy(), columns)
        for name, table, columns in found
        if table is not None
    )


def _tasks(
    tables: ReportTables, behaviour: Behaviour | None, fills: Sequence[TableFill]
) -> tuple[Task, ...]:
    of_events: tuple[Task, ...] = ()
    if behaviour is not None:
        said = {
            column.name: column.rows - column.missing
            for fill in fills
            if fill.table == "events"
            for column in fill.columns
        }
        of_events = tasks_of_events({kind.kind: kind.rows for kind in behaviour.kinds}, said)
    beside = (tables.campaigns, tables.pairs, tables.judgements)
    return of_events + tasks_of_tables(*(0 if table is None else len(table) for table in beside))
