from __future__ import annotations

from collections.abc import Callable
from math import log

import pytest
import torch
from torch.autograd import gradcheck

from shelfwise.losses.entire_space import LossTerms, RowUse, clicked_only_loss, entire_space_loss


def test_two_rows_by_hand() -> None:
    # All logits 0, so p_click = p_convert = 1/2 and P(bought) = 1/4.
    #   row 0, clicked and bought: click term log 2, purchase term log 4
    #   row 1, ignored:            click term log 2, purchase term -log(1 - 1/4) = log(4/3)
    zeros = torch.zeros(2)
    seen = torch.tensor([1.0, 0.0])

    terms = entire_space_loss(zeros, zeros, clicked_B=seen, purchased_B=seen, purchase_weight=0.5)

    click, purchase = log(2), (log(4) + log(4 / 3)) / 2
    assert terms.click.item() == pytest.approx(click)
    assert terms.purchase.item() == pytest.approx(purchase)
    assert terms.total.item() == pytest.approx(click + 0.5 * purchase)


def test_weights_and_unknown_purchases_by_hand() -> None:
    # As above with a third row, clicked, weight 4, whose purchase window is open. Weights 1, 3, 4.
    #   click logit of row 2 is log 3, so p_click = 3/4: click term log(4/3)
    #   click    (1 * log 2 + 3 * log 2 + 4 * log(4/3)) / 8
    #   purchase (1 * log 4 + 3 * log(4/3)) / 4: row 2 is in neither sum
    click_logit = torch.tensor([0.0, 0.0, log(3)])
    use = RowUse(torch.tensor([1.0, 3.0, 4.0]), torch.tensor([1.0, 1.0, 0.0]))

    terms = entire_space_loss(
        click_logit,
        torch.zeros(3),
        clicked_B=torch.tensor([1.0, 0.0, 1.0]),
        purchased_B=torch.tensor([1.0, 0.0, float("nan")]),
        use=use,
    )

    assert terms.click.item() == pytest.approx((4 * log(2) + 4 * log(4 / 3)) / 8)
    assert terms.purchase.item() == pytest.approx((log(4) + 3 * log(4 / 3)) / 4)


def test_unclicked_rows_still_teach_the_conversion_head() -> None:
    convert_logit = torch.zeros(1, requires_grad=True)
    none = torch.zeros(1)

    entire_space_loss(torch.zeros(1), convert_logit, none, none).total.backward()

    # d/dz of -log(1 - sigmoid(z)/2) at z = 0 is (1/2 * 1/4) / (3/4) = 1/6.
    assert convert_logit.grad is not None
    assert convert_logit.grad.item() == pytest.approx(1 / 6)


def test_an_open_window_teaches_the_click_head_alone() -> None:
    click_logit = torch.zeros(1, requires_grad=True)
    convert_logit = torch.zeros(1, requires_grad=True)
    unknown = RowUse(arrived_B=torch.tensor([0.0]))

    terms = entire_space_loss(
        click_logit, convert_logit, torch.ones(1), torch.zeros(1), use=unknown
    )
    terms.total.backward()

    assert terms.purchase.item() == 0
    assert convert_logit.grad is not None
    assert convert_logit.grad.item() == 0
    assert click_logit.grad is not None
    assert click_logit.grad.item() == pytest.approx(-1 / 2)  # sigmoid(0) - 1


def test_a_purchase_that_may_still_come_by_hand() -> None:
    # All logits 0: P(bought) = 1/4, of which three fifths have come by the rows' age.
    #   row 0, bought:     -log(1/4), and log(3/5), which teaches nothing, is left out
    #   row 1, not bought: -log(1 - 3/5 * 1/4) = -log(17/20)
    zeros = torch.zeros(2)
    use = RowUse(arrived_B=torch.tensor([0.6, 0.6]))

    bought = torch.tensor([1.0, 0.0])
    terms = entire_space_loss(zeros, zeros, torch.ones(2), bought, use=use)

    assert terms.purchase.item() == pytest.approx((log(4) - log(17 / 20)) / 2)


