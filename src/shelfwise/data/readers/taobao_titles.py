"""Taobao product titles in Chinese, with the words that name product, brand, pattern and more.

A character and its tag a line (B-HPPX, I-HPPX, O), an empty line after each title. Blanks between
words are not in the files, so the joined titles have none. The item ids are ours: file and number
of the title in it.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from shelfwise.data.readers.card import DatasetCard
from shelfwise.data.readers.published import PublishedFolder
from shelfwise.data.readers.published_table import as_text
from shelfwise.data.readers.reasons import sort_out
from shelfwise.data.readers.shop_folder import ConvertedShop

CARD = DatasetCard(
    name="taobao-titles-zh",
    title="Product titles of Taobao with named entities (Chinese)",
    publisher="Zhanming Jie and others, StatNLP",
    url="https://github.com/allanj/ner_incomplete_annotation",
    terms="no licence stated for the data; for research, and not to be redistributed",
    citation=(
        "Jie, Z., Xie, P., Lu, W., Ding, R., Li, L. (2019): Better Modeling of Incomplete "
        "Annotations for Named Entity Recognition. NAACL, 729-734"
    ),
    shows=(
        "Chinese product text: tokenising, search index, near-duplicate titles. A catalogue alone: "
        "no queries, no judgements, no behaviour, so nothing about the quality of a ranking"
    ),
    files=("train.txt", "data/ecommerce/train.txt"),
    prepares=False,
)
_FILES = {
    "train": CARD.files,
    "dev": ("dev.txt", "data/ecommerce/dev.txt"),
    "test": ("test.txt", "data/ecommerce/test.txt"),
}
# As the paper names them.
_ENTITIES: Mapping[str, str] = {"HCCX": "product", "HPPX": "brand", "XH": "pattern", "MISC": "misc"}

SHOP_TOML = f"""\
# Titles of Taobao, converted by `shelfwise datasets convert {CARD.name}`.
[shop]
name = "Taobao titles"
currency = "CNY"

[text]
fields = ["title"]
"""


def read(folder: PublishedFolder) -> tuple[int, ConvertedShop]:
    """All three files, a title a row."""
    characters = pl.concat(
        tagged(as_text(folder.content(names).content), part) for part, names in _FILES.items()
    )
    titles = titles_of(characters)
    return titles.height, to_shop(titles)


def tagged(text: str, part: str) -> pl.DataFrame:
    """Rows of part, line, title (its number in the file), character and tag."""
    written = pl.DataFrame({"text": text.split("\n")}, schema={"text": pl.String})
    ends = pl.col("text").str.strip_chars() == ""
    pair = pl.col("text").str.extract_groups(r"^(.+) (\S+)\s*$")
    return (
        written.with_row_index("line", offset=1)
        .with_columns(pl.lit(part).alias("part"), ends.cum_sum().alias("block"), ends.alias("end"))
        .filter(~pl.col("end"))
        .select(
            "part",
            pl.col("line").cast(pl.Int64),
            (pl.col("block").rank("dense")).cast(pl.Int64).alias("number"),
            pair.struct[0].alias("character"),
            pair.struct[1].alias("tag"),
        )
    )


def titles_of(characters: pl.DataFrame) -> pl.DataFrame:
    """Titles joined from their characters, with the words of each kind of entity.

    ``line`` is the title's first; ``unreadable`` counts its lines that are no character and tag.
    """
    key = ["part", "number"]
    titles = characters.group_by(key, maintain_order=True).agg(
        pl.col("line").first(),
        pl.col("character").str.join("").alias("title"),
        pl.col("character").is_null().sum().alias("unreadable"),
    )
    kind = pl.col("tag").str.slice(2)
    words = (
        characters.with_columns(word=(pl.col("tag").str.slice(0, 2) != "I-").cum_sum())
        .filter(pl.col("tag") != "O")
        .group_by(*key, "word", kind.alias("kind"), maintain_order=True)
        .agg(pl.col("character").str.join("").alias("text"))
    )
    for code, name in _ENTITIES.items():
        of_kind = (
            words.filter(pl.col("kind") == code)
            .group_by(key)
            .agg(pl.col("text").unique(maintain_order=True).alias(name))
        )
        titles = titles.join(of_kind, on=key, how="left", maintain_order="left")
    return titles


def to_shop(titles: pl.DataFrame) -> ConvertedShop:
    """Each different title as an item."""
    reasons = (
        ("line that is no character and tag", pl.col("unreadable") > 0),
        ("title that came before", ~pl.col("title").is_first_distinct()),
    )
    shown = ("part", "number", "line", "title")
    kept, left_out = sort_out(titles, reasons, shown)
    return ConvertedShop(
        tables={"catalogue": _catalogue(kept)},
        kept={"item": kept.height},
        left_out=left_out,
        shop_toml=SHOP_TOML,
        changed={},
        found={
            f"titles with a {name}": kept[name].drop_nulls().len() for name in _ENTITIES.values()
        },
    )


def _catalogue(kept: pl.DataFrame) -> pl.DataFrame:
    """The brand where the title names just one; every word in the attributes, by its kind."""
    words = [pl.col(name).list.join(" ") for name in _ENTITIES.values()]
    return kept.select(
        pl.format("{}-{}", "part", "number").alias("item_id"),
        "title",
        pl.when(pl.col("brand").list.len() == 1).then(pl.col("brand").list.first()).alias("brand"),
        pl.struct(words).struct.json_encode().alias("attributes"),
        pl.lit("zh").alias("language"),
    )
