"""What shop.toml says about answering a request."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeFloat, PositiveInt

from shelfwise.schema.options import Options


class RankOptions(Options):
    """How candidates are found and ordered."""

    candidates: PositiveInt = 200
    """Items that each retriever hands to the scorer."""
    policy: Literal["relevance", "revenue"] = "relevance"
    """Order search and recommendation by chance of a click, or by expected revenue."""
    words_weight: NonNegativeFloat = 1.0
    """Weight of the word index (BM25) in finding what was searched for."""
    meaning_weight: NonNegativeFloat = 1.0
    """Weight of the query's and item's text vectors."""
    match_weight: NonNegativeFloat = 1.0
    """Weight of the learned match, where searches were logged to learn it from."""
