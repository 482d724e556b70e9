"""What a search for better settings may try, written beside the option that it is of.

``learning_rate: Annotated[PositiveFloat, Span(2e-4, 1e-2, log=True)] = 2e-3`` says that a search
looks between the two, in powers.
"""

from __future__ import annotations

from dataclasses import dataclass

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Span:
    """Any number from ``low`` to ``high``, both included; a whole one where both are ``int``."""

    low: float
    high: float
    log: bool = False  # steps are factors, as for rates

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must lie below high ({self.high:g})")
        if self.log and self.low <= 0:
            raise ValueError(f"low ({self.low:g}) must lie above 0 where log is on")

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: object) -> bool:
        """Whether a value can be drawn."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.low <= value <= self.high and (not self.is_whole or value == int(value))


@dataclass(frozen=True, slots=True)
class Pick:
    """One of a few values; on a union of kinds, one of the kinds."""

    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 2 or len(set(map(repr, self.values))) < len(self.values):
            raise ValueError(f"two values or more are needed, each once, found {self.values}")

    @property
    def is_ordered(self) -> bool:
        """Whether the values are numbers in rising order, so that neighbours are alike."""
        numbers = [value for value in self.values if type(value) in (int, float)]
        return len(numbers) == len(self.values) and numbers == sorted(numbers)

    def holds(self, value: object) -> bool:
        """Whether a value can be drawn."""
        return any(type(value) is type(one) and value == one for one in self.values)


Dimension = Span | Pick
