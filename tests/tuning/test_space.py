from __future__ import annotations

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from shelfwise.config import ShopConfig, validated
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.options import Options
from shelfwise.schema.search import Pick, Span
from shelfwise.tuning.searched import axes_of, fixed_settings, searched_space
from shelfwise.tuning.space import Axis, Space


class Plain(Options):
    kind: Literal["plain"] = "plain"


class Rich(Options):
    kind: Literal["rich"] = "rich"
    depth: Annotated[int, Span(1, 3)] = 2


class Richer(Options):
    kind: Literal["richer"] = "richer"
    depth: Annotated[int, Span(2, 9)] = 4


class Cake(Options):
    layers: Annotated[
        Annotated[Plain | Rich | Richer, Field(discriminator="kind")],
        Pick(("plain", "rich", "richer")),
    ] = Plain()
    heat: Annotated[float, Span(0.001, 1.0, log=True)] = 0.1
    size: Annotated[int, Pick((16, 32, 64))] = 32
    label: str = "not searched"


CAKE = searched_space(Cake(), ["layers", "heat", "size"])


def test_options_with_a_dimension_are_axes_and_each_kind_has_its_own() -> None:
    assert [axis.name for axis in axes_of(Cake())] == [
        "layers.kind",
        "layers.depth@rich",
        "layers.depth@richer",
        "heat",
        "size",
    ]
    depth = axes_of(Cake())[1]
    assert (depth.path, depth.dimension, depth.default) == ("layers.depth", Span(1, 3), 2)
    assert depth.when == (("layers.kind", "rich"),)


def test_what_is_searched_from_stands_in_the_axes() -> None:
    base = Cake(layers=Rich(depth=3), heat=0.5)
    found = {axis.name: axis.default for axis in axes_of(base)}
    assert found["layers.kind"] == "rich"
    assert found["layers.depth@rich"] == 3
    assert found["layers.depth@richer"] == 4  # its own, where another kind stands
    assert searched_space(base, ["layers", "heat"]).defaults() == {
        "layers.kind": "rich",
        "layers.depth@rich": 3,
        "heat": 0.5,
    }


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_every_point_of_the_cube_is_a_setting_that_holds(point: list[float]) -> None:
    params = CAKE.at(point)
    kind = params["layers.kind"]
    expected = {"layers.kind", "heat", "size"} | (
        set() if kind == "plain" else {f"layers.depth@{kind}"}
    )
    assert params.keys() == expected
    dimensions = {axis.name: axis.dimension for axis in CAKE.axes}
    assert all(dimensions[name].holds(value) for name, value in params.items())
    assert CAKE.decoded(CAKE.coded(params)) == params


def test_points_of_the_cube_by_hand() -> None:
    # heat: .001 * 1000 ** (2/3) = .1; size: int(.5 * 3) = 1, the middle; depth: int(1 + .99 * 3).
    params = CAKE.at([0.5, 0.99, 0.0, 2 / 3, 0.5])
    assert params["layers.kind"] == "rich"
    assert params["layers.depth@rich"] == 3
    assert params["heat"] == pytest.approx(0.1)
    assert params["size"] == 32


def test_what_is_drawn_is_short_and_what_is_searched_from_stays_as_it_is() -> None:
    space = searched_space(Cake(heat=0.123456789), ["heat"])
    assert space.decoded(space.coded(space.defaults())) == {"heat": 0.123456789}
    assert space.decoded({"heat": 0.0123456789}) == {"heat": 0.01235}
    assert space.settings({"heat": 0.01235}) == ["heat=0.01235"]


def test_a_kind_that_cannot_be_drawn_brings_no_options() -> None:
    alone = searched_space(Cake(), ["layers.depth", "heat"])
    assert [axis.name for axis in alone.axes] == ["heat"]
    held = searched_space(Cake(layers=Rich()), ["layers.depth"])
    assert [(axis.name, axis.when) for axis in held.axes] == [("layers.depth@rich", ())]
    some = searched_space(Cake(), ["layers"], {"layers.kind": ["plain", "richer"]})
    assert [axis.name for axis in some.axes] == ["layers.kind", "layers.depth@richer"]
    fixed = searched_space(Cake(), ["layers"], {"layers.kind": "richer"})
    assert [axis.name for axis in fixed.axes] == ["layers.depth@richer"]
    assert fixed_settings({"layers.kind": "richer", "heat": [0.1, 0.2]}) == ['layers.kind="richer"']


