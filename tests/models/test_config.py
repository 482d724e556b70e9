from __future__ import annotations

import pytest
from pydantic import ValidationError

from shelfwise.models.config import MeanPoolHistory, ModelOptions, TransformerHistory


def test_a_history_without_a_kind_is_a_transformer() -> None:
    """As it was in runs and shop.toml files from before there was a choice."""
    found = ModelOptions.model_validate({"history": {"layers": 3, "heads": 8, "dropout": 0.2}})

    assert found.history == TransformerHistory(layers=3, heads=8, dropout=0.2)


def test_each_kind_of_history_has_its_own_options() -> None:
    found = ModelOptions.model_validate({"history": {"kind": "mean_pool", "searches": False}})
    assert found.history == MeanPoolHistory(searches=False)

    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        ModelOptions.model_validate({"history": {"kind": "mean_pool", "layers": 2}})


def test_heads_divide_the_width() -> None:
    with pytest.raises(ValidationError, match=r"width \(100\) must be a multiple of history.heads"):
        ModelOptions(width=100, history=TransformerHistory(heads=3))
    # Only the Transformer has heads.
    assert ModelOptions(width=100, history=MeanPoolHistory()).width == 100
