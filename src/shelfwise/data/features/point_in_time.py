"""How users, items, categories and queries were doing at a row's own moment: counts and rates.

A user's figures hold everything of theirs that happened strictly before the row's moment. Those of
items, categories and queries hold everybody's behaviour up to the end of the day before (days are
counted from the log's first moment, as in `data.trend`), which a shop can compute each night and
which no other user's click of the same minute can slip into.

Columns are named after whom they speak of and what they say: ``user_shown``, ``item_bought``,
``category_click_rate``, ``query_searched``. Counts are

- ``shown``, ``clicked``, ``bought``: impressions, and what was attributed to them;
- ``searched``, ``looked`` (views, clicks), ``wanted`` (favourites, carts), ``taken`` (purchases):
  of all behaviour that enters histories, also in logs that do not say what was shown;

and rates, each drawn to its mean by a prior of the training period (see `shrinkage`),

- ``click_rate``: clicked of shown; ``purchase_rate``: bought of clicked;
- ``want_share``, ``purchase_share``: wanted, taken, of all that was looked at, wanted or taken.

Null: the row has no such key (a list without a query), or the log cannot tell the rate.

Shape suffixes in this file: N = rows, B = behaviours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from shelfwise.data.attribution import DAY
from shelfwise.data.features.behaviour import BEHAVIOURS, Acts, Log, counted
from shelfwise.data.features.shrinkage import Prior, fit_prior, shrunk
from shelfwise.data.features.tally import Happened, Tally, distinct
from shelfwise.data.prepared import PreparedShop

ENTITIES = ("user", "item", "category", "query")
# Rate = hits, and what they are out of.
RATES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "click_rate": ("clicked", ("shown",)),
    "purchase_rate": ("bought", ("clicked",)),
    "want_share": ("wanted", ("looked", "wanted", "taken")),
    "purchase_share": ("taken", ("looked", "wanted", "taken")),
}
_NEVER_SEARCHED = ("item", "category")  # a search names no item
_ROWS_TOGETHER = 1 << 18


def columns_of(entity: str) -> tuple[str, ...]:
    """Names of an entity's figures, in order."""
    counts = [name for name in BEHAVIOURS if not (name == "searched" and entity in _NEVER_SEARCHED)]
    return tuple(f"{entity}_{name}" for name in (*counts, *RATES))


SCHEMA = pl.Schema({name: pl.Float32() for entity in ENTITIES for name in columns_of(entity)})


@dataclass(frozen=True, slots=True)
class _Standing:
    """The figures of one entity at any moment."""

    entity: str
    tally: Tally
    priors: Mapping[str, Prior]

    def columns(
        self, key_N: NDArray[np.integer[Any]], step_N: NDArray[np.int64]
    ) -> dict[str, NDArray[np.float32]]:
        """Each figure of `columns_of`; nan where there is none."""
        count_NB = self.tally.before(key_N, step_N)
        count_NB[key_N < 0] = np.nan
        count = {name: count_NB[:, place] for place, name in enumerate(BEHAVIOURS)}
        found = dict(count)
        for name, (hit, tried) in RATES.items():
            tried_N = sum((count[one] for one in tried[1:]), start=count[tried[0]])
            found[name] = shrunk(count[hit], tried_N, self.priors[name])
        return {
            name: np.ascontiguousarray(found[name.removeprefix(f"{self.entity}_")])
            for name in columns_of(self.entity)
        }


