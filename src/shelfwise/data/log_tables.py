"""Everything that a log and what stands beside it come to, before it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from shelfwise.data.clean import Refusal, recounted
from shelfwise.data.config import DataOptions
from shelfwise.data.features.behaviour import Log
from shelfwise.data.features.fitted import fit_columns
from shelfwise.data.features.guarded import counted_figures, offered_figures
from shelfwise.data.features.point_in_time import Standings
from shelfwise.data.fraud_watch import FraudWatch, with_reasons
from shelfwise.data.history import NONE, History
from shelfwise.data.in_parallel import each
from shelfwise.data.item_rows import number_items, with_item_ids
from shelfwise.data.judged import judgement_rows
from shelfwise.data.leakage import Made, refuse_leaks
from shelfwise.data.leaks.negatives import Passed, without_answer
from shelfwise.data.leaks.offered import offered_features
from shelfwise.data.occasions import match_kinds
from shelfwise.data.partition import Task, work_through
from shelfwise.data.parts import Asked, assign_parts
from shelfwise.data.pseudonyms import written_names
from shelfwise.data.source.read import ShopTables
from shelfwise.data.source.scan import REJECT_ROWS
from shelfwise.data.source.typed import as_json
from shelfwise.data.split import Moments, split_moments, split_warning
from shelfwise.data.stage import EventStage, LogFacts, Numbers, Owners, by_owner
from shelfwise.data.user_rows import user_rows
from shelfwise.data.weights import with_weights
from shelfwise.data.whole_log import LogBuilder, WholeLog
from shelfwise.schema.errors import DataError
from shelfwise.schema.event import EventKind
from shelfwise.schema.progress import Progress

_NEVER = np.iinfo(np.int64).max
_NO_TIME = Refusal(
    "timestamp", "no-timestamp", "a log that has times orders by them, so each row needs one"
)


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
    """Work through a staged log, group of owners by group of owners, and put it together.

    Raises:
        DataError: nothing can be learned from the log, or the future can be seen in it.
    """
    facts = stage.facts
    task = _task(stage, options)
    moments = split_moments(facts.first, facts.last, options.split)
    judged = None if tables.judgements is None else with_item_ids(tables.judgements)
    items = number_items(tables.catalogue, facts.items.frame()["item_id"], judged, options)
    queries = _queries(facts, judged)
    numbers = Numbers(Owners(facts), items, queries)
    watch = FraudWatch(
        options, moments.validation, scratch, _categories(items), timed=not stage.by_order
    )
    log, seen = _work(stage, numbers, task, watch, scratch, progress)
    with progress.step("Putting the log together", total=3) as step:
        whole = log.finish(numbers.owners.names())
        step.advance()
        whole, flags = _judged(whole, numbers, moments, watch, options)
        users = user_rows(tables.users, numbers.owners, options)
        behaviour = _behaviour(whole, numbers, flags, moments, options)
        standings = Standings.of_log(behaviour) if options.features.statistics else None
        fitted = fit_columns(behaviour, users, options.features)
        made = _evidence(whole, numbers, users, (moments, seen), options)
        refuse_leaks(made if standings is None else _with_figures(made, behaviour, standings))
        step.advance()
        weighed = with_weights(*_flagged(whole), whole.requests, options.weights)
        impressions, positives = (table.drop("flagged") for table in weighed)
        step.advance()
    rejects = _untimed(stage)
    told = {
        "shape": "shop",
        "clock": "order" if stage.by_order else "time",
        "moments": moments._asdict(),
        "warnings": [warning] if (warning := split_warning(options.split)) else [],
        "match_kinds": [str(kind) for kind in task.kinds],
        "counts": _counts(whole, numbers, seen),
        "duplicates": seen.why(),
        "features": {
            "scales": fitted.facts(),
            "priors": {} if standings is None else standings.priors(),
        },
    }
    return LogTables(
        items=items,
        queries=queries,
        owners=_owner_table(numbers.owners, whole.history),
        history=_history_table(whole.history),
        requests=whole.requests.drop("request", "sequence", "request_name", "ip"),
        impressions=impressions,
        positives=positives,
        judgements=judgement_rows(judged, items, queries),
        users=users,
        fraud=_written(flags),
        vocabularies=fitted.words,
        figures=None if standings is None else (behaviour, standings),
        facts=told,
        tables=replace(
            tables,
            rejects=pl.concat([tables.rejects, rejects]),
            counts=recounted(
                tables.counts,
                rejected=rejects.group_by("file").len(),
                duplicates=seen.duplicates(stage.files),
            ),
        ),
    )


def _task(stage: EventStage, options: DataOptions) -> Task:
    """What is asked of the log, if it can be."""
    facts = stage.facts
    if facts.rows == 0:
        raise DataError("events: no row was kept; run shelfwise check to see what is wrong")
    if stage.by_order and options.split.by_time:
        raise DataError(
            f"events: none of {facts.rows:,} rows has a timestamp, so nothing can be parted by "
            "time. Map a column of times to timestamp under [events.columns] in shop.toml; where "
            'the log knows order only, set split.kind = "leave_last_out" and match.target = "next"'
        )
    kinds = match_kinds(facts.kinds, options.match)
    if not any(facts.kinds[kind] for kind in (*kinds, EventKind.IMPRESSION)):
        found = ", ".join(sorted(facts.kinds))
        asked = f"match.events asks for {', '.join(kinds)}" if kinds else "none shows interest"
        raise DataError(
            f"events: nothing can be learned from the kinds found ({found}): no impression, and "
            f"{asked}; map the log's own names in shop.toml under [events.names]"
        )
    return Task(
        options=options,
        kinds=kinds,
        by_sequence=options.match.target == "next",
        has_clicks=any(facts.kinds[kind] for kind in (EventKind.CLICK, EventKind.CART)),
    )


class _Seen:
    """What is counted while the groups pass by."""

    def __init__(self, items: int, owners: int) -> None:
        self.kinds: Counter[str] = Counter()
        self._first_V = np.full(items, _NEVER)
        self._first_U = np.full(owners, _NEVER)
        self._duplicates: list[pl.DataFrame] = []

    def add(self, events: pl.DataFrame, duplicates: pl.DataFrame) -> None:
        self.kinds.update({str(kind): n for kind, n in events["event"].value_counts().iter_rows()})
        self._duplicates.append(duplicates)
        at_E = events["at"].to_numpy()
        np.minimum.at(self._first_U, events["owner"].to_numpy(), at_E)
        item_E = events["item"].fill_null(NONE).to_numpy()
        np.minimum.at(self._first_V, item_E[item_E >= 0], at_E[item_E >= 0])

    def first_met(self) -> pl.DataFrame:
        """``item, owner, at``: when each item and each owner was met first."""
        first = [
            pl.DataFrame({name: np.flatnonzero(at < _NEVER), "at": at[at < _NEVER]})
            for name, at in (("item", self._first_V), ("owner", self._first_U))
        ]
        return pl.concat(first, how="diagonal")

    def duplicates(self, files: list[str]) -> pl.DataFrame:
        """``file, len``."""
        names = pl.lit(pl.Series(files, dtype=pl.String)).gather(pl.col("file"))
        return pl.concat(self._duplicates).select(names.alias("file"), "len")

    def why(self) -> dict[str, int]:
        """How many rows say again what another has said, by how that was seen."""
        counts = pl.concat(self._duplicates).group_by("why").agg(pl.col("len").sum()).sort("why")
        return dict(counts.iter_rows())


def _work(
    stage: EventStage,
    numbers: Numbers,
    task: Task,
    watch: FraudWatch,
    scratch: Path,
    progress: Progress,
) -> tuple[LogBuilder, _Seen]:
    log, seen = LogBuilder(), _Seen(len(numbers.items), len(numbers.owners))
    with progress.step("Building histories and requests", total=stage.groups()) as step:
        groups = by_owner(stage, numbers, scratch)
        for part in each(partial(work_through, task=task), groups):
            events = part.events.with_columns(
                pl.col("owner") + log.owners, pl.col("session") + log.sessions
            )
            seen.add(events, part.duplicates)
            watch.add(events)
            log.add(part)
            step.advance()
    return log, seen


def _judged(
    whole: WholeLog,
    numbers: Numbers,
    moments: Moments,
    watch: FraudWatch,
    options: DataOptions,
) -> tuple[WholeLog, pl.DataFrame]:
    """Requests with their part and what the fraud filter says of them."""
    asked = _asked(whole, numbers)
    flags = watch.flags()
    requests = with_reasons(assign_parts(asked, moments, options.split), flags)
    return replace(whole, requests=requests.with_columns(pl.col("query").fill_null(NONE))), flags


def _asked(whole: WholeLog, numbers: Numbers) -> Asked:
    return Asked(whole.requests, whole.impressions, whole.positives, numbers.items, numbers.queries)


def _evidence(
    whole: WholeLog,
    numbers: Numbers,
    users: pl.DataFrame,
    known: tuple[Moments, _Seen],
    options: DataOptions,
) -> Made:
    """What the leakage guard looks at."""
    moments, seen = known
    asked = _asked(whole, numbers)
    return Made(
        history=whole.history,
        history_end_R=whole.requests["history_end"].to_numpy(),
        asked=asked,
        moments=moments,
        split=options.split,
        offered=offered_features(asked, users, options.features, seed=options.seed),
        passed=(Passed(without_answer(whole.impressions), seen.first_met()),),
    )


def _behaviour(
    whole: WholeLog, numbers: Numbers, flags: pl.DataFrame, moments: Moments, options: DataOptions
) -> Log:
    return Log(
        history=whole.history,
        requests=whole.requests,
        impressions=whole.impressions,
        items=numbers.items,
        queries=numbers.queries,
        fraud=flags.filter("flagged"),
        moments=moments,
        split=options.split,
    )


def _with_figures(made: Made, behaviour: Log, standings: Standings) -> Made:
    """The guard's evidence, and what rows are told of counts and rates."""
    return replace(
        made,
        offered=made.offered + offered_figures(behaviour, standings),
        counted=tuple(counted_figures(behaviour, standings)),
    )


