"""Peers one after the other: both ways, a failure is a row, and a repeated call asks for less."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.asking import Asking
from benchmarks.peers_in_turn import Turns
from peers import fake_peer

from shelfwise.schema.progress import Silent

COUNTED = """\
import argparse, json
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("--task", "--out", "--seconds", "--seed"):
    parser.add_argument(name)
parser.add_argument("--tune", action="store_true")
given = parser.parse_args()
with (Path(__file__).parent / "asked.txt").open("a") as file:
    file.write(f"seed {given.seed}, tune {given.tune}\\n")
if given.tune:
    raise SystemExit("no setting was good")
Path(given.out, "peer.json").write_text(json.dumps({"system": "fake/counted"}))
"""


def test_a_repeated_call_asks_only_for_what_is_missing(tmp_path: Path) -> None:
    where = fake_peer(tmp_path, "counted", COUNTED)
    asking = Asking(tmp_path, 2, 0.1, (), (), *where, tmp_path / "kept")

    def asked(budget: float = 0.1) -> tuple[list[str], dict[str, str]]:
        held, failed = [], {}

        def hold(system: str, arrays: Any, about: dict[str, Any]) -> bool:
            held.append(f"{system} {about['seed']} {arrays['value'].tolist()}")
            return True

        Turns(
            "rank", tmp_path, "digest", lambda _: {"value": np.arange(2)}, hold, failed.__setitem__
        ).ask(replace(asking, minutes=budget), Silent())
        return held, failed

    first, second, longer = asked(), asked(), asked(0.2)

    # Two seeds by the defaults; tuned it fails at the first seed, which is told once.
    failed = {"counted (tuned)": "no setting was good"}
    assert first == second == longer == (["fake/counted 0 [0, 1]", "fake/counted 1 [0, 1]"], failed)
    # The second call only tried again what had failed; another budget is another question.
    ways = ["seed 0, tune False", "seed 1, tune False", "seed 0, tune True"]
    lines = (where[0] / "asked.txt").read_text().splitlines()
    assert lines == ways + ways[2:] + ways


def test_one_that_is_not_installed_stops_no_other(tmp_path: Path) -> None:
    fake_peer(tmp_path, "absent", COUNTED, installed=False)
    where = fake_peer(tmp_path, "counted", COUNTED)
    held, failed = [], {}

    Turns(
        "rank",
        tmp_path,
        "digest",
        lambda _: {},
        lambda system, _, __: held.append(system) is None,
        failed.__setitem__,
    ).ask(Asking(tmp_path, 1, 0.1, (), (), *where), Silent())

    assert held == ["fake/counted"]
    assert failed["absent"] == "not installed; make it with: make peers"
