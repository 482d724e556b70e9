from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.losses.effective_number_weights import effective_number_weights


def test_weights_by_hand() -> None:
    # beta 1/2: E(1) = 1, E(2) = 1 + 1/2, so raw weights 1 and 2/3; mean over the three rows
    # (1 * 1 + 2 * 2/3) / 3 = 7/9, so 9/7 and 6/7.
    weight = effective_number_weights(torch.tensor([1, 2]), beta=0.5)

    assert weight.tolist() == pytest.approx([9 / 7, 6 / 7])


def test_beta_0_weighs_all_alike_and_beta_near_1_by_frequency() -> None:
    count = torch.tensor([1, 10, 100])

    assert effective_number_weights(count, beta=0).tolist() == [1, 1, 1]
    # 1/n, scaled: the rows' mean is 3 classes / 111 rows before scaling.
    assert effective_number_weights(count, beta=1 - 1e-12).tolist() == pytest.approx(
        [37, 3.7, 0.37], rel=1e-3
    )


def test_a_class_without_rows_is_weighted_like_one_with_a_single_row() -> None:
    weight = effective_number_weights(torch.tensor([0, 1, 50]))

    assert weight[0] == weight[1]
    assert effective_number_weights(torch.tensor([0, 0])).tolist() == [1, 1]


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any),
    st.floats(0, 1, exclude_max=True),
)
def test_mean_over_rows_is_1_and_rarer_is_heavier(counts: list[int], beta: float) -> None:
    count = torch.tensor(counts)
    weight = effective_number_weights(count, beta)

    assert (count * weight.double()).sum().item() == pytest.approx(sum(counts), rel=1e-6)
    assert (weight[count.argsort()].diff() <= 1e-6 * weight.max()).all()


def test_what_is_no_beta_or_count_is_refused() -> None:
    with pytest.raises(ValueError, match=r"beta in \[0, 1\), got 1"):
        effective_number_weights(torch.tensor([1]), beta=1.0)
    with pytest.raises(ValueError, match="0 or more, got -2"):
        effective_number_weights(torch.tensor([1, -2]))
