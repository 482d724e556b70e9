"""A benchmark's section of docs/benchmarks.md, made from its result."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from math import isnan
from pathlib import Path
from typing import Any

from benchmarks.result import Result
from shelfwise.evaluation.report import OURS
from shelfwise.schema.errors import ConfigError

_END = "<!-- end of benchmark -->"
_PATHS = ("--data", "--write")  # of which the folder's own name is told, not where it lies
_LONGEST_REASON = 160
_LEVEL = 0.05
# Where a higher value is the worse one.
_LOWER_IS_BETTER = ("rmse", "log_loss", "ece", "brier", "ne")


def write_section(file: Path, result: Result, words: Sequence[str], day: date) -> None:
    """Replace the benchmark's section between its markers; a file without them gains it at the end.

    Raises:
        ConfigError: the section begins and does not end.
    """
    begin = f"<!-- benchmark: {result.section or result.benchmark} -->"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    section = f"{begin}\n{section_of(result, words, day)}\n{_END}"
    if begin not in text:
        joined = f"{text.rstrip()}\n\n{section}\n".lstrip()
    else:
        before, _, rest = text.partition(begin)
        _, ended, after = rest.partition(_END)
        if not ended:
            raise ConfigError(f"{file}: the section {begin} has no end; write {_END} after it")
        joined = f"{before}{section}{after}"
    file.write_text(joined, encoding="utf-8")


def section_of(result: Result, words: Sequence[str], day: date) -> str:
    """Protocol, command, machine, a table for each view, and what failed."""
    data = result.data
    counts = ", ".join(f"{name} {_count(value)}" for name, value in data["counts"].items())
    lines = [
        f"## {result.section or result.benchmark}",
        "",
        result.protocol,
        "",
        "```bash",
        f"python benchmarks/run.py {_command(words)}",
        "```",
        "",
        f"{day.isoformat()}; {data['name']} (fingerprint {str(data['fingerprint'])[:12]}): "
        f"{counts}. {result.cores} cores of {result.machine}, {_versions(result)}; "
        f"{result.seconds / 60:,.0f} minutes in all, at most {result.peak_mib / 1024:.1f} GiB. "
        f"95 % intervals by bootstrap over units, seeds averaged; {_told_apart(result)}.",
    ]
    for task, view in views_of(result):
        lines += ["", *_view(result, task, view)]
    failed = [row for row in result.rows if "failed" in row]
    if failed:
        lines += ["", "Without figures:", ""]
        lines += [f"- {row['system']}: {_short(row['failed'])}" for row in failed]
    lines += [line for note in result.notes for line in ("", note)]
    if result.figures:
        lines += ["", "| figure | value |", "|---|---|"]
        lines += [f"| {name} | {_figure(value)} |" for name, value in result.figures.items()]
    return "\n".join([*lines, *_settings(result)])


def _told_apart(result: Result) -> str:
    words = "better and worse by the interval of the paired difference to ours"
    corrected = any("p_holm" in gap for gap in result.differences)
    return f"{words}, and by a permutation test with Holm's correction" if corrected else words


def views_of(result: Result) -> list[tuple[str, str]]:
    """Task and view of each table, in the order of the rows."""
    found = [(row.get("task", ""), row["view"]) for row in result.rows if "view" in row]
    return list(dict.fromkeys(found))


def metrics_of(result: Result, task: str, view: str) -> list[str]:
    """Metrics of a table, in the order of the rows."""
    found = [row["metric"] for row in _rows(result, task, view)]
    return list(dict.fromkeys(found))


def systems_by_value(
    result: Result, task: str, view: str
) -> list[tuple[str, dict[str, Mapping[str, Any]]]]:
    """Each system's rows by metric, the best in the first metric first."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in _rows(result, task, view):
        found.setdefault(row["system"], {})[row["metric"]] = row
    first = metrics_of(result, task, view)[0]

    def key(rows: Mapping[str, Mapping[str, Any]]) -> float:
        value = rows[first]["value"] if first in rows else None
        return float("-inf") if value is None or isnan(value) else value

    falling = not first.startswith(_LOWER_IS_BETTER)
    return sorted(found.items(), key=lambda pair: key(pair[1]), reverse=falling)


def figure(value: float | None) -> str:
    """``.141``, ``12.3``; what cannot be computed is a dash."""
    if value is None or isnan(value):
        return "-"
    if abs(value) >= 10:
        return f"{value:,.1f}"
    text = f"{value:.4f}" if abs(value) < 0.1 else f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def _figure(value: float | None) -> str:
    """Counts are whole numbers."""
    whole = value is not None and float(value).is_integer()
    return f"{value:,.0f}" if whole else figure(value)


