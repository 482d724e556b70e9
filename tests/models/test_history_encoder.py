from __future__ import annotations

import pytest
import torch

from shelfwise.models.history_encoder import (
    AGE_BUCKETS,
    PLACES,
    age_bucket,
    places_from_end,
    weighted_mean,
)


@pytest.mark.parametrize(
    ("hours", "bucket"),
    # Bucket b holds [2^(b-4), 2^(b-3)) hours: 1/16 h is the first edge, 1 h begins bucket 4,
    # a day (16 to 32) is bucket 8, the last begins at 2^11 = 2048 hours and is open.
    [
        (0, 0), (-5, 0), (1 / 16, 0), (0.1249, 0), (0.125, 1), (0.99, 3), (1, 4), (1.99, 4), (2, 5),
        (24, 8), (2047, 14), (2048, 15), (1e6, 15),
    ],
)  # fmt: skip
def test_age_buckets_by_hand(hours: float, bucket: int) -> None:
    assert age_bucket(torch.tensor([hours])).tolist() == [bucket]
    assert AGE_BUCKETS == 16


def test_places_count_from_the_end() -> None:
    assert places_from_end(torch.zeros(2, 3)).tolist() == [2, 1, 0]
    long = places_from_end(torch.zeros(1, PLACES + 3)).tolist()
    assert long[:4] == [PLACES - 1] * 4
    assert long[-2:] == [1, 0]


def test_a_weighted_mean_by_hand() -> None:
    # Row 0: logits log 3 and 0 give weights 3/4 and 1/4; the third event does not count.
    # Row 1: nothing counts.
    vectors = torch.tensor([[[4.0, 0.0], [0.0, 8.0], [100.0, 100.0]]]).repeat(2, 1, 1)
    logits = torch.tensor([[3.0, 1.0, 50.0]]).log().repeat(2, 1)
    among = torch.tensor([[True, True, False], [False, False, False]])

    found = weighted_mean(vectors, logits, among)

    torch.testing.assert_close(found, torch.tensor([[3.0, 2.0], [0.0, 0.0]]))
