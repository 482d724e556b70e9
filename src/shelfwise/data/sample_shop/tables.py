"""The sample shop's files as tables, in the columns that every shop's files have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.campaigns import FOREVER_MS, budgets
from shelfwise.data.sample_shop.catalogue import Floats, Ints, attributes_json, category_path
from shelfwise.data.sample_shop.judgements import draw_judgements
from shelfwise.data.sample_shop.outcomes import SURFACES
from shelfwise.data.sample_shop.traffic import Pages, Storefront, Wave
from shelfwise.schema.columns import EVENTS
from shelfwise.schema.event import EventKind

# Order of what happens at the same moment: a search comes before what it shows.
_KINDS = (
    EventKind.SEARCH,
    EventKind.IMPRESSION,
    EventKind.CLICK,
    EventKind.CART,
    EventKind.PURCHASE,
    EventKind.RETURN,
)
_PRICED = (EventKind.CART, EventKind.PURCHASE, EventKind.RETURN)
_COUNTED = (EventKind.PURCHASE, EventKind.RETURN)
_TRUTH = ("examination", "relevance", "p_click", "p_convert")


@dataclass(frozen=True, slots=True)
class FirstNumbers:
    """Where a storefront's numbers begin among the shop's."""

    item: int = 0
    user: int = 0
    session: int = 0
    page: int = 0
    campaign: int = 0

    def after(self, front: Storefront, waves: list[Wave]) -> FirstNumbers:
        """Where the next storefront's begin."""
        return FirstNumbers(
            item=self.item + len(front.catalogue),
            user=self.user + len(front.shoppers),
            session=self.session + 1 + max(int(wave.pages.session_P.max()) for wave in waves),
            page=self.page + sum(len(wave.pages.user_P) for wave in waves),
            campaign=self.campaign + len(front.campaigns),
        )


def catalogue_table(front: Storefront, first: FirstNumbers) -> pl.DataFrame:
    """Every item of a storefront."""
    catalogue = front.catalogue
    words = catalogue.vocabulary
    rows = range(len(catalogue))
    return pl.DataFrame(
        {
            "item_id": _numbers(first.item + np.arange(len(catalogue))),
            "title": catalogue.titles,
            "category": [category_path(catalogue, row) for row in rows],
            "brand": [words.brands[brand].name for brand in catalogue.brand_I.tolist()],
            "price": catalogue.price_I,
            "attributes": [attributes_json(catalogue, row) for row in rows],
            "language": [words.language] * len(catalogue),
            "available": catalogue.available_I,
        }
    ).with_columns(_id("item_id", "i"))


def campaign_table(
    front: Storefront, waves: list[Wave], first: FirstNumbers, start: datetime
) -> pl.DataFrame:
    """Every campaign of a storefront, with a budget that its clicks did not exceed."""
    campaigns = front.campaigns
    clicks_K = np.zeros(len(campaigns), dtype=np.int64)
    for wave in waves:
        paid = (wave.slate.campaign_N >= 0) & (wave.reactions.click_at_N >= 0)
        clicks_K += np.bincount(wave.slate.campaign_N[paid], minlength=len(campaigns))
    return pl.DataFrame(
        {
            "campaign_id": _numbers(first.campaign + np.arange(len(campaigns))),
            "item_id": _numbers(first.item + campaigns.item_K),
            "title": pl.Series([title or None for title in campaigns.titles], dtype=pl.String),
            "bid": campaigns.bid_K,
            "budget": budgets(campaigns, clicks_K),
            "start": [_printed(start, at) for at in campaigns.start_K.tolist()],
            "end": [_printed(start, at) for at in campaigns.end_K.tolist()],
        }
    ).with_columns(_id("campaign_id", "c"), _id("item_id", "i"))


def judgement_table(
    front: Storefront, wave: Wave, first: FirstNumbers, rng: np.random.Generator
) -> pl.DataFrame:
    """Graded pairs of a storefront, from the queries of one wave."""
    queries, item_J, grade_J = draw_judgements(
        wave.searches, front.catalogue, len(front.shoppers), rng
    )
    return pl.DataFrame(
        {"query": queries, "item_id": _numbers(first.item + item_J), "grade": grade_J}
    ).with_columns(_id("item_id", "i"))


def log_table(front: Storefront, waves: list[Wave], first: FirstNumbers) -> pl.DataFrame:
    """Every event of a storefront, with the truth beside impressions, in no order.

    ``kind``, ``at`` and ``page`` are for ``ordered_log``; ids are still numbers.
    """
    parts = []
    page = first.page
    for wave in waves:
        parts += list(_events(wave, front.catalogue.price_I, first, page))
        page += len(wave.pages.user_P)
    return pl.concat(parts, how="diagonal")


