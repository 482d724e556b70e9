"""Which purchase a cancellation takes back, where the log does not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl


@dataclass(slots=True)
class _Purchase:
    """A bought line and how much of it has not been taken back yet."""

    when: tuple[datetime, int]
    invoice: str
    remaining: int


def tie_to_purchases(purchases: pl.DataFrame, cancellations: pl.DataFrame) -> pl.DataFrame:
    """Cancellations in order of time, with ``returns_invoice`` and ``tie``.

    A cancellation takes back the same customer's latest earlier purchase of the same item
    that still has the whole quantity (tie ``whole``); else the latest that has any left,
    which it uses up (``part``); else none is known, as for goods bought before the log
    begins (``none``, and ``returns_invoice`` is null).

    Args:
        purchases: columns user_id, item_id, timestamp, line, invoice, quantity (above 0).
        cancellations: the same, with quantity as the number of units taken back.
    """
    pair = ["user_id", "item_id"]
    bought = defaultdict[tuple[str, str], list[_Purchase]](list)
    for user, item, at, line, invoice, quantity in (
        purchases.join(cancellations.select(pair).unique(), on=pair, how="semi")
        .select(*pair, "timestamp", "line", "invoice", "quantity")
        .iter_rows()
    ):
        bought[user, item].append(_Purchase((at, line), invoice, quantity))
    for lines in bought.values():
        lines.sort(key=lambda purchase: purchase.when, reverse=True)

    ordered = cancellations.sort("timestamp", "line")
    invoices, ties = [], []
    for user, item, at, line, quantity in ordered.select(
        *pair, "timestamp", "line", "quantity"
    ).iter_rows():
        earlier = [purchase for purchase in bought[user, item] if purchase.when < (at, line)]
        invoice, tie = _take_back(earlier, quantity)
        invoices.append(invoice)
        ties.append(tie)
    return ordered.with_columns(
        pl.Series("returns_invoice", invoices, dtype=pl.String),
        pl.Series("tie", ties, dtype=pl.String),
    )


def _take_back(latest_first: Sequence[_Purchase], quantity: int) -> tuple[str | None, str]:
    for purchase in latest_first:
        if purchase.remaining >= quantity:
            purchase.remaining -= quantity
            return purchase.invoice, "whole"
    for purchase in latest_first:
        if purchase.remaining > 0:
            purchase.remaining = 0
            return purchase.invoice, "part"
    return None, "none"
