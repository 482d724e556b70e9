from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shelfwise.data.batches import examples_of
from shelfwise.data.config import DataOptions
from shelfwise.data.folds import (
    before_test,
    owner_places,
    share_of_training,
    text_fold,
    time_fold,
    user_fold,
)
from shelfwise.data.judged import JUDGED
from shelfwise.data.part_rows import taken_of_parts
from shelfwise.data.prepared import PreparedPairs, PreparedShop
from shelfwise.data.split import LATER
from shelfwise.data.targets import match_targets
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.manifest import Manifest


def owners_of(prepared: PreparedShop, part: str) -> set[int]:
    return set(prepared.requests.filter(part=part)["owner"].to_list())


def times_of(prepared: PreparedShop, part: str) -> tuple[int, int]:
    at = prepared.requests.filter(part=part)["at"]
    return int(at.min()), int(at.max())  # type: ignore[arg-type]  # integers


def test_every_user_is_judged_in_one_fold(prepared_sample: PreparedShop) -> None:
    folds = [user_fold(prepared_sample, 3, fold) for fold in range(3)]

    judged = [owners_of(fold, "test") for fold in folds]
    assert set.union(*judged) == owners_of(prepared_sample, "validation")
    assert sum(map(len, judged)) == len(set.union(*judged))
    for fold, mine in zip(folds, judged, strict=True):
        assert mine
        assert not mine & (owners_of(fold, "train") | owners_of(fold, "validation"))


def test_no_view_reads_the_test_or_the_future(prepared_sample: PreparedShop) -> None:
    end = prepared_sample.moments.test
    views = [
        user_fold(prepared_sample, 2, 0),
        time_fold(prepared_sample, 2, 0),
        time_fold(prepared_sample, 2, 1),
        share_of_training(prepared_sample, 0.5, 0),
    ]
    for view in views:
        train, validation, test = (times_of(view, p) for p in ("train", "validation", "test"))
        assert train[1] < validation[0] <= validation[1] < test[0] <= test[1] < end
        assert view.moments.end <= end
        assert int(taken_of_parts(view, ["train", "validation"])["at"].max()) < test[0]  # type: ignore[arg-type]  # integers


def test_no_view_reads_the_verdicts_of_the_test(prepared_sample: PreparedShop) -> None:
    rows = [(0, 1, 2.0, "train"), (1, 1, 0.0, "validation"), (2, 1, 1.0, "test")]
    shop = replace(prepared_sample, judgements=pl.DataFrame(rows, schema=JUDGED, orient="row"))

    for view in (user_fold(shop, 2, 0), time_fold(shop, 2, 0), share_of_training(shop, 0.5, 0)):
        assert view.judgements.rows() == [(0, 1, 2.0, "train"), (1, 1, 0.0, "test")]


def test_time_folds_stand_one_after_the_other(prepared_sample: PreparedShop) -> None:
    first, validation, test, _ = prepared_sample.moments
    length = test - validation

    early, late = (time_fold(prepared_sample, 2, fold).moments for fold in range(2))

    assert late == (first, validation - length, validation, test)
    assert early == (first, validation - 2 * length, validation - length, validation)


def test_more_folds_by_time_than_there_is_time(prepared_sample: PreparedShop) -> None:
    with pytest.raises(ConfigError, match="leaves room for"):
        time_fold(prepared_sample, 100, 0)


def test_smaller_shares_lie_inside_larger_ones(prepared_sample: PreparedShop) -> None:
    some, more, all_of_it = (
        share_of_training(prepared_sample, share, 1) for share in (0.3, 0.6, 1.0)
    )

    assert owners_of(some, "train") < owners_of(more, "train") < owners_of(all_of_it, "train")
    assert len(examples_of(some, ["test"])) == len(examples_of(all_of_it, ["test"])) > 0
    # 120 shoppers, 60 % of them: 72 expected, 4 standard deviations are 21.
    kept = (owner_places(prepared_sample, "share-1") < 0.6).sum()
    assert abs(kept - 0.6 * len(prepared_sample.owners)) < 21


def test_targets_of_a_fold_are_of_its_own_users(prepared_sample: PreparedShop) -> None:
    folds = [user_fold(prepared_sample, 2, fold) for fold in range(2)]
    whole = share_of_training(prepared_sample, 1.0, 0)

    asked = [set(match_targets(fold, "test").owner_T.tolist()) for fold in folds]
    assert asked[0].isdisjoint(asked[1])
    assert asked[0] | asked[1] == set(match_targets(whole, "test").owner_T.tolist())
    stopping = set(match_targets(folds[0], "validation").owner_T.tolist())
    assert stopping
    assert stopping.isdisjoint(asked[0])


