"""One preparation in a process of its own: how long it took and what memory it needed at most."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from shelfwise.config import load_config
from shelfwise.data.config import DataOptions

Prepare = Callable[[Path, Path, DataOptions], object]


def main() -> None:
    """`prepare_once.py SYSTEM SHOP OUT [SECTION.KEY=VALUE ...]`: prints one JSON object."""
    system, shop, out, *settings = sys.argv[1:]
    options = load_config(Path(shop), settings)
    # Imports, which cost the same for any log, are not timed.
    run = _shelfwise() if system == "shelfwise" else _pandas()
    began, worked = time.perf_counter(), time.process_time()
    run(Path(shop), Path(out), options)
    found = {
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - worked,
        "peak_mib": _peak_mib(),
    }
    print(json.dumps(found))  # noqa: T201  # the answer of this process


def _peak_mib() -> float:
    """Most memory that this process held; what getrusage says may be its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _shelfwise() -> Prepare:
    from shelfwise.data.prepare import prepare

    return prepare


def _pandas() -> Prepare:
    import polars as pl
    from pandas_prepare import prepare

    from shelfwise.data.clean import clean
    from shelfwise.data.item_rows import number_items
    from shelfwise.data.source.read import scan_shop

    def run(shop: Path, out: Path, options: DataOptions) -> None:
        # The catalogue, which is small, by the same code as ours.
        no_log = options.model_copy(
            update={"events": options.events.model_copy(update={"file": "no-log.*"})}
        )
        rows: list[pl.DataFrame] = []
        tables = clean(scan_shop(shop, no_log, rows.append))
        items = number_items(tables.catalogue, pl.Series([], dtype=pl.String), None, options)
        prepare(shop, items.to_pandas(), out, options)

    return run


if __name__ == "__main__":
    main()
