"""What shop.toml says about learning from judgements; defaults live here and nowhere else."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import NonNegativeFloat, PositiveInt, model_validator

from shelfwise.schema.options import Options
from shelfwise.schema.search import Pick, Span


class RelevanceOptions(Options):
    """What a query's judged items are learned by."""

    batch_pairs: Annotated[PositiveInt, Pick((32, 64, 128))] = 64
    """Judged pairs in a step: some queries with all of their items."""
    grade_weight: NonNegativeFloat = 1.0
    """Weight of the cross-entropy of the grade, as a place between the lowest and the highest."""
    list_net_weight: Annotated[NonNegativeFloat, Span(0.0, 1.0)] = 0.0
    """Weight of ListNet: the shares of a query's items, by exp(grade)."""
    lambda_weight: Annotated[NonNegativeFloat, Span(0.0, 1.0)] = 0.0
    """Weight of LambdaLoss: pairs of a query's items, as far as NDCG depends on them."""

    @model_validator(mode="after")
    def _something_is_learned(self) -> Self:
        if not self.grade_weight + self.list_net_weight + self.lambda_weight:
            raise ValueError(
                "grade_weight, list_net_weight and lambda_weight are all 0; nothing would be "
                "learned"
            )
        return self
