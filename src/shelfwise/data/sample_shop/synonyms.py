"""Words that shoppers use for colours and materials and that titles do not have.

Whoever words a search with a synonym of its type says these, too. Synonyms of types stand with the
types, in the ``vocabulary_*`` tables.
"""

from __future__ import annotations

from collections.abc import Mapping

COLOURS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "black": "jet",
        "white": "snow",
        "grey": "gray",
        "navy": "dark blue",
        "beige": "sand",
        "burgundy": "wine red",
        "sky blue": "azure",
        "mustard": "ochre",
        "dusty pink": "old rose",
        "red": "scarlet",
        "forest green": "dark green",
        "indigo": "deep blue",
        "tan": "camel",
        "charcoal": "anthracite",
        "terracotta": "brick",
        "silver": "metallic",
        "lilac": "light purple",
        "yellow": "lemon",
        "multicolour": "colourful",
    },
    "zh": {
        "黑色": "乌黑",
        "白色": "雪白",
        "灰色": "烟灰",
        "藏青色": "深蓝",
        "米色": "杏色",
        "酒红色": "暗红",
        "天蓝色": "湖蓝",
        "姜黄色": "土黄",
        "藕粉色": "豆沙",
        "红色": "大红",
        "墨绿色": "深绿",
        "黄色": "柠檬黄",
    },
}
MATERIALS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "cotton": "jersey",
        "linen": "flax",
        "wool": "woollen",
        "leather": "cowhide",
        "suede": "buckskin",
        "stainless steel": "inox",
        "steel": "metal",
        "wood": "timber",
        "silicone": "rubbery",
        "down": "feather",
        "paperback": "softcover",
        "hardback": "hardcover",
    },
    "zh": {
        "纯棉": "全棉",
        "亚麻": "麻料",
        "羊毛": "毛呢",
        "皮革": "真皮",
        "真丝": "桑蚕丝",
        "不锈钢": "钢制",
        "平装": "简装",
        "精装": "硬壳",
    },
}
