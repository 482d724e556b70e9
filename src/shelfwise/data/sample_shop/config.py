"""How big the sample shop is and how its log is written."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, sqrt
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeInt, model_validator

from shelfwise.data.config import UtcTime
from shelfwise.data.sample_shop.purchase_delay import LONGEST_DAYS
from shelfwise.schema.options import Options

_FEWEST_VISITS = 40
_EVENTS_PER_VISIT = 26  # on the safe side: 27 to 29 were counted in logs of 10 to 120 days
_SPREAD = 6  # the number of events strays from its mean by about that of 1.3 sqrt(visits) visits
_FEWEST_FOR_TWO_DOMAINS = 300  # in one language

TEST_SHARE = 0.2  # the last part of the log, on which the oracle is judged
STRENGTHS = ("easy", "middle", "hard")

Share = Annotated[float, Field(ge=0, le=1)]


class SampleOptions(Options):
    """One sample shop; the same options give the same bytes."""

    users: Annotated[int, Field(ge=20, le=1_000_000)] = 3_000
    """Shoppers."""
    items: Annotated[int, Field(ge=300, le=100_000)] = 5_000
    """Catalogue entries, of which a few are sold out and never shown."""
    days: Annotated[int, Field(ge=10, le=365)] = 60
    """Length of the log; what would happen later is not in it."""
    seed: NonNegativeInt = 0
    """Start of every random draw."""
    language: Literal["en", "zh", "both"] = "en"
    """Language of titles and queries; "both" splits items and shoppers into two storefronts."""
    domains: Annotated[int, Field(ge=1, le=2)] = 1
    """Kinds of goods with words and prices of their own: general goods alone, or books as well."""
    new_item_share: Annotated[float, Field(ge=0, le=0.5)] = 0.15
    """Share of the items that are first sold at some moment within the log."""
    start: UtcTime = datetime(2025, 1, 1, tzinfo=UTC)
    """First moment of the log."""
    visits_per_month: Annotated[float, Field(gt=0, le=60)] = 2.8
    """Sessions of an average shopper in 30 days."""
    exploration_share: Share = 0.1
    """Share of recommendation slots filled uniformly from the whole storefront."""
    typo_share: Share = 0.12
    """Share of queries with a slip of the finger."""
    bot_share: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of the events that bots make, nearly; truth/bots.parquet names them."""
    bot_strength: Literal["easy", "middle", "hard", "mixed"] = "mixed"
    """How well bots imitate shoppers; "mixed" gives each strength a third of the bots' events."""

    def with_events(self, events: int) -> Self:
        """The same shop with so many shoppers that its log has at least ``events`` events."""
        visits = events / _EVENTS_PER_VISIT
        visits += _SPREAD * sqrt(visits)
        users = ceil(visits / (self.visits_per_month * self.days / 30))
        return self.model_validate({**self.model_dump(), "users": users})

    @property
    def purchase_window_days(self) -> int:
        """As long as purchases take, but at most half of the test: so half of it is settled."""
        return min(LONGEST_DAYS, max(3, round(self.days * TEST_SHARE / 2)))

    @model_validator(mode="after")
    def _books_fill_a_list(self) -> Self:
        fronts = 2 if self.language == "both" else 1
        if self.domains > 1 and self.items < _FEWEST_FOR_TWO_DOMAINS * fronts:
            raise ValueError(
                f"items ({self.items}) must be at least {_FEWEST_FOR_TWO_DOMAINS * fronts} where "
                "domains is 2; fewer books would not fill a list"
            )
        return self

    @model_validator(mode="after")
    def _somebody_comes(self) -> Self:
        visits = self.users * self.visits_per_month * self.days / 30
        if visits < _FEWEST_VISITS:
            raise ValueError(
                f"users ({self.users}) * visits_per_month ({self.visits_per_month}) * days "
                f"({self.days}) / 30 gives {visits:.0f} visits; at least {_FEWEST_VISITS} "
                "make a log"
            )
        return self
