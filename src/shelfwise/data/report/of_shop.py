"""The whole data report of a shop folder, with what only preparation tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from shelfwise.data.config import DataOptions
from shelfwise.data.prepare import prepare
from shelfwise.data.prepared import PreparedShop
from shelfwise.data.report.report import DataReport, data_report, report_tables, with_prepared
from shelfwise.data.source import ShopTables
from shelfwise.schema.errors import DataError
from shelfwise.schema.progress import Progress, Silent


def report_of_shop(
    shop: Path, tables: ShopTables, options: DataOptions, progress: Progress | None = None
) -> DataReport:
    """Count what the tables hold, then prepare the shop in a folder that is removed again.

    A shop that cannot be prepared still has its report, which then says why.

    Args:
        shop: the folder or file that the tables were read from.
        tables: what was kept and refused of it.
        options: what shop.toml says.
        progress: told of each step.
    """
    watch = progress or Silent()
    with watch.step("Counting"):
        report = data_report(report_tables(tables), options)
    if report.behaviour is None:
        return report
    if tables.lost:
        lost = ", ".join(sorted(tables.lost))
        return replace(report, unprepared=f"nothing can be used of {lost}")
    with TemporaryDirectory() as folder:
        try:
            prepared = prepare(shop, Path(folder) / "prepared", options, watch)
        except DataError as error:
            return replace(report, unprepared=str(error))
        return with_prepared(report, prepared) if isinstance(prepared, PreparedShop) else report
