"""One small shop, written once, that every test of this folder reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.sample_shop.catalogue import Catalogue, draw_catalogue, shop_vocabulary
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import SampleSummary, write_sample_shop
from shelfwise.data.sample_shop.shoppers import Shoppers, draw_shoppers

SMALL = SampleOptions(
    users=300, items=600, days=30, seed=3, language="both", visits_per_month=6, domains=2
)


@dataclass(frozen=True, slots=True)
class WrittenShop:
    folder: Path
    options: SampleOptions
    summary: SampleSummary
    events: pl.DataFrame
    truth: pl.DataFrame
    catalogue: pl.DataFrame

    def of_kind(self, kind: str) -> pl.DataFrame:
        return self.events.filter(pl.col("event") == kind)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> WrittenShop:
    folder = tmp_path_factory.mktemp("shop")
    summary = write_sample_shop(folder, SMALL)
    return WrittenShop(
        folder=folder,
        options=SMALL,
        summary=summary,
        events=pl.read_parquet(folder / "events.parquet"),
        truth=pl.read_parquet(folder / "truth" / "impressions.parquet"),
        catalogue=pl.read_csv(folder / "catalogue.csv"),
    )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return draw_catalogue(shop_vocabulary("en"), 400, np.random.default_rng(5))


@pytest.fixture(scope="session")
def shoppers(catalogue: Catalogue) -> Shoppers:
    return draw_shoppers(catalogue.vocabulary, 50, np.random.default_rng(6))
