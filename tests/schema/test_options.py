from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, PositiveInt, ValidationError

from shelfwise.schema.options import Options, explain, models_in


class Round(Options):
    shape: Literal["round"] = "round"
    radius: PositiveInt = 1


class Square(Options):
    shape: Literal["square"] = "square"
    length: PositiveInt = 1
    width: PositiveInt = 1


class Table(Options):
    top: Annotated[Round | Square, Field(discriminator="shape")] = Round()
    spare: Round | None = None
    legs: PositiveInt = 4
    weight: float = 1.0
    names: Mapping[str, int] = Field(default_factory=dict)


def problems(**raw: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        Table.model_validate(raw)
    return explain(caught.value, Table)


def test_options_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Table().legs = 3  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("endless", [float("nan"), float("inf")])
def test_numbers_are_finite(endless: float) -> None:
    assert problems(weight=endless) == [
        f"  weight: Input should be a finite number (found {endless})"
    ]


def test_everything_wrong_is_told_at_once_with_what_was_found() -> None:
    assert problems(legs=0, lags=3, names={"a": "x"}) == [
        "  legs: Input should be greater than 0 (found 0)",
        "  names.a: Input should be a valid integer, unable to parse string as an integer "
        "(found 'x')",
        "  lags: unknown option; did you mean legs?",
    ]


def test_a_name_like_no_other_gets_no_guess() -> None:
    assert problems(colour=1) == ["  colour: unknown option"]


def test_the_guess_comes_from_the_kind_that_was_chosen() -> None:
    # A Round has no width, however like a Square's the misspelt name is.
    assert problems(top={"shape": "square", "widht": 2}) == [
        "  top.square.widht: unknown option; did you mean width?"
    ]
    assert problems(top={"shape": "round", "widht": 2}) == ["  top.round.widht: unknown option"]


def test_the_guess_reaches_into_optional_sections() -> None:
    assert problems(spare={"radios": 2}) == ["  spare.radios: unknown option; did you mean radius?"]


def test_a_union_without_its_tag_says_which_there_are() -> None:
    assert problems(top={"radius": 2}) == ["  top: shape must be given too: one of round, square"]


def test_an_unknown_tag_names_the_known_ones() -> None:
    (line,) = problems(top={"shape": "oval"})

    assert line.startswith("  top: ")
    assert "'oval'" in line
    assert "'round', 'square'" in line


def test_models_in_annotations() -> None:
    assert models_in(Annotated[Round | Square, Field(discriminator="shape")]) == [Round, Square]
    assert models_in(tuple[Round, ...] | None) == [Round]
    assert models_in(Mapping[str, int]) == []
    assert models_in(Literal["round"]) == []
