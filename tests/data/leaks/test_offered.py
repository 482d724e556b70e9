"""Every configured feature is laid beside what came of the impressions; a shop that leaks stops."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from data.small_log import event, prepared_shop
from shelfwise.data.features.options import FeatureOptions
from shelfwise.data.leaks.offered import offered_features
from shelfwise.schema.errors import DataError

from .planted import IMPRESSIONS, ITEMS, REQUESTS, made

FEATURES = FeatureOptions(
    events={"device": "category"}, items={"weight": "number"}, users={"age": "number"}
)


def test_features_of_all_tables_beside_clicks_and_purchases() -> None:
    asked = made().asked._replace(
        requests=REQUESTS.with_columns(device=pl.Series(["phone", "desk", "desk"])),
        items=ITEMS.with_columns(weight=pl.Series(["1.5", "2", "3", "heavy"])),
    )
    users = pl.DataFrame({"owner": [1], "age": [40.0]})

    (offered,) = offered_features(asked, users, FEATURES)

    assert offered.features == ("events.device", "items.weight", "users.age")
    assert offered.labels == ("clicked", "purchased")
    assert sorted(offered.rows.select(*offered.labels, *offered.features).rows(), key=str) == [
        (False, None, "desk", 2.0, 40.0),
        (True, False, "phone", 2.0, None),
        (True, True, "phone", 3.0, None),
    ]


def test_without_features_or_impressions_nothing_is_offered() -> None:
    asked = made().asked
    nobody = pl.DataFrame({"owner": []}, schema={"owner": pl.Int64})

    assert offered_features(asked, nobody, FeatureOptions()) == ()
    assert offered_features(asked._replace(impressions=IMPRESSIONS.clear()), nobody, FEATURES) == ()


@pytest.mark.parametrize("leaks", [False, True])
def test_a_shop_whose_log_tells_the_outcome_beforehand_is_not_prepared(
    tmp_path: Path, leaks: bool
) -> None:
    rows = [event("view", "u0", 0, "i0"), event("view", "u0", 99, "i0")]
    for number in range(120):
        clicked = number % 3 == 0
        # What was spent afterwards stands beside the impression, or else the size of the screen.
        told = 9.5 * clicked if leaks else number % 7
        named = {"request_id": f"r{number}", "position": 1}
        rows.append(event("impression", f"u{number % 5}", number / 2, "i1", spent=told, **named))
        if clicked:
            rows.append(event("click", f"u{number % 5}", number / 2 + 0.1, "i1", **named))
    options = {"features": {"events": {"spent": "number"}}}
    if not leaks:
        assert len(prepared_shop(tmp_path, rows, **options).impressions) == 120
        return

    with pytest.raises(DataError, match=r"'events\.spent' tells 'clicked' by itself \(AUC 1\.0000"):
        prepared_shop(tmp_path, rows, **options)
    assert not (tmp_path / "prepared").exists()