def test_a_view_has_a_fingerprint_of_its_own(prepared_sample: PreparedShop) -> None:
    views = [user_fold(prepared_sample, 2, fold) for fold in range(2)]

    prints = {view.manifest.data_fingerprint for view in (*views, prepared_sample)}
    assert len(prints) == 3
    same = user_fold(prepared_sample, 2, 0).manifest.data_fingerprint
    assert same == views[0].manifest.data_fingerprint


def test_where_requests_are_parted_users_take_turns(prepared_sample: PreparedShop) -> None:
    # As leave-last-out would part them: every tenth request is the test, every seventh validation.
    number = pl.int_range(pl.len())
    part = pl.when(number % 10 == 0).then(pl.lit("test"))
    part = part.when(number % 7 == 0).then(pl.lit("validation")).otherwise(pl.lit("train"))
    options = prepared_sample.options.model_validate(
        {
            **prepared_sample.options.model_dump(),
            "split": {"kind": "leave_last_out"},
            "match": {"target": "next"},
        }
    )
    shop = replace(
        prepared_sample,
        options=options,
        requests=prepared_sample.requests.with_columns(part.alias("part")),
    )

    fold, share = user_fold(shop, 2, 0), share_of_training(shop, 0.5, 0)

    was = shop.requests["part"].to_numpy()
    for view in (fold, share):
        now = view.requests["part"].to_numpy()
        assert set(was[now == "test"]) == {"validation"}
        assert set(now[was == "test"]) == {"later"}
        assert np.isin(now[now == "train"], was).all()
    assert not owners_of(fold, "test") & owners_of(fold, "train")
    assert not owners_of(share, "test") & owners_of(share, "validation")
    with pytest.raises(ConfigError, match="folds by user"):
        time_fold(shop, 2, 0)


def test_copies_of_a_text_go_together_and_the_test_is_left_out() -> None:
    texts = [f"text {number % 200}" for number in range(600)]
    part = ["test" if number % 200 < 40 else "train" for number in range(600)]
    rows = pl.DataFrame({"text": texts, "label": [n % 2 for n in range(600)], "part": part})
    manifest = Manifest(
        format_version=1,
        kind="prepared",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        shelfwise_version="0",
        seed=0,
        data_fingerprint="f",
        facts={},
        versions={},
        sha256={},
    )
    pairs = PreparedPairs(Path(), DataOptions(), manifest, ("a", "b"), rows)

    folds = [text_fold(pairs, 4, fold) for fold in range(4)]

    judged: list[str] = []
    for fold in folds:
        assert len(fold.rows) == 480
        assert fold.rows.group_by("text").agg(pl.col("part").n_unique())["part"].max() == 1
        assert {"train", "validation", "test"} == set(fold.rows["part"])
        judged += fold.rows.filter(part="test")["text"].unique().to_list()
    assert sorted(judged) == sorted(rows.filter(part="train")["text"].unique())


def test_before_the_test_nothing_of_it_is_in_any_part(prepared_sample: PreparedShop) -> None:
    whole = before_test(prepared_sample)
    before, after = prepared_sample.requests["part"], whole.requests["part"]
    assert not after.is_in(["test"]).any()
    assert after.filter(before == "test").unique().to_list() == [LATER]
    assert after.filter(before != "test").equals(before.filter(before != "test"))
    assert whole.moments.end == prepared_sample.moments.test
    assert "test" not in whole.judgements["part"]
    assert whole.manifest.data_fingerprint != prepared_sample.manifest.data_fingerprint


def test_a_share_of_the_users_is_learned_from_and_everybody_judges(
    prepared_sample: PreparedShop,
) -> None:
    whole = before_test(prepared_sample)
    third, two = before_test(prepared_sample, 1 / 3), before_test(prepared_sample, 2 / 3)
    assert owners_of(third, "train") < owners_of(two, "train") < owners_of(whole, "train")
    assert owners_of(third, "validation") == owners_of(whole, "validation")
    share = len(owners_of(third, "train")) / len(owners_of(whole, "train"))
    assert 0.2 < share < 0.47  # of some 100 users


def test_folds_before_the_test_judge_users_they_have_not_learned_from(
    prepared_sample: PreparedShop,
) -> None:
    whole = before_test(prepared_sample)
    folds = [before_test(prepared_sample, fold=(fold, 3)) for fold in range(3)]
    judged = [owners_of(view, "validation") for view in folds]
    for view, users in zip(folds, judged, strict=True):
        assert not users & owners_of(view, "train")
    assert set.union(*judged) == owners_of(whole, "validation")
    assert sum(map(len, judged)) == len(set.union(*judged))
