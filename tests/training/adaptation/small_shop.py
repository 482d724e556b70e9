"""A shop of seven items and five shoppers, small enough to know who took what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from data.small_log import event, prepared_shop, write_table

from shelfwise.data.prepared import PreparedShop
from shelfwise.data.tokens import tokenise
from shelfwise.models.config import EncoderOptions
from shelfwise.training.adaptation.adapt import Start
from shelfwise.training.adaptation.pairs import TextPairs

TITLES = ("red shoe", "blue shoe", "black tea", "green mug", "gold lamp", "wool rug")
ITEMS = len(TITLES) + 1  # the last one has no text


def catalogue(told: bool = True) -> list[dict[str, Any]]:
    rows = [{"item_id": f"i{n}", "title": t, "brand": "acme"} for n, t in enumerate(TITLES)]
    return [*(rows if told else [{"item_id": row["item_id"]} for row in rows]), {"item_id": "i6"}]


def log() -> list[dict[str, Any]]:
    """Validation is from hour 60 and test from hour 80."""
    return [
        # Two items within a day, the third one 35 hours after the second.
        event("click", "u0", 0, "i0"),
        event("click", "u0", 5, "i1"),
        event("click", "u0", 40, "i2"),
        # The same item twice; both are followed by i3.
        event("click", "u1", 10, "i1"),
        event("click", "u1", 11, "i1"),
        event("click", "u1", 30, "i3"),
        # One in training, the next one in validation.
        event("click", "u2", 59, "i4"),
        event("click", "u2", 61, "i5"),
        # What was typed is known of requests that are named; i6 has no text.
        event("search", "u3", 2, query="tea", request_id="r1"),
        event("click", "u3", 3, "i2", request_id="r1"),
        event("click", "u3", 4, "i2", request_id="r1"),
        event("click", "u3", 5, "i6", request_id="r1"),
        # Asked in training, taken after it: known to nobody when training ends.
        event("search", "u3", 50, query="light", request_id="r2"),
        event("click", "u3", 65, "i4", request_id="r2"),
        # In validation and in the test.
        event("search", "u4", 70, query="lamp", request_id="r3"),
        event("click", "u4", 71, "i4", request_id="r3"),
        event("click", "u4", 90, "i0"),
        event("click", "u4", 91, "i1"),
    ]


def shop_of(folder: Path, *, told: bool = True, **options: Any) -> PreparedShop:
    write_table(folder / "shop", "catalogue", catalogue(told))
    return prepared_shop(folder, log(), **options)


def start_of(prepared: PreparedShop, folder: Path, **options: Any) -> Start:
    texts = [*prepared.items["text"], *prepared.queries["text"]]
    tokens = tokenise(texts, folder / "tokenizer.json", 48)
    return Start(folder, tokens, EncoderOptions(name=str(folder), **options))


def names(prepared: PreparedShop, pairs: TextPairs) -> list[tuple[str, str]]:
    """Each pair in words: item ids and queries, sorted."""
    texts = [*prepared.items["item_id"], *prepared.queries["text"]]
    rows = zip(pairs.left_P.tolist(), pairs.right_P.tolist(), strict=True)
    return sorted((texts[left], texts[right]) for left, right in rows)


@pytest.fixture(scope="session")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> PreparedShop:
    return shop_of(tmp_path_factory.mktemp("adaptation"))
