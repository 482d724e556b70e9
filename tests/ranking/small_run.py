"""A shop of six items, learned in a second; nothing in it depends on what was learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.small_log import event, prepared_shop, write_table

from shelfwise.models.config import (
    EncoderOptions,
    HistoryEncoderOptions,
    ModelOptions,
    TopLayers,
    TransformerHistory,
)
from shelfwise.training.config import TrainOptions
from shelfwise.training.train import train

TITLES = {
    "i0": "red shoe",
    "i1": "blue shoe",
    "i2": "white lamp",
    "i3": "glass bowl",
    "i4": "red shoe, sold out",
    "i5": "tea",
}
BIDS = {"i0": 0.5, "i1": 0.2, "i4": 9.0, "i5": 0.1}


SMALL = TransformerHistory(layers=1, heads=2)


def small_run(
    folder: Path,
    encoder: Path,
    *,
    impressions: bool = True,
    reader: HistoryEncoderOptions = SMALL,
    **options: Any,
) -> Path:
    """A trained run; item i4 is sold out, and two campaigns bid for item i0."""
    rows = []
    for hour in range(0, 95, 2):
        user, item = f"u{hour % 3}", f"i{hour % 5}"
        named = {"request_id": f"r{hour}"} if impressions else {}
        if impressions:
            rows += [
                event("impression", user, hour, f"i{n}", position=n + 1, **named) for n in (0, 1, 3)
            ]
            item = f"i{hour % 2}"
        rows.append(event("click", user, hour + 0.5, item, **named))
        rows.append(event("search", user, hour + 0.7, query="red shoe"))
    shop = folder / "shop"
    write_table(
        shop,
        "catalogue",
        [
            {
                "item_id": name,
                "title": title,
                "price": 10 * place + 1,
                "available": name != "i4",
            }
            for place, (name, title) in enumerate(TITLES.items())
        ],
    )
    bids = [(f"c-{name}", name, bid) for name, bid in BIDS.items()] + [("c-low", "i0", 0.05)]
    write_table(
        shop, "campaigns", [{"campaign_id": c, "item_id": i, "bid": bid} for c, i, bid in bids]
    )
    # Three who come by the clock, day and night, would be taken for machines.
    prepared = prepared_shop(folder, rows, **({"fraud": {"enabled": False}} | options))
    model = ModelOptions(
        width=16,
        encoder=EncoderOptions(name=str(encoder), tuning=TopLayers(layers=1)),
        history=reader,
    )
    train(prepared, folder / "run", model, TrainOptions(epochs=1, threads=1, device="cpu"))
    return folder / "run"
