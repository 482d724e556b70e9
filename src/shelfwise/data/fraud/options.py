"""How sure the fraud filter must be before it takes rows out of training."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from shelfwise.schema.options import Options

ActorKind = Literal["owner", "session", "ip"]


class FraudOptions(Options):
    """Which behaviour is taken for a machine's; its rows keep their place with weight 0."""

    enabled: bool = True
    """Whether users, sessions and addresses are scored at all."""
    actors: tuple[ActorKind, ...] = ("owner", "session", "ip")
    """Who is scored: users (or sessions, where no user is known), sessions, addresses."""
    min_acts: Annotated[int, Field(ge=5)] = 20
    """Deliberate events (all but impressions and returns) below which nobody is flagged for them;
    replays and crowds are seen in fewer."""
    rate_spreads: PositiveFloat = 6.0
    """Robust standard deviations above the shop's median log rate from which a rate is odd."""
    acts_in_hour: PositiveInt = 60
    """Acts in one hour that are never odd, however slow the others are; lower it for a log that
    is itself a sample."""
    hours_awake: Annotated[int, Field(ge=8, le=24)] = 16
    """Different hours of one day up to which a person may be active."""
    flag_from: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Score from which an actor is flagged."""
    soft_from: Annotated[float, Field(gt=0, le=1)] | None = None
    """Score from which rows of somebody who is not flagged weigh less as well: by as much as the
    score says. Left out, only flagged ones lose weight."""
    replays: bool = True
    """Whether users are looked for whose pages are another's, moved in time; both are flagged."""
    crowds: bool = True
    """Whether crowds hired to push an item are looked for: takers who are alike beyond chance."""
    forest: bool = True
    """Whether an isolation forest adds its vote to the rules; alone it never flags anybody."""
    forest_from: Annotated[float, Field(gt=0.5, lt=1)] = 0.6
    """Anomaly score (Liu et al. 2008; .5 is ordinary, 1 certain) from which the forest votes."""

    @model_validator(mode="after")
    def _somebody_is_between(self) -> Self:
        if self.soft_from is not None and self.soft_from >= self.flag_from:
            raise ValueError(
                f"soft_from ({self.soft_from:g}) must be below flag_from ({self.flag_from:g}); "
                "whoever has a score from there on is flagged and weighs nothing already"
            )
        return self
