"""A shop of judgements alone, whose grades follow from the words in common."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from shelfwise.config import load_config
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedJudgements
from shelfwise.models.config import (
    EncoderOptions,
    HeadOptions,
    ModelOptions,
    RelevanceModelOptions,
    TopLayers,
)

_COLOURS = ("red", "blue", "green", "black", "white")
_THINGS = ("lamp", "rug", "mug", "pan")
_SIZES = ("small", "large")


def write_judged_shop(shop: Path) -> None:
    """40 queries with four items each: one says all of it, one two words, one one, one none."""
    rows = [
        (f"{size} {colour} {thing}", title, grade)
        for size in _SIZES
        for colour in _COLOURS
        for thing in _THINGS
        for title, grade in (
            (f"{size} {colour} {thing}", 2.0),
            (f"{colour} {thing} set", 1.0),
            (f"{colour} towel", 0.0),
            ("gold book", 0.0),
        )
    ]
    shop.mkdir(parents=True)
    table = pl.DataFrame(rows, schema=["query", "title", "grade"], orient="row")
    table.write_csv(shop / "judgements.csv")
    (shop / "shop.toml").write_text('[split]\nkind = "cold_queries"\n[match]\ntarget = "next"\n')


def judged_shop(folder: Path) -> PreparedJudgements:
    """The shop of `write_judged_shop`, prepared."""
    shop = folder / "shop"
    write_judged_shop(shop)
    found = prepare(shop, folder / "prepared", load_config(shop))
    assert isinstance(found, PreparedJudgements)
    return found


def options_of(encoder: Path, kind: str, *, words: bool = False, layers: int = 2) -> ModelOptions:
    return ModelOptions(
        encoder=EncoderOptions(name=str(encoder), tuning=TopLayers(layers=layers)),
        heads=HeadOptions(dropout=0.0),
        relevance=RelevanceModelOptions.model_validate({"kind": kind, "words": words}),
    )
