"""A few rows of every public data set in its publisher's own form, for the readers' contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """Published files, and what the reader is to make of their rows."""

    files: Mapping[str, str]  # path inside the publisher's folder -> content
    rows_in: int
    kept: Mapping[str, int]
    tables: tuple[str, ...] = ("catalogue", "events")
    features: frozenset[str] = field(default=frozenset())  # columns beyond the shop's own

    def write(self, folder: Path) -> Path:
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        return folder


SAMPLES: Mapping[str, Sample] = {
    # Excel's US times and capitals; semicolons and spaces in names.
    "online-retail": Sample(
        {
            "Online Retail.csv": """\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,POST,POSTAGE,1,12/1/2010 8:26,18,17850,United Kingdom
C536379,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-1,12/13/2010 9:41,2.55,17850,United Kingdom
536414,22139,,56,12/1/2010 11:52,0,,United Kingdom
"""
        },
        rows_in=4,
        kept={"purchase": 1, "return": 1},
        features=frozenset({"country", "returns_invoice"}),
    ),
    "eshop-clothing": Sample(
        {
            "e-shop clothing 2008.csv": """\
year;month;day;order;country;session ID;page 1 (main category);page 2 (clothing model);colour;\
location;model photography;price;price 2;page
2008;4;1;1;29;1;1;A13;1;5;1;28;2;1
2008;4;1;2;29;1;1;A16;1;6;1;33;2;1
2008;2;31;1;29;2;2;B4;10;2;1;52;1;1
"""
        },
        rows_in=3,
        kept={"click": 2},
        features=frozenset({"country"}),
    ),
}