def interval(row: Mapping[str, Any]) -> str:
    """``[.132, .150]``, or nothing where there is none."""
    low, high = row.get("low"), row.get("high")
    if low is None or high is None or isnan(low):
        return ""
    return f"[{figure(low)}, {figure(high)}]"


def _view(result: Result, task: str, view: str) -> list[str]:
    metrics = metrics_of(result, task, view)
    here = [
        gap
        for gap in result.differences
        if (gap["view"], gap["metric"]) == (view, metrics[0]) and gap.get("task", task) == task
    ]
    ours = next((gap["a"] for gap in here), OURS)
    gaps = {gap["b"]: gap for gap in here if gap["a"] == ours}
    compared = [f"`{ours}` minus it, {metrics[0]}"] if gaps else []
    header = ["system", *metrics, *compared, "support", "seeds"]
    title = ", ".join(([task] if task else []) + [f"view `{view}`"])
    lines = [f"**{title}**", "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for system, rows in systems_by_value(result, task, view):
        cells = [_cell(rows.get(metric)) for metric in metrics]
        told = [_gap(gaps.get(system), metrics[0])] if compared else []
        one = next(iter(rows.values()))
        rests_on = [_count(one.get("support", "")), str(one.get("seeds", ""))]
        name = f"**{system}**" if system.split("/")[0] == OURS else system
        lines.append(f"| {' | '.join([name, *cells, *told, *rests_on])} |")
    others = [gap for gap in here if gap["a"] != ours]
    if others:
        lines += ["", f"Among the others, {metrics[0]}:", ""]
        lines += [f"- `{gap['a']}` minus `{gap['b']}`: {_gap(gap, metrics[0])}" for gap in others]
    return lines


def _cell(row: Mapping[str, Any] | None) -> str:
    return "-" if row is None else f"{figure(row['value'])} {interval(row)}".strip()


def _gap(gap: Mapping[str, Any] | None, metric: str) -> str:
    if gap is None:
        return ""
    sign = "+" if gap["value"] > 0 else ""
    return f"{sign}{figure(gap['value'])} {interval(gap)}: {verdict(gap, metric)}"


def verdict(gap: Mapping[str, Any], metric: str) -> str:
    """What may be claimed of ours: by the interval, and after Holm's correction where there is one.

    >>> verdict({"low": 0.1, "high": 0.2, "p_holm": 0.2}, "ndcg@10")
    'better, but not once corrected for many comparisons'
    """
    if gap["low"] is None or isnan(gap["low"]):
        return "cannot be told"
    if gap["low"] <= 0 <= gap["high"]:
        return "no difference can be told"
    higher = gap["low"] > 0
    word = "better" if higher != metric.startswith(_LOWER_IS_BETTER) else "worse"
    corrected = gap.get("p_holm", 0.0) < _LEVEL
    return word if corrected else f"{word}, but not once corrected for many comparisons"


def _settings(result: Result) -> list[str]:
    """What each system was run with, and for how long."""
    if not result.systems:
        return []
    lines = ["", "How each was run:", ""]
    for one in result.systems:
        told = {
            name: value
            for name, value in one.items()
            if name != "system" and value not in ("", None, {}, [])
        }
        words = "; ".join(f"{name} {_plain(value)}" for name, value in told.items())
        lines.append(f"- {one['system']}: {words}")
    return lines


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_plain(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return " / ".join(map(_plain, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _rows(result: Result, task: str, view: str) -> list[Mapping[str, Any]]:
    return [
        row
        for row in result.rows
        if "view" in row and (row.get("task", ""), row["view"]) == (task, view)
    ]


def _command(words: Sequence[str]) -> str:
    """As it was typed; folders by their own name, wherever they lie.

    Where finished runs were kept meanwhile is left out: it changes no figure.
    """
    told = []
    for before, word in zip(("", *words), words, strict=False):
        option, _, value = word.partition("=")
        if "--keep" in (before, option):
            continue
        if before in _PATHS:
            told.append(Path(word).name)
        elif option in _PATHS and value:
            told.append(f"{option}={Path(value).name}")
        else:
            told.append(word)
    return shlex.join(told)


def _versions(result: Result) -> str:
    return ", ".join(f"{name} {found}" for name, found in result.versions.items())


def _short(reason: str) -> str:
    line = " ".join(str(reason).split())
    return line if len(line) <= _LONGEST_REASON else f"{line[: _LONGEST_REASON - 3]}..."


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
