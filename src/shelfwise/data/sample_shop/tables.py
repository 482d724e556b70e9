"""The sample shop's files as tables, in the columns that every shop's files have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.addresses import address_count, as_text
from shelfwise.data.sample_shop.campaigns import FOREVER_MS
from shelfwise.data.sample_shop.catalogue import Ints, attributes_json, category_path
from shelfwise.data.sample_shop.config import STRENGTHS
from shelfwise.data.sample_shop.judgements import LABELS, draw_judgements
from shelfwise.data.sample_shop.outcomes import DEVICES, SURFACES
from shelfwise.data.sample_shop.pages import NEVER, Pages, Wave
from shelfwise.data.sample_shop.purchase_delay import share_within
from shelfwise.data.sample_shop.requests import DAY_MS
from shelfwise.data.sample_shop.shoppers import COUNTRIES
from shelfwise.data.sample_shop.storefront import Storefront
from shelfwise.data.sample_shop.traffic import Log
from shelfwise.data.sample_shop.vocabulary import DOMAINS
from shelfwise.schema.columns import EVENTS
from shelfwise.schema.event import EventKind

# Order of what happens at the same moment: a search comes before what it shows.
KINDS = (
    EventKind.SEARCH,
    EventKind.IMPRESSION,
    EventKind.CLICK,
    EventKind.CART,
    EventKind.PURCHASE,
    EventKind.RETURN,
)
_PRICED = (EventKind.CART, EventKind.PURCHASE, EventKind.RETURN)
_COUNTED = (EventKind.PURCHASE, EventKind.RETURN)
_CONTEXT = ("device", "country")  # features beyond the columns that every shop has
_COUNTRIES = tuple(name for names in COUNTRIES.values() for name in names)
_TRUTH = ("examination", "relevance", "p_click", "p_convert")


@dataclass(frozen=True, slots=True)
class FirstNumbers:
    """Where a storefront's numbers begin among the shop's."""

    item: int = 0
    user: int = 0
    session: int = 0
    page: int = 0
    query: int = 0
    campaign: int = 0
    address: int = 0

    def after(self, log: Log) -> FirstNumbers:
        """Where the next storefront's begin."""
        front = log.front
        return FirstNumbers(
            item=self.item + len(front.catalogue),
            user=self.user + len(front.shoppers) + len(front.bots),
            session=self.session + len(log.visitor_S),
            page=self.page + sum(len(wave.pages) for wave in log.waves),
            query=self.query + sum(len(wave.searches) for wave in log.waves),
            campaign=self.campaign + len(front.campaigns),
            address=self.address + address_count(len(front.shoppers), front.bots),
        )


def catalogue_table(front: Storefront, first: FirstNumbers, start: datetime) -> pl.DataFrame:
    """Every item of a storefront; ``added`` is empty for what was sold before the log."""
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
            "domain": [DOMAINS[words.types[number].domain] for number in catalogue.type_I],
            "added": [_printed(start, at) if at else None for at in catalogue.added_I.tolist()],
        },
        schema_overrides={"added": pl.String},
    ).with_columns(_id("item_id", "i"))


