from __future__ import annotations

import pytest
from pydantic import ValidationError

from shelfwise.serving.config import ServeOptions


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_this_machine_is_allowed(host: str) -> None:
    assert ServeOptions(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "shop.example", ""])
def test_any_other_address_is_refused_with_the_reason(host: str) -> None:
    with pytest.raises(ValidationError, match=r"no keys.*use 127\.0\.0\.1"):
        ServeOptions(host=host)


def test_a_request_without_k_is_always_within_the_limit() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 10"):
        ServeOptions(max_k=9)
