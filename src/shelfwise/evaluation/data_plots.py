"""The pictures of a data report, drawn like those of an evaluation: 360 wide, plain SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from markupsafe import Markup

from shelfwise.data.report.concentration import Concentration
from shelfwise.data.report.days import DayMark
from shelfwise.evaluation.plots import column_grid, row_grid
from shelfwise.evaluation.report_words import amount
from shelfwise.evaluation.svg import Scale, drawing, element, line, rounded, text, ticks

_WIDTH = 360.0
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
_LONGEST_NAME = 34  # letters that fit beside a bar's figures


class Bar(NamedTuple):
    """One bar, its figures written out."""

    name: str
    value: float
    figures: str


def bars_plot(title: str, bars: Sequence[Bar]) -> Markup:
    """Bars from a common start, each under its name and figures."""
    most = max((bar.value for bar in bars), default=0.0) or 1.0
    x = Scale(0.0, most, 4.0, 356.0)
    inside: list[Markup] = []
    for place, bar in enumerate(bars):
        top = 36.0 * place
        inside += [
            text(_short(bar.name), 4.0, top + 14.0, "name"),
            text(bar.figures, 356.0, top + 14.0, "figures", "end"),
            element("rect", x=4, y=top + 20.0, width=352, height=8, rx=4, class_="track"),
        ]
        if bar.value > 0:
            long = max(2.0, x(bar.value) - 4.0)  # however little, it can be seen
            inside.append(
                element("rect", x=4, y=top + 20.0, width=long, height=8, rx=4, class_="bar")
            )
    said = "; ".join(f"{bar.name} {bar.figures}" for bar in bars)
    return drawing(title, f"{said}.", (_WIDTH, 36.0 * len(bars)), inside)


def columns_plot(title: str, columns: Mapping[str, int], every: int = 1) -> Markup:
    """Upright bars in order, every so many of them named below."""
    most = max(columns.values(), default=0)
    marks = ticks(0.0, most or 1.0, 3)
    y = Scale(0.0, marks[-1], 130.0, 10.0)
    left, wide = 52.0, (348.0 - 52.0) / max(1, len(columns))
    inside = row_grid(y, marks, left, 348.0)
    for place, (name, count) in enumerate(columns.items()):
        inside.append(
            element(
                "rect",
                element("title", f"{name}: {count:,}"),
                x=left + wide * place + 1.0,
                y=y(count),
                width=max(1.0, wide - 2.0),
                height=130.0 - y(count),
                class_="bar",
            )
        )
        if place % every == 0:
            inside.append(text(name, left + wide * (place + 0.5), 147.0, "tick", "middle"))
    said = "; ".join(f"{name}: {count:,}" for name, count in columns.items())
    return drawing(title, f"{said}.", (_WIDTH, 152.0), inside)


def day_plot(
    kind: str, first: date, rows: Sequence[int | None], marks: Sequence[DayMark] = ()
) -> Markup:
    """Events of each day as a line; days that stand out carry a dot that says what they are.

    Args:
        kind: of the events, in words.
        first: the day of the first number.
        rows: one number a day; None: a day on which the shop is always closed, which is skipped.
        marks: days that stand out.
    """
    known = [count for count in rows if count is not None]
    levels = ticks(0.0, max(known) or 1.0, 3)
    x = Scale(0.0, max(1.0, len(rows) - 1.0), 52.0, 344.0)
    y = Scale(0.0, levels[-1], 120.0, 12.0)
    points = " ".join(
        f"{rounded(x(day))},{rounded(y(count))}"
        for day, count in enumerate(rows)
        if count is not None
    )
    inside = [
        *row_grid(y, levels, 52.0, 344.0),
        *_dates(x, first, len(rows)),
        element("polyline", points=points, class_="curve"),
    ]
    for mark in marks:
        place = (date.fromisoformat(mark.day) - first).days
        tip = f"{mark.day}: {mark.what}, {mark.moments:,} moments where {mark.usual:,.0f} are usual"
        inside.append(
            element(
                "circle",
                element("title", tip),
                cx=x(place),
                cy=y(rows[place] or 0),
                r=4.5,
                class_=f"marked {mark.what}",
            )
        )
    said = (
        f"from {amount(min(known))} to {amount(max(known))} a day over {len(rows)} days"
        f"{''.join(f'; {mark.what} on {mark.day}' for mark in marks)}"
    )
    return drawing(f"{kind} events of each day", f"{said}.", (_WIDTH, 142.0), inside)


def _dates(x: Scale, first: date, length: int) -> list[Markup]:
    """The first, the middle and the last day, in words."""
    places = sorted({0, (length - 1) // 2, length - 1}) if length > 2 else [0]
    anchors = {0: "start", length - 1: "end"}
    return [
        text(
            _written(first + timedelta(days=place)),
            x(place),
            138.0,
            "tick",
            anchors.get(place, "middle"),
        )
        for place in places
    ]


def _written(day: date) -> str:
    """``5 Jun 2011``, in English whatever the machine speaks."""
    return f"{day.day} {_MONTHS[3 * day.month - 3 : 3 * day.month]} {day.year}"


def lorenz_plot(found: Concentration) -> Markup:
    """Share of the events that the rarest so many have; the dashed line is perfect evenness."""
    marks = [0.0, 0.25, 0.5, 0.75, 1.0]
    x, y = Scale(0.0, 1.0, 52.0, 344.0), Scale(0.0, 1.0, 230.0, 10.0)
    names = {mark: f"{mark:.0%}" for mark in marks}
    points = [(x(share), y(held)) for share, held in found.curve]
    outline = " ".join(f"{rounded(px)},{rounded(py)}" for px, py in points)
    inside = [
        *column_grid(x, marks, 10.0, 230.0, list(names.values())),
        *row_grid(y, marks, 52.0, 344.0, list(names.values())),
        line((x(0.0), y(0.0)), (x(1.0), y(1.0)), "diagonal"),
        element("polygon", points=f"{outline} {x(1.0):.0f},{y(0.0):.0f}", class_="mass"),
        element("polyline", points=outline, class_="curve"),
        text(f"{found.of}, rarest first", 198.0, 264.0, "axis-name", "middle"),
    ]
    said = "; ".join(f"the top {share} have {held:.1%}" for share, held in found.top.items())
    return drawing(
        f"Share of events that {found.of} have", f"Gini {found.gini:.2f}; {said}.",
        (_WIDTH, 270.0), inside,
    )  # fmt: skip


def steps_plot(title: str, steps: Sequence[tuple[str, float]]) -> Markup:
    """A share that rises over named moments, evenly set."""
    x = Scale(0.0, max(1.0, len(steps) - 1.0), 60.0, 336.0)
    marks = [0.0, 0.25, 0.5, 0.75, 1.0]
    y = Scale(0.0, 1.0, 140.0, 12.0)
    points = [(x(place), y(share)) for place, (_, share) in enumerate(steps)]
    inside = [
        *row_grid(y, marks, 52.0, 344.0, [f"{mark:.0%}" for mark in marks]),
        element(
            "polyline",
            points=" ".join(f"{rounded(px)},{rounded(py)}" for px, py in points),
            class_="curve",
        ),
    ]
    for (px, py), (name, share) in zip(points, steps, strict=True):
        tip = element("title", f"{name}: {share:.1%}")
        inside.append(element("circle", tip, cx=px, cy=py, r=3.5, class_="dot"))
        inside.append(text(name, px, 157.0, "tick", "middle"))
    said = "; ".join(f"{share:.1%} by {name}" for name, share in steps)
    return drawing(title, f"{said}.", (_WIDTH, 162.0), inside)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
