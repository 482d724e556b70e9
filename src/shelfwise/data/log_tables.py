"""Everything that a log and what stands beside it come to, before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shelfwise.data.clean import recounted
from shelfwise.data.config import DataOptions
from shelfwise.data.features.behaviour import Log
from shelfwise.data.features.point_in_time import Standings
from shelfwise.data.fraud_watch import FraudWatch
from shelfwise.data.history import History
from shelfwise.data.item_rows import number_items, with_item_ids
from shelfwise.data.judged import judgement_rows
from shelfwise.data.judged_log import JudgedLog, Known, judge_log
from shelfwise.data.log_work import Seen, task_of, untimed_rows, work
from shelfwise.data.pseudonyms import written_names
from shelfwise.data.source.read import ShopTables
from shelfwise.data.split import split_moments, split_warning
from shelfwise.data.stage import EventStage, LogFacts, Numbers, Owners
from shelfwise.data.user_rows import user_rows
from shelfwise.data.whole_log import WholeLog
from shelfwise.schema.event import EventKind
from shelfwise.schema.progress import Progress


@dataclass(frozen=True, slots=True)
class LogTables:
    """The tables of a prepared shop, and what its manifest tells of them."""

    items: pl.DataFrame
    queries: pl.DataFrame
    owners: pl.DataFrame
    history: pl.DataFrame
    requests: pl.DataFrame
    impressions: pl.DataFrame
    positives: pl.DataFrame
    judgements: pl.DataFrame
    users: pl.DataFrame
    fraud: pl.DataFrame
    figures: tuple[Log, Standings] | None  # point in time; None: not asked for
    vocabularies: pl.DataFrame
    facts: Mapping[str, Any]
    tables: ShopTables  # as they were read, rejects and counts brought up to date


def log_tables(
    stage: EventStage,
    tables: ShopTables,
    scratch: Path,
    options: DataOptions,
    progress: Progress,
) -> LogTables:
    """Work through a staged log and put its tables together.

    Raises:
        DataError: nothing can be learned from the log, or the future can be seen in it.
    """
    facts = stage.facts
    task = task_of(stage, options)
    moments = split_moments(*stage.span(), options.split)
    judged = None if tables.judgements is None else with_item_ids(tables.judgements)
    items = number_items(tables.catalogue, facts.items.frame()["item_id"], judged, options)
    numbers = Numbers(Owners(facts), items, _queries(facts, judged))
    watch = FraudWatch(options, moments, scratch, _categories(items), timed=not stage.by_order)
    log, seen = work(stage, numbers, task, watch, scratch, progress)
    with progress.step("Putting the log together", total=2) as step:
        whole = log.finish(numbers.owners.names())
        step.advance()
        users = user_rows(tables.users, numbers.owners, options)
        known = Known(numbers, users, watch.flags(), seen.first_met(), moments)
        found = judge_log(whole, known, options)
        step.advance()
    told = {
        "shape": "shop",
        "clock": "order" if stage.by_order else "time",
        "moments": moments._asdict(),
        "warnings": [warning] if (warning := split_warning(options.split)) else [],
        "match_kinds": [str(kind) for kind in task.kinds],
        "counts": _counts(found.whole, numbers, seen),
        "duplicates": seen.why(),
        "features": _feature_facts(found),
    }
    judgements = judgement_rows(judged, items, numbers.queries)
    return _gathered(found, known, judgements, told, _brought_up_to_date(tables, stage, seen))


def _feature_facts(found: JudgedLog) -> dict[str, Any]:
    priors = {} if found.standings is None else found.standings.priors()
    return {"scales": found.fitted.facts(), "priors": priors}


def _brought_up_to_date(tables: ShopTables, stage: EventStage, seen: Seen) -> ShopTables:
    """Rejects and counts, with what reading the log part by part could not know."""
    rejects = untimed_rows(stage)
    return replace(
        tables,
        rejects=pl.concat([tables.rejects, rejects]),
        counts=recounted(
            tables.counts,
            rejected=rejects.group_by("file").len(),
            duplicates=seen.duplicates(stage.files),
        ),
    )


def _gathered(
    found: JudgedLog,
    known: Known,
    judgements: pl.DataFrame,
    told: Mapping[str, Any],
    tables: ShopTables,
) -> LogTables:
    whole, numbers = found.whole, known.numbers
    return LogTables(
        items=numbers.items,
        queries=numbers.queries,
        owners=_owner_table(numbers.owners, whole.history),
        history=_history_table(whole.history),
        requests=whole.requests.drop("request", "sequence", "request_name", "ip"),
        impressions=whole.impressions,
        positives=whole.positives,
        judgements=judgements,
        users=known.users,
        fraud=_written(known.flags.trained),
        vocabularies=found.fitted.words,
        figures=None if found.standings is None else (found.behaviour, found.standings),
        facts=told,
        tables=tables,
    )


def _queries(facts: LogFacts, judged: pl.DataFrame | None) -> pl.DataFrame:
    texts = [facts.queries.frame()["query"]]
    if judged is not None:
        texts.append(judged["query"])
    return pl.concat(texts).unique().sort().alias("text").to_frame()


def _categories(items: pl.DataFrame) -> pl.Series:
    """Number of each item's category, null where it has none."""
    return items["category"].rank("dense").cast(pl.Int64)


def _owner_table(owners: Owners, history: History) -> pl.DataFrame:
    return owners.names().to_frame().with_columns(pl.Series("events", np.diff(history.offset_U1)))


def _history_table(history: History) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item": history.item_E,
            "query": history.query_E,
            "kind": history.kind_E,
            "at": history.at_E,
        }
    )


def _written(flags: pl.DataFrame) -> pl.DataFrame:
    """Everybody who was flagged; an address by its pseudonym, others by their number."""
    flagged = flags.filter("flagged").sort("actor", "id")
    address = pl.when(pl.col("actor") == "ip").then(written_names("ip", pl.col("id")))
    return flagged.with_columns(address.alias("address"))


def _counts(whole: WholeLog, numbers: Numbers, seen: Seen) -> dict[str, Any]:
    parts = dict(whole.requests.group_by("part").len().sort("part").iter_rows())
    return {
        "items": len(numbers.items),
        "owners": len(numbers.owners),
        "sessions": whole.sessions,
        "events": {kind: seen.kinds[kind] for kind in map(str, EventKind) if kind in seen.kinds},
        "requests": parts,
        "impressions": len(whole.impressions),
        "positives": len(whole.positives),
    }