def test_open_windows_teach_the_same_rate_as_closed_ones() -> None:
    # 1,000 clicked rows of P(purchase) = .3, of whose purchases 40 % have come: 120 are seen. The
    # likelihood is highest at 120 / (1000 * .4) = .3, where its gradient vanishes.
    logit = torch.full((1000,), log(0.3 / 0.7), dtype=torch.float64, requires_grad=True)
    seen = torch.zeros(1000)
    seen[:120] = 1
    use = RowUse(arrived_B=torch.full((1000,), 0.4))

    certain = torch.full((1000,), 50.0, dtype=torch.float64)
    for loss in (entire_space_loss, clicked_only_loss):
        terms = loss(certain, logit, torch.ones(1000), seen, use=use)
        (gradient,) = torch.autograd.grad(terms.purchase, logit)
        assert gradient.sum().item() == pytest.approx(0, abs=1e-7)
    # Where what is seen is taken for all there is, the rate is pulled down to .12.
    terms = clicked_only_loss(certain, logit, torch.ones(1000), seen)
    (gradient,) = torch.autograd.grad(terms.purchase, logit)
    assert gradient.sum().item() == pytest.approx(0.3 - 0.12)


def test_clicked_only_by_hand() -> None:
    # Convert logit 0. Row 0 clicked and bought, row 1 clicked, row 2 ignored; weights 1, 2, 5:
    # (1 * log 2 + 2 * log 2) / 3, whatever the third row says.
    logit = torch.tensor([0.0, 0.0, 9.0], requires_grad=True)
    clicked, bought = torch.tensor([1.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0])
    use = RowUse(torch.tensor([1.0, 2.0, 5.0]))

    terms = clicked_only_loss(torch.zeros(3), logit, clicked, bought, use=use, purchase_weight=2.0)
    terms.total.backward()

    assert terms.click.item() == pytest.approx(log(2))
    assert terms.purchase.item() == pytest.approx(log(2))
    assert terms.total.item() == pytest.approx(3 * log(2))
    assert logit.grad is not None
    assert logit.grad.tolist() == pytest.approx([-1 / 3, 2 / 3, 0])  # 2 * w / 3 * (1/2 - label)


@pytest.mark.parametrize("logit", [-200.0, 200.0])
@pytest.mark.parametrize("arrived", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("loss", [entire_space_loss, clicked_only_loss])
def test_stays_finite_when_the_heads_are_certain(
    logit: float, arrived: float, loss: Callable[..., LossTerms]
) -> None:
    click_logit = torch.full((2,), logit, requires_grad=True)
    labels = torch.tensor([0.0, 1.0])

    use = RowUse(arrived_B=torch.full((2,), arrived))
    terms = loss(click_logit, click_logit, labels, labels, use=use)
    terms.total.backward()

    assert torch.isfinite(terms.total)
    assert click_logit.grad is not None
    assert torch.isfinite(click_logit.grad).all()


def test_gradient_is_that_of_the_value() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 6, dtype=torch.float64, generator=generator, requires_grad=True)
    clicked = torch.tensor([1.0, 1, 1, 0, 0, 1], dtype=torch.float64)
    bought = torch.tensor([1.0, 0, 0, 0, 0, 1], dtype=torch.float64)
    use = RowUse(torch.tensor([1.0, 2, 0, 1, 3, 1]), torch.tensor([1.0, 0.3, 1.0, 0.5, 0.0, 1.0]))

    assert gradcheck(
        lambda both: entire_space_loss(both[0], both[1], clicked, bought, use=use).total, logits
    )


def test_bfloat16_logits_are_summed_in_float32() -> None:
    zeros = torch.zeros(2, dtype=torch.bfloat16)
    labels = torch.tensor([0.0, 1.0])

    terms = entire_space_loss(zeros, zeros, labels, labels)

    assert terms.total.dtype == torch.float32
    assert terms.click.item() == pytest.approx(log(2))
