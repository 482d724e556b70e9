"""Hand-made rows of two policies' logs; the files as the publisher lays them out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from data.readers.as_read import as_read, said

from shelfwise.data.readers import open_bandit
from shelfwise.data.readers.open_bandit import CARD, COLUMNS, ITEM_COLUMNS, to_shop
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.schema.errors import DataError

AT = datetime(2019, 11, 24, 0, 0, 17, 4101, tzinfo=UTC)


def row(**changes: object) -> dict[str, object]:
    return {
        **{"timestamp": AT, "item": 3, "position": 2, "clicked": 0, "propensity": 0.25},
        **{f"user_feature_{number}": f"u{number}" for number in range(4)},
        **{"affinity_2": 0.0, "affinity_3": 1.0},
        **changes,
    }


def item(**changes: object) -> dict[str, object]:
    return {
        **{"item": 3, "item_feature_0": -0.5},
        **{f"item_feature_{number}": f"h{number}" for number in (1, 2, 3)},
        **changes,
    }


def log(policy: str, campaign: str, table: pl.DataFrame) -> pl.DataFrame:
    return table.select(
        pl.lit(policy).alias("policy"), pl.lit(campaign).alias("campaign"), pl.all()
    )


def rows(*made: dict[str, object], policy: str = "bts", campaign: str = "men") -> pl.DataFrame:
    return log(policy, campaign, as_read(COLUMNS, *made))


def items(*made: dict[str, object], policy: str = "bts", campaign: str = "men") -> pl.DataFrame:
    return log(policy, campaign, as_read(ITEM_COLUMNS, *made))


def test_a_row_is_a_visit_of_its_own() -> None:
    shop = to_shop(rows(row(), row(clicked=1)), items(item()))

    first = {"session_id": "bts/men/1", "request_id": "bts/men/1"}
    second = {"session_id": "bts/men/2", "request_id": "bts/men/2"}
    tie = {"item_id": "men-3", "timestamp": AT, "surface": "recommendation"}
    source = {"policy": "bts", "campaign": "men"}
    told = {"position": 2, "propensity": 0.25, "affinity": 1.0}
    told |= {f"user_feature_{number}": f"u{number}" for number in range(4)}
    assert said(shop.tables["events"]) == [
        {"event": "impression", **first, **tie, **source, **told},
        {"event": "impression", **second, **tie, **source, **told},
        {"event": "click", **second, **tie, **source},
    ]
    assert (shop.kept, shop.found["clicks"]) == ({"impression": 2}, 1)


def test_policies_and_campaigns_stay_apart() -> None:
    shop = to_shop(
        pl.concat(
            [
                rows(row(), policy="random", campaign="all"),
                rows(row(), policy="random", campaign="men"),
                rows(row(clicked=1), policy="bts", campaign="men"),
            ]
        ),
        pl.concat([items(item(), campaign="all"), items(item(), campaign="men")]),
    )

    events = shop.tables["events"]
    assert events.select("policy", "campaign", "item_id", "request_id").rows() == [
        ("bts", "men", "men-3", "bts/men/1"),
        ("bts", "men", "men-3", "bts/men/1"),
        ("random", "all", "all-3", "random/all/1"),
        ("random", "men", "men-3", "random/men/1"),
    ]
    assert shop.tables["catalogue"]["item_id"].to_list() == ["all-3", "men-3"]
    assert shop.found["clicks of the policy bts, campaign men"] == 1
    assert shop.found["clicks of the policy random, campaign men"] == 0


def test_the_affinity_is_that_to_the_item_shown() -> None:
    # The second visitor likes item 2 and is shown item 3.
    shop = to_shop(rows(row(), row(affinity_2=4.0, affinity_3=0.0)), items(item()))

    assert shop.tables["events"]["affinity"].to_list() == [1.0, 0.0]
    assert shop.found["rows with an affinity to an item not shown there, left out"] == 1


def test_items_are_described_by_the_random_copy() -> None:
    described = pl.concat([items(item(item_feature_1="other")), items(item(), policy="random")])

    (made,) = to_shop(rows(row()), described).tables["catalogue"].to_dicts()

    assert made == {
        **{"item_id": "men-3", "domain": "men", "item_feature_0": -0.5},
        **{"item_feature_1": "h1", "item_feature_2": "h2", "item_feature_3": "h3"},
    }


def test_other_hashes_are_no_contradiction_but_another_grouping_is() -> None:
    # Random says that items 1 and 2 share a feature; so does a copy under other hashes. A copy in
    # which 2 goes with 3 contradicts it about item 2 (alike: 1, 1, 3 against 1, 2, 2) and 3.
    def copy(policy: str, *hashes: str) -> pl.DataFrame:
        made = (item(item=n, item_feature_1=h) for n, h in enumerate(hashes, start=1))
        return items(*made, policy=policy)

    shown = rows(row(item=1))
    found = "items that the policies' copies describe differently"
    renamed = pl.concat([copy("random", "x", "x", "y"), copy("bts", "p", "p", "q")])
    regrouped = pl.concat([copy("random", "x", "x", "y"), copy("bts", "p", "q", "q")])

    assert to_shop(shown, renamed).found[found] == 0
    assert to_shop(shown, regrouped).found[found] == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timestamp": None}, "time, item or position missing"),
        ({"item": None}, "time, item or position missing"),
        ({"clicked": None}, "click not said"),
        ({"propensity": 0.0}, "propensity not within (0, 1]"),
        ({"propensity": 1.5}, "propensity not within (0, 1]"),
        ({"propensity": None}, "propensity not within (0, 1]"),
    ],
)
def test_rows_left_out_say_which_log_and_why(changes: dict[str, object], reason: str) -> None:
    shop = to_shop(rows(row(propensity=1.0), row(**changes)), items(item()))

    assert shop.kept == {"impression": 1}
    left_out = shop.left_out.select("policy", "campaign", "line", "reason")
    assert left_out.rows() == [("bts", "men", 2, reason)]


def test_logs_that_are_there_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "open_bandit_dataset" / "random" / "women"
    folder.mkdir(parents=True)
    features = ",".join(f"user_feature_{number}" for number in range(4))
    (folder / "women.csv").write_text(
        f",timestamp,item_id,position,click,propensity_score,{features},user-item_affinity_0\n"
        "0,2019-11-24 00:00:17.004101+00:00,0,1,1,0.5,a,b,c,d,2.0\n"
    )
    (folder / "item_context.csv").write_text(
        ",item_id,item_feature_0,item_feature_1,item_feature_2,item_feature_3\n0,0,-0.5,x,y,z\n"
    )

    count, shop = open_bandit.read(PublishedFolder(CARD, tmp_path))

    assert (count, shop.kept, shop.found["clicks"]) == (1, {"impression": 1}, 1)
    assert shop.tables["events"].select("timestamp", "affinity").row(0) == (AT, 2.0)


def test_a_folder_without_any_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"needs logs like random/all/all\.csv.*zozo"):
        open_bandit.read(PublishedFolder(CARD, tmp_path))
