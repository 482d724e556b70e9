"""Writes the sample shop: the files of a real shop, and apart from them the truth.

How the world works, from top to bottom; each step has its file:

* ``vocabulary*``, ``catalogue``: items are combinations that a department would sell; price
  follows type, brand tier and size; quality is hidden, popularity a power law.
* ``shoppers``: sparse tastes for types, brands, colours, moods and a price level; power-law
  activity; interest in types drifts.
* ``requests``: a session has an intent drawn from interest and makes searches and shelf views.
* ``queries``: what a search means, how it is worded, and typos that change only the text.
* ``policy``: what the shop shows, with exact propensities and an exploration share.
* ``outcomes``: examination by position times relevance gives clicks; clicks give purchases.
* ``reactions``, ``purchase_delay``: the draws, with delays, carts and returns.
* ``bots``, ``addresses``: who only pretends to shop, and where everybody comes from.
* ``advertising``: sponsored places, in the order of time, while budgets last.
* ``traffic``: puts these together, with reorders of consumables.

With two languages, two storefronts live side by side: own items, own shoppers, one log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.config import TEST_SHARE, SampleOptions
from shelfwise.data.sample_shop.log_files import write_events, write_truth
from shelfwise.data.sample_shop.oracle import oracle_metrics
from shelfwise.data.sample_shop.purchase_delay import LONGEST_DAYS, share_within
from shelfwise.data.sample_shop.storefront import open_storefront
from shelfwise.data.sample_shop.tables import (
    FirstNumbers,
    bot_table,
    campaign_table,
    catalogue_table,
    count_of_kinds,
    judgement_table,
    log_table,
    ordered_log,
    query_texts,
)
from shelfwise.data.sample_shop.traffic import simulate
from shelfwise.data.sample_shop.vocabulary import LANGUAGES
from shelfwise.schema.progress import Progress, Silent

_UNWATCHED = Silent()

# The file by which a folder is known as a sample shop, which may be written anew.
WRITTEN_BY_SAMPLE = "truth/README.txt"

_SHOP_TOML = """\
# Written by `shelfwise sample`: a synthetic shop. It checks mechanisms; it proves no quality.
# users = {users}, items = {items}, days = {days}, seed = {seed}, language = "{language}"

[shop]
name = "Sample shop (synthetic)"
currency = "EUR"
synthetic = true

[privacy]
# Nobody is to be protected here, and the same pseudonyms on every machine make figures comparable.
published_key = true

[events]
# The log was cut at {end}.
# Purchases of its last days may still have been under way.
latest = {latest}

[match]
# The log has clicks and purchases; a cart is on the way from one to the other.
events = ["click", "purchase"]

[attribution]
# {caught} of 100 purchases come within so many days of their click, all within {longest}.
purchase_window_days = {window}

[split]
# Long enough that the purchase window of half of the test's clicks is closed.
validation_share = 0.12
test_share = {test_share}
"""

_TRUTH_README = """\
The truth behind this synthetic shop. Training never reads this folder; it serves to check
calibration, de-biasing and off-policy estimates against what really was.

impressions.parquet: one row per impression of events.parquet, in the same order.

  request_id, item_id  the impression
  examination          probability that the shopper looked at the place; depends on surface and
                       position alone
  relevance            P(click | looked at)
  p_click              examination * relevance: the probability that the click was drawn with
  p_convert            P(purchase, ever | click): the probability that the purchase was drawn
                       with. Purchases come up to fourteen days after the click, so those of
                       the log's last days are partly not in the log.
  p_convert_in_window  the same within the purchase window of shop.toml
  bot                  whether a bot saw it; the probabilities are then the bot's own

bots.parquet: one row per bot.

  user_id, ips         its id in the log and the addresses it came from; a gateway's are shared
                       with shoppers
  strength             easy, middle or hard to tell from a shopper
  farm                 bots of one farm push the same targets
  targets              the item_ids it is there to click

metrics.json: what an oracle that predicts with the probabilities above scores on the impressions of
the last {share} % of the log's time (between judged_from and judged_to): AUC, log loss, calibration
error in 20 bins of equal mass (ece), predicted over observed (pcoc: 1 but for chance), grouped AUC
and NDCG@10 within requests (gain 1 for a click, ordered by relevance, requests with a click).
Conversions count purchases within the purchase window of shop.toml, of impressions whose window
had closed when the log was cut; p_convert is multiplied by the share of purchases that come within
it. With bots, "shoppers" leaves their impressions out. No model does better, but for luck.

