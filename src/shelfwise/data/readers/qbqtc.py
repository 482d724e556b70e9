"""QBQTC, the QQ Browser query-title corpus: Chinese web search, pairs graded 0, 1 or 2.

Three of the publisher's files are read, and the judgements' column ``published_part`` says from
which: ``train_old`` (the training set of the first edition: 791 queries with about 19 titles each),
``dev`` and ``test_public`` (nearly every pair with a query of its own). The second edition's larger
train.json is not read.
"""

from __future__ import annotations

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import PublishedColumn
from shelfwise.data.readers.reasons import missing, sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop, counts

CARD = DatasetCard(
    name="qbqtc",
    title="QBQTC: QQ Browser Query Title Corpus",
    publisher="Tencent QQ Browser, on CLUEbenchmark",
    url="https://github.com/CLUEbenchmark/QBQTC",
    terms="no licence stated; for research, and not to be redistributed",
    citation="CLUEbenchmark and QQ Browser (2021): QBQTC. https://github.com/CLUEbenchmark/QBQTC",
    shows=(
        "graded relevance in Chinese, of web pages' titles and not of products. Only train_old has "
        "queries with enough titles to rank; compute the floors of a random order and of shared "
        "characters in the same run. No behaviour"
    ),
    files=("train_old.json", "dataset_previous/train.json"),
)
_FILES = {
    "train_old": CARD.files,
    "dev": ("dev.json", "dataset/dev.json"),
    "test_public": ("test_public.json", "dataset/test_public.json"),
}

# The first edition calls the grade "relevant", the second "label".
COLUMNS = (
    PublishedColumn("id", "id", "id"),
    PublishedColumn("query", "query", "text"),
    PublishedColumn("title", "title", "text"),
    PublishedColumn("relevant", "relevant", "number", optional=True),
    PublishedColumn("label", "label", "number", optional=True),
)

SHOP_TOML = f"""\
# QBQTC, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "QBQTC (QQ Browser)"

[split]
kind = "cold_queries"  # a query is judged once, so no query of the test is learned from

[match]
target = "next"

[text]
fields = ["title"]
"""

_REASONS = (
    ("query, title or grade missing", missing("query", "title", "grade")),
    ("grade other than 0, 1 or 2", ~pl.col("grade").is_in([0.0, 1.0, 2.0])),
)


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """The three files, one below the other."""
    table = pl.concat(
        folder.table(COLUMNS, names).select(pl.lit(part).alias("published_part"), pl.all())
        for part, names in _FILES.items()
    )
    return table.height, to_shop(table)


def to_shop(table: pl.DataFrame) -> ConvertedShop:
    """Each row as a judgement about a title; there are no items behind the titles."""
    graded = table.with_columns(grade=pl.coalesce("relevant", "label"))
    kept, left_out = sort_out(graded, _REASONS, table.columns)
    judgements = kept.select("query", "title", "grade", "published_part")
    return ConvertedShop(
        tables={"judgements": judgements},
        kept={"judgement": judgements.height},
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={},
        found={
            "queries": judgements["query"].n_unique(),
            "titles": judgements["title"].n_unique(),
            "pairs judged again": judgements.height
            - judgements.select("query", "title").n_unique(),
            **{f"pairs of {part}": n for part, n in counts(judgements["published_part"]).items()},
        },
    )
