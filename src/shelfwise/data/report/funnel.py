"""How many go on from one step to the next: shown, clicked, in the cart, bought, sent back."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shelfwise.data.report.rate import Rate, rate
from shelfwise.data.report.thin_log import collect
from shelfwise.schema.event import EventKind

_STEPS = tuple(
    str(kind)
    for kind in (
        EventKind.IMPRESSION,
        EventKind.VIEW,
        EventKind.CLICK,
        EventKind.CART,
        EventKind.PURCHASE,
        EventKind.RETURN,
    )
)


@dataclass(frozen=True, slots=True)
class Step:
    """Pairs of a shopper and an item that came as far as this kind of event."""

    kind: str
    pairs: int
    before: str  # the step before it that the log has; "" for the first
    went_on: Rate | None  # pairs of the step before that came here too
    without_before: int  # pairs that came here and have no event of the step before


@dataclass(frozen=True, slots=True)
class SurfaceFunnel:
    """What came of the rows shown on one surface, each outcome joined to its impression."""

    surface: str  # "" where the log does not say
    shown: int
    clicked: Rate  # of what was shown
    purchased: Rate  # of what was clicked
    returned: Rate | None  # of what was bought; None where no return is logged


def funnel(log: pl.LazyFrame) -> tuple[Step, ...]:
    """Steps that the log has, counted over pairs of shopper and item.

    Pairs, since a shopper who clicks an item three times is no three buyers; so no rate exceeds 1.
    A step that is missing from the log is skipped, and so are views where there are clicks: both
    are ways to say that an item was opened.
    """
    pairs = (
        log.filter(pl.col("item_id").is_not_null() & pl.col("event").is_in(_STEPS))
        .group_by("owner", "item_id")
        .agg((pl.col("event") == kind).any().alias(kind) for kind in _STEPS)
    )
    crossed = [
        (pl.col(a) & pl.col(b)).sum().alias(f"{a}+{b}") for a in _STEPS for b in _STEPS if a != b
    ]
    counts = collect(pairs.select(*(pl.col(kind).sum() for kind in _STEPS), *crossed)).row(
        0, named=True
    )
    steps: list[Step] = []
    for kind in _STEPS:
        if counts[kind] == 0 or (kind == EventKind.VIEW and counts[EventKind.CLICK]):
            continue
        before = steps[-1] if steps else None
        if before is None:
            steps.append(Step(kind, counts[kind], "", None, 0))
            continue
        both = counts[f"{before.kind}+{kind}"]
        steps.append(
            Step(kind, counts[kind], before.kind, rate(both, before.pairs), counts[kind] - both)
        )
    return tuple(steps)


def surface_funnels(impressions: pl.LazyFrame, requests: pl.LazyFrame) -> tuple[SurfaceFunnel, ...]:
    """One funnel a surface, the most shown first.

    Args:
        impressions: of a prepared folder: ``request`` (row of ``requests``) and the moments
            ``clicked_at``, ``purchased_at`` and, where it has them, ``returned_at``.
        requests: of a prepared folder, with ``surface``.
    """
    returned = "returned_at" in impressions.collect_schema().names() and bool(
        collect(impressions.select(pl.col("returned_at").is_not_null().any())).item()
    )
    places = requests.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("request"),
        pl.col("surface").cast(pl.String).fill_null(""),
    )
    bought = pl.col("purchased_at").is_not_null()
    sent_back = (
        (bought & pl.col("returned_at").is_not_null()).sum() if returned else pl.lit(None, pl.Int64)
    )
    counted = collect(
        impressions.with_columns(pl.col("request").cast(pl.Int64))
        .join(places, on="request")
        .group_by("surface")
        .agg(
            pl.len().alias("shown"),
            pl.col("clicked_at").is_not_null().sum().alias("clicked"),
            (bought & pl.col("clicked_at").is_not_null()).sum().alias("bought"),
            sent_back.alias("returned"),
        )
    ).sort("shown", "surface", descending=[True, False])
    return tuple(
        SurfaceFunnel(
            row["surface"],
            row["shown"],
            rate(row["clicked"], row["shown"]),
            rate(row["bought"], row["clicked"]),
            None if row["returned"] is None else rate(row["returned"], row["bought"]),
        )
        for row in counted.iter_rows(named=True)
    )
