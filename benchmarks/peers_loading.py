"""What other libraries need from the same log to their own model-ready sequences.

Each runs in its own environment (`make peers`), in a process of its own, one after the other.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
PEERS = ("rectools", "recbole")
THREADS = 2
_MOST_SECONDS = 1_800.0
_KEPT = ("imported_mib", "rows", "versions", "does", "does_not")
_READY_AFTER = ("read", "write", "prepare")  # steps up to batches that could be asked for


def peers_loading(
    folder: Path, kinds: tuple[str, ...], environments: Path = ROOT / ".venv-peers"
) -> list[dict[str, Any]]:
    """Rows of a benchmark's JSON: what each peer needed, or why it could not be measured.

    Args:
        folder: A shop with events.parquet or events.csv in the published form.
        kinds: Events that count as interactions. Peers know no impressions and no searches, so
            they are given the positive events of the log only; every row says so.
        environments: Where `make peers` puts them.
    """
    rows: list[dict[str, Any]] = []
    for peer in PEERS:
        reason = why_missing(peer, environments)
        rows += (
            [{"system": peer, "failed": reason}]
            if reason
            else _load(peer, folder.resolve(), kinds, environments)
        )
    return rows


def why_missing(peer: str, environments: Path) -> str | None:
    """Why a peer's environment cannot be used; None where it can."""
    failed = environments / f"{peer}.failed"
    if failed.is_file():
        return f"did not install: {failed.read_text().strip()}"
    if not (environments / peer / "bin" / "python").exists():
        return "not installed; make it with: make peers"
    return None


def _load(
    peer: str, folder: Path, kinds: tuple[str, ...], environments: Path
) -> list[dict[str, Any]]:
    with TemporaryDirectory(prefix=f"{peer}-") as scratch:
        command: list[str | Path] = [
            *(
                environments / peer / "bin" / "python",
                ROOT / "benchmarks/peers" / f"load_{peer}.py",
            ),
            *("--data", folder, "--kinds", ",".join(kinds), "--scratch", scratch),
        ]
        threads = {f"{what}_NUM_THREADS": str(THREADS) for what in ("OMP", "OPENBLAS", "MKL")}
        try:
            done = subprocess.run(
                command,
                cwd=scratch,  # RecBole leaves folders where it is started
                env=os.environ | threads,
                capture_output=True,
                text=True,
                timeout=_MOST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return [{"system": peer, "failed": f"not ready after {_MOST_SECONDS:,.0f} seconds"}]
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit {done.returncode}, without a word"]
        return [{"system": peer, "failed": said[-1]}]
    return rows_of(peer, kinds, json.loads(done.stdout.splitlines()[-1]))


def rows_of(peer: str, kinds: tuple[str, ...], measured: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A loader's answer as rows; the first carries what the others rest on."""
    seconds, worked = (
        sum(measured[clock].get(step, 0.0) for step in _READY_AFTER)
        for clock in ("seconds", "cpu_seconds")
    )
    interactions = measured["rows"]["interactions"]
    values = {
        "seconds": seconds,
        "cpu_seconds": worked,
        "peak_mib": measured["peak_mib"],
        "interactions_per_second": interactions / seconds,
    }
    shown = "with impressions" if "impression" in kinds else "positives only, no impressions"
    rests_on = {
        "given": f"{interactions:,} events of kind {', '.join(kinds)}: {shown}",
        "threads": THREADS,
        "steps": measured["seconds"],
        "steps_cpu": measured["cpu_seconds"],
        **{name: measured[name] for name in _KEPT},
    }
    rows: list[dict[str, Any]] = [
        {"system": peer, "view": "main", "metric": metric, "value": value}
        for metric, value in values.items()
    ]
    rows[0] |= rests_on
    return rows
