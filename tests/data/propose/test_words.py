"""Names of columns and events, held against what they mean."""

from __future__ import annotations

import pytest

from shelfwise.data.propose.words import COLUMN_WORDS, kind_of, name_fit
from shelfwise.schema.event import EventKind


@pytest.mark.parametrize(
    ("own", "kind"),
    [
        ("pv", "view"), ("detail", "view"), ("Add_To_Cart", "cart"), ("addtocart", "cart"),
        ("fav", "favourite"), ("wishlist", "favourite"), ("transaction", "purchase"),
        ("buy", "purchase"), ("order", "purchase"), ("refund", "return"), ("clk", "click"),
        ("impression", "impression"), ("search", "search"), ("remove_from_cart", None), ("1", None),
    ],
)  # fmt: skip
def test_kinds_of_events(own: str, kind: str | None) -> None:
    assert kind_of(own) == (None if kind is None else EventKind(kind))


@pytest.mark.parametrize("kind", list(EventKind))
def test_each_kind_is_called_by_its_own_name(kind: EventKind) -> None:
    assert kind_of(kind) == kind


def test_nearer_names_fit_better() -> None:
    """The same, a synonym, a synonym at the end, a slip of the pen, and nothing alike."""
    names = ["user_id", "visitorId", "order_customer_id", "custmer_id", "colour"]

    fits = [name_fit(name, "user_id", COLUMN_WORDS["events"]["user_id"]) for name in names]

    assert fits == [1.0, 0.9, 0.6, 0.5, 0.0]
