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
    "amazon-beauty": Sample(
        {
            "sequences.txt": "1 1 2\n2 2 1 3\n",
            "items.tsv": (
                "item_id\tasin\ttitle\ts3rec_attribute_ids\n"
                '1\tB004756YJA\tOPI Nail Lacquer, 0.5" bottle\t173 1\n'
                "2\tB004ZT0SSG\t\t173\n"
            ),
        },
        rows_in=7,  # 2 + 3 items of sequences, 2 rows of items; item 3 has none
        kept={"purchase": 4, "item": 2},
    ),
    "beibei": Sample(
        {
            "Beibei_cart.txt": "0 3 7\n1 7\n",
            "Beibei_train.txt": "0 3\n1 7\n",
            "Beibei_test.txt": "0 5\n1 3\n",
        },
        rows_in=7,
        kept={"purchase": 4, "cart": 3},
        features=frozenset({"published_part"}),
    ),
    # As the copies have it: every line quoted as a whole.
    "best-buy": Sample(
        {
            "train.csv": '''\
"user,sku,category,query,click_time,query_time"
"a1,11,abcat01,""Televisiones  50"",""2011-09-01 23:44:52.533"",""2011-09-01 23:43:59.752"""
"a1,12,abcat01,""Televisiones  50"",""2011-09-01 23:45:10.1"",""2011-09-01 23:43:59.752"""
"a2,11,abcat01,Sharp,""2011-09-01 12:25:37.42"",""2011-09-05 12:25:01.187"""
'''
        },
        rows_in=3,
        kept={"click": 2},
    ),
    "esci": Sample(
        {
            "esci.csv": """\
example_id,query,query_id,product_id,product_locale,esci_label,product_title,product_brand,\
product_color
1,mama koala,9,B01,us,Exact,"Cloth Diapers, 6 Pack",Mama Koala,Jagger
2,mama koala,9,B02,us,Irrelevant,Badge,,
3,mama koala,9,B03,us,Unsure,Box,,
"""
        },
        rows_in=3,
        kept={"judgement": 2},
        tables=("catalogue", "judgements"),
    ),
    "home-depot": Sample(
        {
            "train.csv": """\
"id","product_uid","product_title","search_term","relevance"
2,100001,"Simpson Strong-Tie 12-Gauge Angle","angle bracket",3
3,100001,"Simpson Strong-Tie 12-Gauge Angle","l bracket",2.5
9,100002,"Deck Over","deck over",4
"""
        },
        rows_in=3,
        kept={"judgement": 2},
        tables=("catalogue", "judgements"),
    ),
    "qbqtc": Sample(
        {
            "train_old.json": (
                '{"id": 0, "query": "三江汇流", "title": "三水森林公园", "relevant": "0"}\n'
                '{"id": 1, "query": "三江汇流", "title": "三江有哪三江", "relevant": "2"}\n'
            ),
            "dev.json": '{"id": 0, "query": "小孩咳嗽", "title": "感冒过后", "label": "1"}\n',
            "test_public.json": '{"id": 7, "query": "tpu和pc", "title": "材质", "label": "3"}\n',
        },
        rows_in=4,
        kept={"judgement": 3},
        tables=("judgements",),
        features=frozenset({"published_part"}),
    ),
    "taobao-titles-zh": Sample(
        {
            "train.txt": "羚 B-HPPX\n跑 I-HPPX\n背 B-HCCX\n包 I-HCCX\n\n男 O\n",
            "dev.txt": "男 O\n\n",
            "test.txt": "s B-XH\n5 I-XH\n新 O\n\n",
        },
        rows_in=4,
        kept={"item": 3},
        tables=("catalogue",),
    ),
}
