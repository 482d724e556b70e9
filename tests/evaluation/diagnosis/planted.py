"""Illnesses planted into a sample shop, its prepared tables or its run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from safetensors.torch import load_file, save_file

from shelfwise.config import load_config
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop, open_prepared_shop
from shelfwise.data.sample_shop.config import SampleOptions
from shelfwise.data.sample_shop.generate import write_sample_shop
from shelfwise.models.calibration import (
    Calibration,
    TaskCalibration,
    Temperature,
    save_calibration,
)
from shelfwise.models.config import EncoderOptions, ModelOptions, TopLayers
from shelfwise.schema.manifest import Manifest, open_sealed, seal
from shelfwise.schema.run_files import CALIBRATION, MODEL
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train


@dataclass(frozen=True, slots=True)
class Size:
    """How big the shop is that illnesses are planted in."""

    users: int = 400
    items: int = 400
    days: int = 40
    visits: float = 5.0


def written_shop(folder: Path, seed: int, size: Size) -> Path:
    """A healthy shop."""
    options = SampleOptions(
        users=size.users,
        items=size.items,
        days=size.days,
        visits_per_month=size.visits,
        seed=seed,
    )
    write_sample_shop(folder, options)
    return folder


def prepared_of(shop: Path) -> PreparedShop:
    """The shop prepared beside its own folder."""
    out = shop.parent / f"{shop.name}-prepared"
    made = prepare(shop, out, load_config(shop))
    assert isinstance(made, PreparedShop)
    return made


def run_of(prepared: PreparedShop, encoder: Path, name: str = "run", **options: float) -> Path:
    """A run of the prepared shop on a tiny encoder, beside its folder."""
    out = prepared.folder.parent / f"{prepared.folder.name}-{name}"
    model = ModelOptions(
        width=32, encoder=EncoderOptions(name=str(encoder), tuning=TopLayers(layers=1))
    )
    settings = {"epochs": 6, "live_texts": 16, "device": "cpu", "threads": 1} | options
    train(prepared, out, model, TrainOptions.model_validate(settings))
    return out


def shuffle_labels(shop: Path) -> None:
    """Every click is moved to an impression drawn at random, every purchase to a click."""
    events = pl.read_parquet(shop / "events.parquet")
    rng = np.random.default_rng(0)
    shown = events.filter(pl.col("event") == "impression")
    clicks = events.filter(pl.col("event") == "click")
    moved = shown[rng.choice(len(shown), len(clicks), replace=False)].with_columns(
        pl.lit("click").alias("event"),
        pl.col("timestamp") + pl.duration(seconds=5),
        clicks["event_id"],
    )
    bought = events.filter(pl.col("event") == "purchase")
    later = moved[rng.choice(len(moved), len(bought), replace=False)].with_columns(
        pl.lit("purchase").alias("event"),
        pl.col("timestamp") + pl.duration(hours=1),
        *(bought[name] for name in ("event_id", "price", "quantity")),
    )
    others = events.filter(~pl.col("event").is_in(["click", "purchase", "cart", "return"]))
    everything = pl.concat([others, moved, later], how="vertical_relaxed")
    everything.sort("timestamp").write_parquet(shop / "events.parquet")


def leak_event_column(shop: Path, truth: float = 0.85) -> None:
    """A column of the log that says of most impressions whether they will be clicked."""
    events = pl.read_parquet(shop / "events.parquet")
    pair = ["request_id", "item_id"]
    clicks = events.filter(pl.col("event") == "click").select(pair).unique()
    told = (
        events.select(pair)
        .join(clicks.with_columns(hit=pl.lit(1.0)), on=pair, how="left", maintain_order="left")[
            "hit"
        ]
        .fill_null(0.0)
    )
    rng = np.random.default_rng(0)
    honest_N = rng.random(len(events)) < truth
    value_N = np.where(honest_N, told.to_numpy(), rng.random(len(events)) < told.mean())
    events.with_columns(
        pl.Series("dwell", value_N + rng.normal(0, 0.05, len(events)))
    ).write_parquet(shop / "events.parquet")
    _declare(shop, "events", "dwell", "number")


def leak_catalogue_column(shop: Path) -> None:
    """A column of the catalogue with what each item sold in the last fifth of the log."""
    events = pl.read_parquet(shop / "events.parquet")
    first, last = events["timestamp"].min(), events["timestamp"].max()
    late = events.filter(pl.col("timestamp") > first + (last - first) * 0.68)
    taken = (
        late.filter(pl.col("event").is_in(["click", "purchase"]))
        .group_by("item_id")
        .len("sold_next")
    )
    table = pl.read_csv(shop / "catalogue.csv", schema_overrides={"added": pl.String})
    table.join(taken, on="item_id", how="left", maintain_order="left").with_columns(
        pl.col("sold_next").fill_null(0)
    ).write_csv(shop / "catalogue.csv")
    _declare(shop, "items", "sold_next", "number")


def _declare(shop: Path, table: str, name: str, kind: str) -> None:
    file = shop / "shop.toml"
    told = f'\n[features]\n{table}.{name} = "{kind}"\n'
    file.write_text(file.read_text(encoding="utf-8") + told, encoding="utf-8")


def departments(shop: Path) -> dict[str, int]:
    """Items of each department."""
    table = pl.read_csv(shop / "catalogue.csv")
    broad = table["category"].str.split(" > ").list.first().alias("department")
    return dict(broad.value_counts(sort=True).iter_rows())


def blank_titles(shop: Path) -> str:
    """The titles of one department, neither the largest nor the smallest, become empty."""
    counts = departments(shop)
    name = list(counts)[len(counts) // 2]
    table = pl.read_csv(shop / "catalogue.csv", schema_overrides={"added": pl.String})
    here = pl.col("category").str.split(" > ").list.first() == name
    table.with_columns(
        pl.when(here).then(None).otherwise(pl.col("title")).alias("title")
    ).write_csv(shop / "catalogue.csv")
    return name


def keep_few_requests(prepared: PreparedShop, share: float) -> PreparedShop:
    """Of the training requests a share, drawn at random; the rest belongs to no part."""
    requests = prepared.requests
    drawn_R = np.random.default_rng(0).random(len(requests)) < share
    gone_R = (requests["part"] == "train").to_numpy() & ~drawn_R
    part = pl.Series("part", np.where(gone_R, "later", requests["part"].to_numpy()))
    requests.with_columns(part).write_parquet(prepared.folder / "requests.parquet")
    return open_old(prepared.folder)


def open_old(folder: Path) -> PreparedShop:
    """Seal a prepared folder again after a table was written over, and open it."""
    manifest = folder / "manifest.json"
    old = Manifest.model_validate_json(manifest.read_text(encoding="utf-8"))
    seal(folder, "prepared", seed=old.seed, data_fingerprint=None, facts=old.facts)
    return open_prepared_shop(folder)


def sharpen_clicks(run: Path, factor: float = 2.5) -> None:
    """The click head says everything more loudly than it was trained to."""
    old = open_sealed(run, "run")
    tensors = load_file(run / MODEL)
    for name in ("heads.click.weight", "heads.click.bias", "heads.position.weight"):
        tensors[name] = (tensors[name] * factor).contiguous()
    for name in ("heads.wide.weight", "heads.own_rate"):  # clicks first, then conversion
        tensors[name][0] *= factor
    save_file(tensors, run / MODEL)
    seal(run, "run", seed=old.seed, data_fingerprint=old.data_fingerprint, facts=old.facts)


def double_calibration(run: Path) -> None:
    """Calibrators that double every logit, whatever they were fitted to."""
    old = open_sealed(run, "run")
    loud = TaskCalibration(pooled=Temperature(factor=2.0))
    save_calibration(Calibration(click=loud, convert=loud), run / CALIBRATION)
    seal(run, "run", seed=old.seed, data_fingerprint=old.data_fingerprint, facts=old.facts)


def copied(run: Path, to: Path) -> Path:
    """A run of its own to be ill."""
    shutil.copytree(run, to)
    return to