events.parquet itself holds the logging policy's propensity of every impression: the exact
probability that this item was drawn for this place, given the request and the items above it.
"""


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What was written, in counts."""

    users: int
    items: int
    events: int
    impressions: int
    clicks: int
    purchases: int
    campaigns: int
    judgements: int
    bots: int
    bot_events: int


@dataclass(frozen=True, slots=True)
class _Written:
    """A storefront's tables, not yet on disk."""

    catalogue: pl.DataFrame
    campaigns: pl.DataFrame
    judgements: pl.DataFrame
    bots: pl.DataFrame
    log: pl.DataFrame
    queries: pl.Series


def write_sample_shop(
    out: Path, options: SampleOptions, progress: Progress = _UNWATCHED
) -> SampleSummary:
    """Write the shop's files into the folder ``out``, made if missing; others stay untouched."""
    (out / "truth").mkdir(parents=True, exist_ok=True)
    fronts = _simulated(options, progress)
    with progress.step("Writing the sample shop", total=3) as step:
        log = ordered_log(pl.concat([front.log for front in fronts], how="diagonal"), options.days)
        step.advance()
        queries = pl.concat([front.queries for front in fronts])
        write_events(out / "events.parquet", log, queries, options.start)
        write_truth(out / "truth" / "impressions.parquet", log, options.purchase_window_days)
        step.advance()
        pl.concat([front.catalogue for front in fronts]).write_csv(out / "catalogue.csv")
        pl.concat([front.campaigns for front in fronts]).write_csv(out / "campaigns.csv")
        pl.concat([front.judgements for front in fronts]).write_csv(out / "judgements.csv")
        pl.concat([front.bots for front in fronts]).write_parquet(out / "truth" / "bots.parquet")
        oracle = json.dumps(oracle_metrics(log, options), indent=2)
        (out / "truth" / "metrics.json").write_text(oracle + "\n", encoding="utf-8")
        (out / WRITTEN_BY_SAMPLE).write_text(
            _TRUTH_README.format(share=round(100 * TEST_SHARE)), encoding="utf-8"
        )
        (out / "shop.toml").write_text(_shop_toml(options), encoding="utf-8")
        step.advance()
    return _summary(options, log, fronts)


def _simulated(options: SampleOptions, progress: Progress) -> list[_Written]:
    languages = LANGUAGES if options.language == "both" else (options.language,)
    users = _shares(options.users, len(languages))
    items = _shares(options.items, len(languages))
    first = FirstNumbers()
    fronts = []
    with progress.step("Simulating the sample shop", total=len(languages)) as step:
        for language, some_users, some_items in zip(languages, users, items, strict=True):
            rng = np.random.default_rng([options.seed, LANGUAGES.index(language)])
            front = open_storefront(language, some_users, some_items, options, rng)
            log = simulate(front, options, rng)
            fronts.append(
                _Written(
                    catalogue=catalogue_table(front, first, options.start),
                    campaigns=campaign_table(front, first, options.start),
                    judgements=judgement_table(front, log.waves[0], first, rng),
                    bots=bot_table(log, first),
                    log=log_table(log, first),
                    queries=query_texts(log),
                )
            )
            first = first.after(log)
            step.advance()
    return fronts


def _shares(total: int, parts: int) -> list[int]:
    """``total`` in nearly equal whole parts, the larger ones first."""
    return [(total + parts - 1 - part) // parts for part in range(parts)]


def _shop_toml(options: SampleOptions) -> str:
    end = options.start + timedelta(days=options.days)
    return _SHOP_TOML.format(
        users=options.users,
        items=options.items,
        days=options.days,
        seed=options.seed,
        language=options.language,
        end=end.isoformat(),
        latest=(end + timedelta(hours=1)).isoformat(),
        window=options.purchase_window_days,
        caught=round(100 * share_within(options.purchase_window_days)),
        longest=LONGEST_DAYS,
        test_share=TEST_SHARE,
    )


def _summary(options: SampleOptions, log: pl.DataFrame, fronts: list[_Written]) -> SampleSummary:
    of_kind = count_of_kinds(log)
    return SampleSummary(
        users=options.users,
        items=options.items,
        events=len(log),
        impressions=of_kind.get("impression", 0),
        clicks=of_kind.get("click", 0),
        purchases=of_kind.get("purchase", 0),
        campaigns=sum(len(front.campaigns) for front in fronts),
        judgements=sum(len(front.judgements) for front in fronts),
        bots=sum(len(front.bots) for front in fronts),
        bot_events=int(log["bot"].sum()),
    )
