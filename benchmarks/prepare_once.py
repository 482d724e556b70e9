"""One preparation in a process of its own: how long it took and what memory it needed at most."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from shelfwise.config import load_config
from shelfwise.data.config import DataOptions


def main() -> None:
    """`prepare_once.py SYSTEM SHOP OUT [SECTION.KEY=VALUE ...]`: prints one JSON object."""
    system, shop, out, *settings = sys.argv[1:]
    options = load_config(Path(shop), settings)
    run = _shelfwise if system == "shelfwise" else _pandas
    began, worked = time.perf_counter(), time.process_time()
    run(Path(shop), Path(out), options)
    print(  # noqa: T201  # the answer of this process
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "cpu_seconds": time.process_time() - worked,
                "peak_mib": _peak_mib(),
            }
        )
    )


def _peak_mib() -> float:
    """Most memory that this process held; what getrusage says may be its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def _shelfwise(shop: Path, out: Path, options: DataOptions) -> None:
    from shelfwise.data.prepare import prepare

    prepare(shop, out, options)


def _pandas(shop: Path, out: Path, options: DataOptions) -> None:
    import polars as pl
    from pandas_prepare import prepare

    from shelfwise.data.clean import clean
    from shelfwise.data.item_rows import number_items
    from shelfwise.data.source.read import scan_shop

    # The catalogue, which is small, by the same code as ours.
    no_log = options.model_copy(
        update={"events": options.events.model_copy(update={"file": "no-log.*"})}
    )
    rows: list[pl.DataFrame] = []
    tables = clean(scan_shop(shop, no_log, rows.append))
    items = number_items(tables.catalogue, pl.Series([], dtype=pl.String), None, options)
    prepare(shop, items.to_pandas(), out, options)


if __name__ == "__main__":
    main()
