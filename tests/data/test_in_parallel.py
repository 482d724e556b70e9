"""Parts worked on together come out in their order, and an error reaches who asked."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from shelfwise.data.in_parallel import ahead, each


def slow_when_small(number: int) -> int:
    time.sleep(0.02 if number % 3 == 0 else 0)
    return number * number


def test_results_stand_in_the_order_of_the_parts() -> None:
    assert list(each(slow_when_small, range(20))) == [n * n for n in range(20)]
    assert list(ahead(iter(range(20)))) == list(range(20))
    assert list(each(slow_when_small, [])) == []
    assert list(ahead([])) == []


def test_no_more_parts_are_asked_for_than_workers_hold() -> None:
    asked: list[int] = []

    def parts() -> Iterator[int]:
        for number in range(10):
            asked.append(number)
            yield number

    results = each(slow_when_small, parts(), workers=2)
    next(results)

    assert asked == [0, 1]


def test_an_error_of_the_work_or_of_the_parts_is_raised() -> None:
    def broken(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    def parts() -> Iterator[int]:
        yield 1
        raise ValueError("no more")

    with pytest.raises(ValueError, match="three"):
        list(each(broken, range(9)))
    with pytest.raises(ValueError, match="no more"):
        list(each(broken, parts()))
    with pytest.raises(ValueError, match="no more"):
        list(ahead(parts()))
