"""A system that fails is a row with its reason; hours of the others are not lost with it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shelfwise.schema.errors import ShelfwiseError


@contextmanager
def counted_as_failed(fail: Callable[[str, str], None], system: str) -> Iterator[None]:
    """Tell ``fail`` of the system's error; one that we did not foresee is shown whole as well."""
    try:
        yield
    except ShelfwiseError as error:
        fail(system, str(error))
    except Exception as error:
        traceback.print_exc()
        fail(system, f"{type(error).__name__}: {error}")