def campaign_table(front: Storefront, first: FirstNumbers, start: datetime) -> pl.DataFrame:
    """Every campaign of a storefront."""
    campaigns = front.campaigns
    return pl.DataFrame(
        {
            "campaign_id": _numbers(first.campaign + np.arange(len(campaigns))),
            "item_id": _numbers(first.item + campaigns.item_K),
            "title": pl.Series([title or None for title in campaigns.titles], dtype=pl.String),
            "bid": campaigns.bid_K,
            "budget": campaigns.budget_K,
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
        {
            "query": queries,
            "item_id": _numbers(first.item + item_J),
            "grade": grade_J,
            "label": [LABELS[grade] for grade in grade_J],
        }
    ).with_columns(_id("item_id", "i"))


def log_table(log: Log, first: FirstNumbers) -> pl.DataFrame:
    """Every event of a storefront, with the truth beside impressions, in no order.

    All in numbers, so that ten million lines fit in memory; ``written`` makes texts of them.
    """
    parts = []
    page, query = first.page, first.query
    for wave in log.waves:
        numbers = replace(first, page=page, query=query)
        parts += list(_events(wave, log, numbers))
        page += len(wave.pages)
        query += len(wave.searches)
    return pl.concat(parts, how="diagonal")


def query_texts(log: Log) -> pl.Series:
    """What was typed, by query number; the waves' queries one after the other."""
    return pl.Series([text for wave in log.waves for text in wave.searches.texts], dtype=pl.String)


def ordered_log(log: pl.DataFrame, days: int) -> pl.DataFrame:
    """All storefronts' events in the log's time, sorted.

    Requests and sessions are numbered in the order of time, so that an id tells nothing else.
    """
    for column, number in (("page", "request_id"), ("session", "session_id")):
        firsts = log.group_by(column).agg(pl.col("at").min()).sort("at", column)
        firsts = firsts.select(column, pl.int_range(pl.len(), dtype=pl.Int32).alias(number))
        log = log.join(firsts, on=column, how="left", maintain_order="left").drop(column)
    return (
        log.filter(pl.col("at") < days * DAY_MS)
        .sort("at", "request_id", "kind", "position", nulls_last=True)
        .with_row_index("event_id")
    )


def event_table(ordered: pl.DataFrame, queries: pl.Series, start: datetime) -> pl.DataFrame:
    """What the shop logged, in words and ids."""
    moment = pl.lit(start).dt.cast_time_unit("ms").dt.convert_time_zone("UTC")
    table = ordered.with_columns(
        _named("kind", [kind.value for kind in KINDS]).alias("event"),
        _named("surface", SURFACES),
        _named("device", DEVICES),
        _named("country", _COUNTRIES),
        pl.lit(queries).gather(pl.col("query")).alias("query"),
        (moment + pl.duration(milliseconds=pl.col("at"))).alias("timestamp"),
        as_text(pl.col("ip")).alias("ip"),
        _id("event_id", "e", 8),
        _id("user_id", "u"),
        _id("session_id", "s", 7),
        _id("request_id", "r", 7),
        _id("item_id", "i"),
        _id("campaign_id", "c"),
    )
    names = [column.name for column in EVENTS if column.name in table.columns]
    return table.select(*names, *_CONTEXT)


def count_of_kinds(ordered: pl.DataFrame) -> dict[str, int]:
    """How many events there are of each kind that occurs."""
    counts = ordered.group_by("kind").len()
    return {KINDS[kind].value: count for kind, count in counts.iter_rows()}


def truth_table(ordered: pl.DataFrame, window_days: int) -> pl.DataFrame:
    """What nobody but the generator knows: one row per impression, in the log's order."""
    in_time = pl.col("p_convert") * share_within(window_days)
    return ordered.filter(pl.col("kind") == KINDS.index(EventKind.IMPRESSION)).select(
        _id("request_id", "r", 7),
        _id("item_id", "i"),
        *_TRUTH,
        in_time.alias("p_convert_in_window"),
        "bot",
    )


def bot_table(log: Log, first: FirstNumbers) -> pl.DataFrame:
    """Who is no shopper: strength, farm, targets and addresses of each bot that has a page."""
    bots, shoppers = log.front.bots, len(log.front.shoppers)
    sessions = np.unique(np.concatenate([wave.pages.session_P for wave in log.waves]))
    seen = (
        pl.DataFrame({"bot": log.visitor_S[sessions] - shoppers, "ip": log.address_S[sessions]})
        .filter(pl.col("bot") >= 0)
        .unique()
        .sort("bot", "ip")
        .select("bot", as_text(first.address + pl.col("ip")).alias("ips"))
        .group_by("bot", maintain_order=True)
        .agg(pl.col("ips"))
    )
    number_B = log.id_V[shoppers:]
    targets = pl.Series("targets", (first.item + bots.targets_BX).tolist(), pl.List(pl.Int64))
    return (
        pl.DataFrame(
            {
                "bot": np.arange(len(bots)),
                "user_id": first.user + number_B,
                "strength": pl.Series([STRENGTHS[n] for n in bots.strength_B], dtype=pl.String),
                "farm": bots.farm_B,
                "targets": targets,
            }
        )
        .join(seen, on="bot", how="inner", maintain_order="left")
        .with_columns(
            _id("user_id", "u"),
            pl.col("targets").list.eval(pl.lit("i") + pl.element().cast(pl.String).str.zfill(5)),
        )
        .drop("bot")
    )


def _events(wave: Wave, log: Log, first: FirstNumbers) -> Iterator[pl.DataFrame]:
    price_I = log.front.catalogue.price_I
    pages = _page_columns(wave.pages, log, first)
    searched = np.flatnonzero(wave.pages.surface_P == SURFACES.index("search"))
    yield pages[searched].with_columns(
        _small("kind", KINDS.index(EventKind.SEARCH), pl.Int8),
        pl.Series("at", wave.pages.at_P[searched]),
    )
    slate, reactions = wave.slate, wave.reactions
    for kind, at_N in (
        (EventKind.IMPRESSION, wave.pages.at_P[slate.row_N]),
        (EventKind.CLICK, reactions.click_at_N),
        (EventKind.CART, reactions.cart_at_N),
        (EventKind.PURCHASE, reactions.purchase_at_N),
        (EventKind.RETURN, reactions.return_at_N),
    ):
        rows = np.flatnonzero(at_N != NEVER)
        item = slate.item_N[rows]
        campaign = slate.campaign_N[rows]
        frame = pages[slate.row_N[rows]].with_columns(
            _small("kind", KINDS.index(kind), pl.Int8),
            pl.Series("at", at_N[rows]),
            pl.Series("item_id", first.item + item, pl.Int32),
            pl.Series("position", slate.position_N[rows], pl.Int8),
            pl.Series(
                "campaign_id", np.where(campaign < 0, -1, first.campaign + campaign), pl.Int32
            ),
        )
        if kind in _PRICED:
            frame = frame.with_columns(pl.Series("price", price_I[item]))
        if kind in _COUNTED:
            frame = frame.with_columns(pl.Series("quantity", reactions.quantity_N[rows], pl.Int32))
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


def _page_columns(pages: Pages, log: Log, first: FirstNumbers) -> pl.DataFrame:
    """What all events of a page share, one row per page."""
    shoppers = log.front.shoppers
    countries = COUNTRIES[log.front.catalogue.vocabulary.language]
    country_C = np.array([_COUNTRIES.index(name) for name in countries])
    columns = {
        "page": first.page + np.arange(len(pages)),
        "user_id": first.user + log.id_V[pages.visitor_P],
        "session": first.session + pages.session_P,
        "query": np.where(pages.search_P < 0, -1, first.query + pages.search_P),
        "ip": first.address + log.address_S[pages.session_P],
    }
    small = {
        "surface": pages.surface_P,
        "device": pages.device_P,
        "country": country_C[shoppers.country_U[pages.user_P]],
    }
    frame = pl.DataFrame(
        [
            *(pl.Series(name, column, pl.Int32) for name, column in columns.items()),
            *(pl.Series(name, column, pl.Int8) for name, column in small.items()),
            pl.Series("bot", pages.visitor_P >= len(shoppers)),
        ]
    )
    return frame.with_columns(pl.col("query").replace(-1, None))


def _small(name: str, value: int, kind: type[pl.DataType]) -> pl.Expr:
    return pl.lit(value, kind).alias(name)


def _named(column: str, names: Sequence[str]) -> pl.Expr:
    """The name of each number."""
    return pl.lit(pl.Series(list(names), dtype=pl.String)).gather(pl.col(column)).alias(column)


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
