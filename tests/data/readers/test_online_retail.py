"""Hand-made invoice lines with every oddity of the published file."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.data.readers.online_retail import to_shop

SCHEMA = {
    "line": pl.Int64,
    "invoice": pl.String,
    "code": pl.String,
    "description": pl.String,
    "quantity": pl.Int64,
    "timestamp": pl.Datetime("us", "UTC"),
    "price": pl.Float64,
    "user_id": pl.String,
    "country": pl.String,
}
JUNE = datetime(2011, 6, 1, 9, 30, tzinfo=UTC)
NOVEMBER = datetime(2011, 11, 5, 9, 30, tzinfo=UTC)


def line(**changes: object) -> dict[str, object]:
    return {
        "invoice": "540001",
        "code": "85123A",
        "description": "WHITE HANGING HEART",
        "quantity": 6,
        "timestamp": JUNE,
        "price": 2.55,
        "user_id": "17850",
        "country": "United Kingdom",
        **changes,
    }


def table(*lines: dict[str, object]) -> pl.DataFrame:
    numbered = [{"line": number, **row} for number, row in enumerate(lines, start=1)]
    return pl.DataFrame(numbered, schema=SCHEMA)


def test_a_kept_line_becomes_a_purchase() -> None:
    events = to_shop(table(line())).tables["events"]

    assert events.to_dicts() == [
        {
            "event": "purchase",
            "user_id": "17850",
            "session_id": "540001",
            "item_id": "85123A",
            "timestamp": JUNE,
            "sequence": 1,
            "price": 2.55,
            "quantity": 6.0,
            "returns_invoice": None,
            "country": "United Kingdom",
        }
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": None}, "invoice, date, quantity or price missing"),
        ({"invoice": None}, "invoice, date, quantity or price missing"),
        ({"quantity": None, "code": "POST"}, "invoice, date, quantity or price missing"),
        ({"price": None}, "invoice, date, quantity or price missing"),
        *[
            ({"code": code}, "no item: postage, fee, voucher or manual entry")
            for code in (
                "POST",
                "m",
                "BANK CHARGES",
                "gift_0001_20",
                "DCGS0003",
                "C2",
                "8512",
                None,
            )
        ],
        (
            {"code": "D", "invoice": "C1", "quantity": -1},
            "no item: postage, fee, voucher or manual entry",
        ),
        ({"quantity": -3, "price": 0.0}, "stock adjustment: nothing sold, no cancellation"),
        ({"quantity": 0}, "stock adjustment: nothing sold, no cancellation"),
        ({"invoice": "C1"}, "cancellation without a negative quantity"),
        ({"price": 0.0}, "price not above zero"),
        ({"price": -11062.06, "user_id": None}, "price not above zero"),
        ({"user_id": None}, "customer missing"),
        (
            {"code": "22222", "invoice": "C1", "quantity": -1},
            "cancellation of an item that no kept line sells",
        ),
    ],
)
def test_the_first_reason_that_fits_leaves_a_line_out(
    changes: dict[str, object], reason: str
) -> None:
    shop = to_shop(table(line(), line(**changes)))

    assert shop.tables["events"].height == 1
    assert shop.left_out.select("line", "reason").rows() == [(2, reason)]


@pytest.mark.parametrize("code", ["85123", "85123A", "84997c", "15056BL"])
def test_five_digits_and_any_letters_are_an_item(code: str) -> None:
    assert to_shop(table(line(code=code))).tables["events"]["item_id"].to_list() == [code.upper()]


def test_codes_that_differ_in_capitals_are_one_item() -> None:
    shop = to_shop(table(line(), line(code="85123a")))

    assert shop.tables["catalogue"]["item_id"].to_list() == ["85123A"]
    assert shop.changed["item code put in capitals"] == 1
    assert shop.found["item codes that differ in capitals only"] == 1


def test_a_cancellation_becomes_a_return_of_its_purchase() -> None:
    later = datetime(2011, 6, 3, tzinfo=UTC)
    shop = to_shop(
        table(
            line(),
            line(invoice="C540100", quantity=-2, timestamp=later),
            line(invoice="C540101", quantity=-5, timestamp=later),  # 4 are left: a part
            line(invoice="C540102", quantity=-1, timestamp=later),  # none is left
        )
    )

    returns = shop.tables["events"].filter(pl.col("event") == "return")
    assert returns.select("session_id", "quantity", "returns_invoice", "timestamp").rows() == [
        ("C540100", 2.0, "540001", later),
        ("C540101", 5.0, "540001", later),
        ("C540102", 1.0, None, later),
    ]
    assert [
        shop.found[f"returns tied to a purchase: {tie}"] for tie in ("whole", "part", "none")
    ] == [
        1,
        1,
        1,
    ]


def test_the_title_is_the_most_frequent_product_name_before_the_test() -> None:
    shop = to_shop(
        table(
            line(description="check"),
            line(description="check"),
            line(description="damaged?"),
            line(description="WHITE  HANGING HEART "),
            line(description="WHITE HANGING HEART"),
            line(description="HEART, WHITE, HANGING"),
            *[line(description="XMAS HEART", timestamp=NOVEMBER)] * 9,
        )
    )

    # WHITE HANGING HEART twice (white space apart), its variant once; the notes name no
    # product, and the nine of November lie in the test.
    assert shop.tables["catalogue"]["title"].to_list() == ["WHITE HANGING HEART"]
    assert shop.found["items with several descriptions"] == 1
    assert shop.changed["white space of the description normalised"] == 1
    assert shop.changed["description replaced by the item's title"] == 2 + 1 + 1 + 9


def test_an_item_with_notes_only_is_named_by_its_note() -> None:
    shop = to_shop(
        table(line(description="Next Day Carriage"), line(code="22222", description=None))
    )

    assert dict(shop.tables["catalogue"].select("item_id", "title").iter_rows()) == {
        "85123A": "Next Day Carriage",
        "22222": None,
    }


def test_an_item_first_sold_in_the_test_takes_its_title_from_there() -> None:
    shop = to_shop(table(line(timestamp=NOVEMBER, description="NEW HEART")))

    assert shop.tables["catalogue"]["title"].to_list() == ["NEW HEART"]


def test_the_price_is_the_first_kept_one_in_time() -> None:
    shop = to_shop(
        table(
            line(price=9.0, timestamp=NOVEMBER),
            line(price=2.55),
            line(price=0.5, user_id=None, timestamp=datetime(2011, 1, 4, tzinfo=UTC)),
        )
    )

    assert shop.tables["catalogue"]["price"].to_list() == [2.55]


def test_repeated_lines_are_counted_and_left_to_prepare() -> None:
    shop = to_shop(table(line(), line(), line(quantity=7)))

    assert shop.tables["events"].height == 3
    assert shop.found["purchase lines that repeat another exactly"] == 1


def test_events_are_in_order_of_time_and_line() -> None:
    shop = to_shop(table(line(timestamp=NOVEMBER), line(), line(invoice="540000")))

    assert shop.tables["events"]["sequence"].to_list() == [2, 3, 1]


odd_lines = st.builds(
    line,
    invoice=st.sampled_from(["540001", "540002", "C540003", "A563186", None]),
    code=st.sampled_from(["85123A", "85123a", "22222", "POST", "m", None]),
    description=st.sampled_from(["WHITE HEART", "WHITE  HEART", "HEART", "?", "check", None]),
    quantity=st.sampled_from([-7, -2, 0, 2, 6, None]),
    timestamp=st.sampled_from([JUNE, NOVEMBER, None]),
    price=st.sampled_from([-1.0, 0.0, 2.55, 4.0, None]),
    user_id=st.sampled_from(["17850", "12346", None]),
)


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(odd_lines, max_size=25))
def test_every_line_is_an_event_or_left_out_never_both(lines: list[dict[str, object]]) -> None:
    shop = to_shop(table(*lines))

    kept = shop.tables["events"]["sequence"].to_list()
    left_out = shop.left_out["line"].to_list()
    assert sorted(kept + left_out) == list(range(1, len(lines) + 1))
    assert shop.left_out["reason"].null_count() == 0
    assert set(shop.tables["events"]["item_id"]) <= set(shop.tables["catalogue"]["item_id"])


@settings(deadline=None)  # a busy machine is no fault
@given(st.lists(odd_lines, max_size=25), st.randoms(use_true_random=False))
def test_the_catalogue_does_not_depend_on_the_order_of_the_file(lines, random) -> None:  # type: ignore[no-untyped-def]
    for row in lines:
        row["price"] = 2.55  # the first price of one minute does depend on it
    shuffled = random.sample(lines, len(lines))

    shop, other = to_shop(table(*lines)), to_shop(table(*shuffled))
    assert shop.tables["catalogue"].equals(other.tables["catalogue"])