def test_narrowing_keeps_the_setting_searched_from_inside() -> None:
    space = searched_space(Cake(), [], {"heat": {"low": 0.2, "high": 0.4}, "size": [16, 64]})
    whole = searched_space(Cake(), [], {"heat": {"low": 1, "high": 3}}).axes[0].dimension
    assert isinstance(whole, Span)
    assert not whole.is_whole  # the option takes fractions, however its ends are written
    heat, size = space.axes
    assert heat.dimension == Span(0.1, 0.4)  # .1 is the setting's own
    assert size.dimension == Pick((16, 32, 64))


def test_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as told:
        searched_space(Cake(), ["heet", "label"])
    assert "heet: no option that can be searched; did you mean heat?" in str(told.value)
    assert "label: no option that can be searched" in str(told.value)
    with pytest.raises(ConfigError) as told:
        searched_space(Cake(), [], {"heat": {"low": 1}, "size": [16]})
    assert "tune.space.heat: found {'low': 1}, expected low, high" in str(told.value)
    assert "tune.space.size: two values or more" in str(told.value)
    for wrong, told_of in (
        ({"size": {"low": 1.5, "high": 3}}, "whole numbers, found [1.5, 3]"),
        ({"heat": {"low": "1e-4", "high": 1}}, "must be numbers, found ['1e-4', 1]"),
        ({"layers": ["plain", "rich"]}, "layers: no option that can be searched"),
    ):
        with pytest.raises(ConfigError) as told:
            searched_space(Cake(), [], wrong)
        assert told_of in str(told.value)
    with pytest.raises(ConfigError, match=r"nothing is left to be searched; .*layers.kind = rich"):
        searched_space(Cake(), ["layers.depth"])
    with pytest.raises(ConfigError, match=r"heat: 7 lies outside[\s\S]*hot: 1 is not searched"):
        CAKE.coded({"heat": 7, "hot": 1})


def test_a_grid_has_as_many_values_of_each_axis_as_there_is_room_for() -> None:
    axes = (
        Axis("a", "a", Span(0.0, 1.0), 0.5),
        Axis("b", "b", Pick((1, 2)), 1),
        Axis("c", "c", Span(1, 2), 1),
    )
    # 2 * 2 * 2 = 8 fit; a third value of a makes 12; a fourth 16, which are too many.
    grid = Space(axes).grid(13)
    assert len(grid) == 12
    assert sorted({one["a"] for one in grid}) == [0.1667, 0.5, 0.8333]  # sixths, to four digits
    assert {one["b"] for one in grid} == {1, 2} == {one["c"] for one in grid}


def test_every_axis_of_a_shop_holds_what_it_is_searched_from() -> None:
    base = ShopConfig()
    for axis in axes_of(base):
        assert axis.dimension.holds(axis.default), axis.name
        ends = (
            axis.dimension.values
            if isinstance(axis.dimension, Pick)
            else (
                axis.dimension.low,
                axis.dimension.high,
            )
        )
        kinds = [f'{path}="{kind}"' for path, kind in axis.when]
        for end in ends:
            written = f'"{end}"' if isinstance(end, str) else end
            # What a search may draw, shop.toml takes.
            validated({}, [*kinds, f"{axis.path}={written}"], "here")


def test_dimensions_refuse_what_is_none() -> None:
    with pytest.raises(ValueError, match=r"low \(2\) must lie below high \(1\)"):
        Span(2, 1)
    with pytest.raises(ValueError, match="above 0 where log is on"):
        Span(0.0, 1.0, log=True)
    with pytest.raises(ValueError, match="two values or more"):
        Pick((1, 1))
    assert Span(1, 3).holds(2.0)
    assert not Span(1, 3).holds(2.5)
    assert not Span(0, 1).holds(True)
    assert not Pick((1, 2)).holds(True)
