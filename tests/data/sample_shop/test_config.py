from __future__ import annotations

import pytest
from pydantic import ValidationError

from shelfwise.data.sample_shop.config import SampleOptions


def test_a_shop_nobody_visits_is_refused() -> None:
    # 20 * .5 * 10 / 30 = 3.3
    with pytest.raises(ValidationError, match="gives 3 visits; at least 40 make a log"):
        SampleOptions(users=20, visits_per_month=0.5, days=10)


def test_a_start_without_zone_is_utc() -> None:
    options = SampleOptions.model_validate({"start": "2025-03-01T00:00:00"})

    assert options.start.isoformat() == "2025-03-01T00:00:00+00:00"


def test_two_domains_need_items_enough_in_each_language() -> None:
    with pytest.raises(ValidationError, match="items \\(500\\) must be at least 600"):
        SampleOptions(items=500, domains=2, language="both")
