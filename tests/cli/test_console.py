"""How commands talk, to a person and to a program."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console
from rich.table import Table

from shelfwise.cli import console
from shelfwise.cli.console import Bars, emit, show

LONG = "a-very-long-item-id-" * 12


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 100 columns is sent, for both streams."""
    sent = io.StringIO()
    screen = Console(file=sent, force_terminal=True, width=100, highlight=False, soft_wrap=True)
    monkeypatch.setattr(console, "words", screen)
    monkeypatch.setattr(console, "answer", screen)
    return sent


def a_table() -> Table:
    table = Table("item", "price", box=None)
    table.add_row(LONG, "4.50 EUR")
    return table


def test_a_row_is_one_line_where_a_program_reads(capsys: pytest.CaptureFixture[str]) -> None:
    show(a_table())

    _, row = capsys.readouterr().out.splitlines()
    assert row.split() == [LONG, "4.50", "EUR"]


@pytest.mark.usefixtures("terminal")
def test_a_long_cell_goes_on_below_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    show(a_table())

    _, *lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    pieces = [re.match(r" ([a-z-]+)", line) for line in lines]
    assert "".join(piece[1] for piece in pieces if piece) == LONG


def test_what_json_has_no_word_for_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    values = {"auc": float("nan"), "rows": [(1, float("-inf"))], "title": "红色", "ok": True}

    emit(True, values)
    emit(False, {"never": "seen"})

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"auc": None, "rows": [[1, None]], "title": "红色", "ok": True}
    assert "红色" in line


def steps() -> None:
    bars = Bars()
    with bars.step("Reading [catalogue].csv", total=3) as step:
        step.advance(2)
        step.note("loss 0.5 [best]")
    with bars.step("Checking"):
        pass


def test_short_steps_leave_no_trace_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    steps()

    assert capsys.readouterr() == ("", "")


def test_a_long_step_is_one_line_in_a_log(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock is read at the start and end of each step: they take 3 and 1 seconds.
    clock = iter([0.0, 3.0, 10.0, 11.0])
    monkeypatch.setattr(console, "monotonic", lambda: next(clock))

    steps()

    assert capsys.readouterr() == ("", "Reading [catalogue].csv: 3.0 s (loss 0.5 [best])\n")


def test_a_failed_step_says_nothing_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 9.0])
    monkeypatch.setattr(console, "monotonic", lambda: next(clock))

    with pytest.raises(ValueError, match="no"), Bars().step("Reading"):
        raise ValueError("no")

    assert capsys.readouterr().err == ""


def test_a_terminal_is_shown_bars(terminal: io.StringIO) -> None:
    steps()

    sent = terminal.getvalue()
    assert "Reading [catalogue].csv" in sent
    assert "3/3" in sent  # a step with a known total ends full
    assert "Checking" in sent
