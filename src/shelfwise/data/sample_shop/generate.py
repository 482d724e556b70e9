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
* ``traffic``: puts these together, with delays, carts, returns and reorders of consumables.

With two languages, two storefronts live side by side: own items, own shoppers, one log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.tables import (
    FirstNumbers,
    campaign_table,
    catalogue_table,
    event_table,
    judgement_table,
    log_table,
    ordered_log,
    truth_table,
)
from shelfwise.data.sample_shop.traffic import open_storefront, simulate
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

[events]
# The log was cut at {end}; purchases of its last days may still have been under way.
latest = {latest}

[match]
# The log has clicks and purchases; a cart is on the way from one to the other.
events = ["click", "purchase"]

[attribution]
# 97 of 100 purchases come within three days of their click.
purchase_window_days = 3

[split]
# Long enough that most of a part's clicks have a closed purchase window.
validation_share = 0.12
test_share = 0.2
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
                       with. Purchases come up to five days after the click, so those of the
                       log's last days are partly not in the log.

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


def write_sample_shop(
    out: Path, options: SampleOptions, progress: Progress = _UNWATCHED
) -> SampleSummary:
    """Write the shop's files into the folder ``out``, made if missing; others stay untouched."""
    languages = LANGUAGES if options.language == "both" else (options.language,)
    catalogues, campaigns, judgements, logs = [], [], [], []
    first = FirstNumbers()
    with progress.step("Simulating the sample shop", total=2 * len(languages)) as step:
        for language, users, items in zip(
            languages,
            _shares(options.users, len(languages)),
            _shares(options.items, len(languages)),
            strict=True,
        ):
            rng = np.random.default_rng([options.seed, LANGUAGES.index(language)])
            front = open_storefront(language, users, items, options, rng)
            step.advance()
            waves = simulate(front, options, rng)
            catalogues.append(catalogue_table(front, first))
            campaigns.append(campaign_table(front, waves, first, options.start))
            judgements.append(judgement_table(front, waves[0], first, rng))
            logs.append(log_table(front, waves, first))
            first = first.after(front, waves)
            step.advance()
    with progress.step("Writing the sample shop", total=3) as step:
        log = ordered_log(pl.concat(logs, how="diagonal"), options.start, options.days)
        step.advance()
        (out / "truth").mkdir(parents=True, exist_ok=True)
        events = event_table(log)
        events.write_parquet(out / "events.parquet")
        truth_table(log).write_parquet(out / "truth" / "impressions.parquet")
        step.advance()
        pl.concat(catalogues).write_csv(out / "catalogue.csv")
        pl.concat(campaigns).write_csv(out / "campaigns.csv")
        pl.concat(judgements).write_csv(out / "judgements.csv")
        (out / WRITTEN_BY_SAMPLE).write_text(_TRUTH_README, encoding="utf-8")
        (out / "shop.toml").write_text(_shop_toml(options), encoding="utf-8")
        step.advance()
    return _summary(options, events, sum(map(len, campaigns)), sum(map(len, judgements)))


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
    )


def _summary(
    options: SampleOptions, events: pl.DataFrame, campaigns: int, judgements: int
) -> SampleSummary:
    of_kind = dict(events.group_by("event").len().iter_rows())
    return SampleSummary(
        users=options.users,
        items=options.items,
        events=len(events),
        impressions=of_kind.get("impression", 0),
        clicks=of_kind.get("click", 0),
        purchases=of_kind.get("purchase", 0),
        campaigns=campaigns,
        judgements=judgements,
    )
