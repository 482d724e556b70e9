"""The command line as a person or a program meets it: what it prints and how it ends."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from shelfwise.cli.main import main

# The same command as a process of its own.
PROCESS = (sys.executable, "-c", "from shelfwise.cli.main import main; main()")


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of stdout, which must be the only JSON there."""
        *before, last = self.out.splitlines()
        assert not any(line.startswith(("{", "[")) for line in before)
        return json.loads(last, parse_constant=_no_json)


def _no_json(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


def shelfwise(*words: str | Path) -> Ended:
    """Run one command in this process, through its entry point."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    arguments = patch.object(sys, "argv", ["shelfwise", *map(str, words)])
    with arguments, redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


def done(*words: str | Path) -> Ended:
    """Run one command that must succeed."""
    ended = shelfwise(*words)
    assert ended.code == 0, ended.err
    return ended
