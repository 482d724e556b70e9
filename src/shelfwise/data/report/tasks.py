"""What the data can teach, and what it would need for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shelfwise.schema.event import INTEREST_ORDER, EventKind

_FEW = 100  # a validation part would have ten or so


@dataclass(frozen=True, slots=True)
class Task:
    """Something a model could learn."""

    name: str
    examples: int  # rows it would learn from; 0: it cannot
    of: str  # what these rows are
    needs: str  # what to log for it
    few: int = _FEW  # fewer rows than this are too few to trust

    @property
    def thin(self) -> bool:
        """Whether there is something, and too little to trust."""
        return 0 < self.examples < self.few


def tasks_of_events(kinds: Mapping[str, int], said: Mapping[str, int]) -> tuple[Task, ...]:
    """Tasks of a log.

    Args:
        kinds: events of each kind.
        said: rows that say something in each column.
    """

    def count(*names: EventKind) -> int:
        return sum(kinds.get(str(name), 0) for name in names)

    shown, clicked = count(EventKind.IMPRESSION), count(EventKind.CLICK, EventKind.CART)
    bought, searched = count(EventKind.PURCHASE), said.get("query", 0)
    return (
        Task(
            "What a shopper takes next (match)",
            count(*INTEREST_ORDER),
            "views, clicks, favourites, carts and purchases",
            "any event that shows interest in an item",
        ),
        Task(
            "Whether what is shown will be clicked",
            clicked if shown else 0,
            "clicks and carts beside what was shown",
            "impressions: what was shown, also where nobody clicked",
        ),
        Task(
            "Whether a click will end in a purchase",
            bought if shown else 0,
            "purchases after something shown",
            "impressions and purchases in one log",
        ),
        Task(
            "Search: what answers a query",
            searched,
            "events that carry a query",
            "the words typed, on the search and on what it showed",
        ),
        Task(
            "What another ranking would have earned",
            said.get("propensity", 0) if shown else 0,
            "impressions with their probability",
            "the probability with which each item was shown (propensity)",
        ),
        Task(
            "What a place on the page is worth",
            said.get("position", 0) if shown else 0,
            "events with a position",
            "the position of every impression",
        ),
        Task(
            "What comes back",
            count(EventKind.RETURN),
            "returns",
            "returns, with the item and the shopper",
        ),
    )


def tasks_of_tables(campaigns: int, pairs: int, judged: int) -> tuple[Task, ...]:
    """Tasks of the tables beside the log, each the number of its rows."""
    return (
        Task(
            "Ads: which offer to show",
            campaigns,
            "campaigns",
            "a table of campaigns with bids",
            few=1,  # they are offers to choose from, not examples to learn from
        ),
        Task(
            "How well items answer queries, as people judged it",
            judged,
            "graded pairs of query and item",
            "a table of judgements",
        ),
        Task("Which class a text belongs to", pairs, "labelled texts", "a table of text and label"),
    )