@dataclass(frozen=True, slots=True)
class Standings:
    """What is known of everybody at any moment of a log."""

    first: int  # microseconds; start of day 0
    time_T: NDArray[np.int64]  # distinct moments of counted events
    category_V: NDArray[np.int64]  # of each item, -1: none
    of: tuple[_Standing, ...]  # as ENTITIES

    @classmethod
    def of_log(cls, log: Log) -> Standings:
        """Count a log once."""
        acts = counted(log)
        category_V = category_numbers(log.items)
        first, until = log.moments.first, log.moments.validation
        times = [distinct(one.at_E)[0] for one in acts.values()]
        time_T, _ = distinct(np.concatenate(times))
        last = int(time_T[-1]) if len(time_T) else first
        keys = {
            "user": log.owners,
            "item": len(log.items),
            "category": int(category_V.max(initial=-1)) + 1,
            "query": len(log.queries),
        }
        found = []
        for entity in ENTITIES:
            exact = entity == "user"
            steps = len(time_T) if exact else (last - first) // DAY + 1
            rows = [_keyed(acts[name], entity, category_V) for name in BEHAVIOURS]
            kinds = [
                Happened(key_E, np.searchsorted(time_T, at_E) if exact else (at_E - first) // DAY)
                for key_E, at_E in rows
            ]
            tally = Tally.of(kinds, keys[entity], steps)
            found.append(_Standing(entity, tally, _priors(rows, until, keys[entity])))
        return cls(first, time_T, category_V, tuple(found))

    def figures(self, rows: pl.DataFrame) -> pl.DataFrame:
        """``[N]`` rows of `SCHEMA`, in the order of ``rows``.

        Args:
            rows: columns ``owner``, ``item``, ``query`` (-1 or null: none) and ``at``
                (microseconds).
        """
        item_N = rows["item"].to_numpy().astype(np.int64)
        at_N = rows["at"].to_numpy()
        day_N = (at_N - self.first) // DAY
        user, item, category, query = self.of
        return pl.DataFrame(
            {
                **self._once(rows.select("owner", "at"), user),
                **item.columns(item_N, day_N),
                **category.columns(np.append(self.category_V, -1)[item_N], day_N),
                **self._once(rows.select(pl.col("query").fill_null(-1), day=day_N), query),
            },
            schema=SCHEMA,
            nan_to_null=True,
        )

    def _once(self, rows: pl.DataFrame, standing: _Standing) -> dict[str, NDArray[np.float32]]:
        """Rows of one request stand together and are told the same: looked up once."""
        key_N, moment_N = (column.to_numpy() for column in rows)
        new_N = np.append(True, (key_N[1:] != key_N[:-1]) | (moment_N[1:] != moment_N[:-1]))
        new_N = new_N[: len(key_N)]
        step = moment_N[new_N]
        if standing.entity == "user":
            step = np.searchsorted(self.time_T, step)
        found = standing.columns(key_N[new_N], step)
        place_N = new_N.cumsum() - 1
        return {name: value[place_N] for name, value in found.items()}

    def priors(self) -> dict[str, dict[str, float]]:
        """Rates' priors that the log could tell, as the manifest keeps them."""
        return {
            f"{standing.entity}_{rate}": prior._asdict()
            for standing in self.of
            for rate, prior in standing.priors.items()
            if not np.isnan(prior.mean)
        }


def category_numbers(items: pl.DataFrame) -> NDArray[np.int64]:
    """``[V]`` number of each item's category, -1 where it has none."""
    number_V: NDArray[np.int64] = (
        (items["category"].rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
    )
    return number_V


def _keyed(
    acts: Acts, entity: str, category_V: NDArray[np.int64]
) -> tuple[NDArray[np.integer[Any]], NDArray[np.int64]]:
    """Key and moment of the events that have such a key."""
    match entity:
        case "user":
            return acts.owner_E, acts.at_E
        case "item":
            key_E: NDArray[np.integer[Any]] = acts.item_E
        case "category":
            key_E = np.append(category_V, -1)[acts.item_E.astype(np.int64)]
        case _:
            key_E = acts.query_E
    known_E = key_E >= 0
    return (key_E, acts.at_E) if known_E.all() else (key_E[known_E], acts.at_E[known_E])


def _priors(
    rows: Sequence[tuple[NDArray[np.integer[Any]], NDArray[np.int64]]], until: int, keys: int
) -> dict[str, Prior]:
    """The prior of each rate, from what had happened when training ended."""
    total = {
        name: np.bincount(key_E[at_E < until], minlength=keys)
        for name, (key_E, at_E) in zip(BEHAVIOURS, rows, strict=True)
    }
    return {
        name: fit_prior(total[hit], np.sum([total[one] for one in tried], axis=0))
        for name, (hit, tried) in RATES.items()
    }


def point_in_time(prepared: PreparedShop, rows: pl.DataFrame) -> pl.DataFrame:
    """The figures of any rows at their own moments; see the top of this file.

    Args:
        prepared: the shop.
        rows: columns ``owner``, ``item``, ``query`` (-1 or null: none), ``at`` (microseconds).
    """
    return Standings.of_log(Log.of(prepared)).figures(rows)


def rows_of_impressions(log: Log, impressions: pl.DataFrame) -> pl.DataFrame:
    """``owner, item, query, at`` of impressions; the moment is that of their request.

    A list that is logged row by row, a click between them, is told at every row what was known
    when it was asked for.
    """
    asked = log.requests.select("owner", "query", "at")[impressions["request"]]
    return asked.with_columns(impressions["item"])


def write_features(file: Path, log: Log, standings: Standings) -> None:
    """The figures of every impression, row by row, in parts of a fixed size."""
    schema = SCHEMA.to_frame().to_arrow().schema
    with pq.ParquetWriter(file, schema, compression="zstd", write_statistics=False) as writer:
        for part in log.impressions.iter_slices(_ROWS_TOGETHER):
            figures = standings.figures(rows_of_impressions(log, part))
            writer.write_table(figures.to_arrow().cast(schema))
