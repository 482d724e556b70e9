"""A peer that needs nothing installed: its environment runs a script of the test."""

from __future__ import annotations

import sys
from pathlib import Path

HEAD = """\
import argparse, json
from pathlib import Path
import numpy as np
parser = argparse.ArgumentParser()
parser.add_argument("--task", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
parser.add_argument("--seconds", type=float, required=True)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--tune", action="store_true")
"""
MODELS = 'parser.add_argument("--model", choices=["one", "two"], default="one")\n'
ANSWER = """\
given = parser.parse_args()
told = json.loads((given.task / "task.json").read_text())
score = np.zeros((told["targets"], told["items"]), np.float32)
score += np.arange(told["items"])[None]
np.save(given.out / "scores.npy", score)
about = {"system": "fake/" + getattr(given, "model", "only"), "tuned": given.tune,
         "settings": {"seconds": given.seconds, "seed": given.seed}}
(given.out / "peer.json").write_text(json.dumps(about))
"""


def fake_peer(
    folder: Path, name: str, script: str, installed: bool = True, verb: str = "rank"
) -> tuple[Path, Path]:
    """Folders of scripts and environments, with one more peer in them."""
    scripts, environments = folder / "scripts", folder / "environments"
    scripts.mkdir(exist_ok=True)
    (scripts / f"{verb}_{name}.py").write_text(script)
    environments.mkdir(exist_ok=True)
    if installed:
        python = environments / name / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
    return scripts, environments