def ordered_log(log: pl.DataFrame, start: datetime, days: int) -> pl.DataFrame:
    """All storefronts' events in the log's time, sorted, with their final ids.

    Requests are numbered in the order of time, so that an id tells nothing else.
    """
    pages = log.group_by("page").agg(pl.col("at").min()).sort("at", "page")
    pages = pages.select("page", pl.int_range(pl.len(), dtype=pl.Int64).alias("request_id"))
    last = days * timedelta(days=1) // timedelta(milliseconds=1)
    moment = pl.lit(start).dt.cast_time_unit("ms").dt.convert_time_zone("UTC")
    return (
        log.filter(pl.col("at") < last)
        .join(pages, on="page", how="left", maintain_order="left")
        .sort("at", "request_id", "kind", "position", nulls_last=True)
        .with_columns(
            pl.lit(pl.Series([kind.value for kind in _KINDS], dtype=pl.String))
            .gather(pl.col("kind"))
            .alias("event"),
            pl.lit(pl.Series(SURFACES, dtype=pl.String)).gather(pl.col("surface")).alias("surface"),
            (moment + pl.duration(milliseconds=pl.col("at"))).alias("timestamp"),
            _id("user_id", "u"),
            _id("session_id", "s", 7),
            _id("request_id", "r", 7),
            _id("item_id", "i"),
            _id("campaign_id", "c"),
        )
    )


def event_table(ordered: pl.DataFrame) -> pl.DataFrame:
    """What the shop logged."""
    names = [column.name for column in EVENTS if column.name in ordered.columns]
    return ordered.select(names)


def truth_table(ordered: pl.DataFrame) -> pl.DataFrame:
    """What nobody but the generator knows: one row per impression, in the log's order."""
    return ordered.filter(pl.col("event") == EventKind.IMPRESSION.value).select(
        "request_id", "item_id", *_TRUTH
    )


def _events(wave: Wave, price_I: Floats, first: FirstNumbers, page: int) -> Iterator[pl.DataFrame]:
    searched = np.flatnonzero(wave.pages.surface_P == SURFACES.index("search"))
    yield _page_columns(EventKind.SEARCH, wave.pages, searched, first, page).with_columns(
        pl.Series("at", wave.pages.at_P[searched])
    )
    slate, reactions = wave.slate, wave.reactions
    for kind, at_N in (
        (EventKind.IMPRESSION, wave.pages.at_P[slate.row_N]),
        (EventKind.CLICK, reactions.click_at_N),
        (EventKind.CART, reactions.cart_at_N),
        (EventKind.PURCHASE, reactions.purchase_at_N),
        (EventKind.RETURN, reactions.return_at_N),
    ):
        rows = np.flatnonzero(at_N >= 0)
        item = slate.item_N[rows]
        campaign = slate.campaign_N[rows]
        frame = _page_columns(kind, wave.pages, slate.row_N[rows], first, page).with_columns(
            pl.Series("at", at_N[rows]),
            pl.Series("item_id", first.item + item),
            pl.Series("position", slate.position_N[rows]),
            pl.Series("campaign_id", np.where(campaign < 0, -1, first.campaign + campaign)),
        )
        if kind in _PRICED:
            frame = frame.with_columns(pl.Series("price", price_I[item]))
        if kind in _COUNTED:
            frame = frame.with_columns(pl.Series("quantity", reactions.quantity_N[rows]))
        if kind == EventKind.IMPRESSION:
            frame = frame.with_columns(_known_to_the_generator(wave))
        yield frame


def _known_to_the_generator(wave: Wave) -> list[pl.Series]:
    truth = wave.truth
    columns = (truth.examination_N, truth.relevance_N, truth.p_click_N, truth.p_convert_N)
    return [
        pl.Series("propensity", wave.slate.propensity_N),
        *(pl.Series(name, column) for name, column in zip(_TRUTH, columns, strict=True)),
    ]


def _page_columns(
    kind: EventKind, pages: Pages, page_E: Ints, first: FirstNumbers, page: int
) -> pl.DataFrame:
    count = len(page_E)
    queries = pl.Series("query", pages.query_P.tolist(), dtype=pl.String)
    return pl.DataFrame(
        {
            "kind": np.full(count, _KINDS.index(kind)),
            "page": page + page_E,
            "user_id": first.user + pages.user_P[page_E],
            "session_id": first.session + pages.session_P[page_E],
            "surface": pages.surface_P[page_E],
            "query": queries.gather(page_E),
        }
    )


def _numbers(numbers: Ints) -> pl.Series:
    return pl.Series(numbers, dtype=pl.Int64)


def _id(column: str, letter: str, digits: int = 5) -> pl.Expr:
    """Turn numbers into ids such as "i00042"; -1 and null have none."""
    number = pl.col(column)
    text = pl.lit(letter) + number.cast(pl.String).str.zfill(digits)
    return pl.when(number >= 0).then(text).alias(column)


def _printed(start: datetime, at_ms: int) -> str | None:
    if at_ms == FOREVER_MS:
        return None
    moment = start + timedelta(milliseconds=at_ms)
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