def _flagged(whole: WholeLog) -> tuple[pl.DataFrame, pl.DataFrame]:
    flagged_R = whole.requests["fraud"].is_not_null()
    impressions, positives = (
        table.with_columns(flagged_R.gather(table["request"]).alias("flagged"))
        for table in (whole.impressions, whole.positives)
    )
    return impressions, positives


def _untimed(stage: EventStage) -> pl.DataFrame:
    """Rows without a time in a log that has times, as rejects; ids stay pseudonyms."""
    found = [pl.DataFrame(schema=REJECT_ROWS)]
    for rows in stage.refused():
        names = pl.lit(pl.Series(stage.files, dtype=pl.String)).gather(pl.col("file"))
        said = rows.with_columns(
            user_id=written_names("user", pl.col("user")),
            session_id=written_names("session", pl.col("visitor")),
        ).drop("user", "visitor", "session", "ip", "file", "row", "at")
        found.append(
            rows.select(
                names.alias("file"),
                "row",
                *(
                    pl.lit(text).alias(name)
                    for name, text in (
                        ("column", _NO_TIME.column),
                        ("code", _NO_TIME.code),
                        ("found", "(empty)"),
                        ("rule", _NO_TIME.rule),
                    )
                ),
                as_json(said).alias("raw"),
            )
        )
    return pl.concat(found)


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


def _counts(whole: WholeLog, numbers: Numbers, seen: _Seen) -> dict[str, Any]:
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
