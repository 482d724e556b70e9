"""Slips of the finger: how the text of a query strays from what was meant.

One slip in a word, its first letter apart, of a kind drawn uniformly:

* Latin letters: two swapped, one dropped, one doubled, one replaced by its neighbour on the
  keyboard; or a space lost.
* Chinese characters: two swapped, one dropped, one replaced by another of the same or a near sound
  (as an input method offers it), or of a near shape; where the tables below know none, dropped.

Apart from slips, some queries have their last word cut short.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

_PARTIAL_SHARE = 0.04  # the last word cut short
_FIRST_CJK = "\u4e00"
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Pairs; each of a pair stands for the other.
_NEAR_SOUND = (
    "色射 机鸡 手首 电店 灯登 木目 水谁 防房 头投 果国 毛猫 式是 高糕 衣一 带代 拉啦 动洞 包胞 "
    "绒容 长常 花话 子紫 行形 发法 套桃 锅郭 可克 胶交 裤库 双霜 咖卡 杯背 力立 油邮 狗够 光广 "
    "洗喜 人任 奶乃 衫山 身深 裙群 大达 鞋协 风峰 口扣 红洪 沙纱 椅倚 盘盼 蓝兰 麦卖 织知 超抄 "
    "黄皇 龙笼 衬趁 箱香 护户 茶查 书舒 桌卓 公工 空控 音因 垫店 袋戴 玩完 图涂 豆斗 绿率 蜜密 "
    "片偏 板版 球求 保宝 小晓 软阮 牛流 夹甲 单丹 台抬 壶湖 鼠属 游油 瓶平 蜂丰 粮良 绳生 袖秀 "
    "针真 雪血 连联 帽冒 伞散 饼丙"
)
_NEAR_SHAPE = (
    "木本 水永 子孑 衣农 毛手 色包 人入 大太 小少 口日 白百 自目 于干 土士 未末 牛午 刀力 鸟乌 "
    "贝见 王玉 米来 衫杉 拖托 裤裢 靴鞋 帽冒 袋袭 杯环 瓶拼 壶壸 灯打 棉绵 线钱 绒绋 蓝篮 红江 "
    "绿录 黑墨 狗拘 猫描 茶荼 糖塘 鞋鞍 垫垦 枕忱 床庆 椅倚 桌卓 耳取 机朴 线残 球救 拉位 书韦 "
    "油抽 奶仍 霜箱 膏高 洗冼 护沪 连莲 领岭 裙群 外处 套奁 夹夫 克兄 板扳 架驾 盘盆 刷刺 笔笙 "
    "纸低"
)


def as_typed(
    clean: tuple[str, ...], typo_share: float, rng: np.random.Generator
) -> tuple[str, ...]:
    """The texts as they are typed: some with a slip, some cut short."""
    slip_Q = rng.random(len(clean)) < typo_share
    cut_Q = rng.random(len(clean)) < _PARTIAL_SHARE
    place_Q = rng.random(len(clean))
    way_Q = rng.random(len(clean))
    typed = list(clean)
    for row in np.flatnonzero(slip_Q | cut_Q).tolist():
        text = clean[row]
        typed[row] = with_typo(text, place_Q[row], way_Q[row]) if slip_Q[row] else cut_short(text)
    return tuple(typed)


def swap_letters(text: str, at: int) -> str:
    """The letters at ``at`` and after it change places: ("lamp", 1) -> "lmap"."""
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def drop_letter(text: str, at: int) -> str:
    """The letter at ``at`` is missing: ("lamp", 1) -> "lmp"."""
    return text[:at] + text[at + 1 :]


def double_letter(text: str, at: int) -> str:
    """The letter at ``at`` is typed twice: ("lamp", 1) -> "laamp"."""
    return text[: at + 1] + text[at:]


def neighbour_key(text: str, at: int) -> str:
    """The key to the right is hit, at the end of a row the one to the left: "lamp" -> "lsmp"."""
    for row in _KEYBOARD:
        place = row.find(text[at])
        if place >= 0:
            other = row[place + 1] if place + 1 < len(row) else row[place - 1]
            return text[:at] + other + text[at + 1 :]
    return double_letter(text, at)


def lose_space(text: str, at: int) -> str:
    """The space nearest to ``at`` is missing; where there is none, the letter at ``at``."""
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    if not spaces:
        return drop_letter(text, at)
    return drop_letter(text, min(spaces, key=lambda place: abs(place - at)))


def other_character(text: str, at: int, table: Mapping[str, str]) -> str:
    """The first character from ``at`` on that ``table`` knows, as it says; else one is dropped."""
    for place in range(at, len(text)):
        if text[place] in table:
            return text[:place] + table[text[place]] + text[place + 1 :]
    return drop_letter(text, at)


def with_typo(text: str, place: float, way: float) -> str:
    """One slip inside a word: ``place`` and ``way``, in [0, 1), say where and of which kind.

    A text too short to slip in stays as it is.
    """
    spots = [n for n in range(1, len(text) - 1) if text[n].isalnum() and text[n + 1].isalnum()]
    if not spots:
        return text
    at = spots[int(place * len(spots))]
    if text[at] >= _FIRST_CJK:
        return _chinese_slip(text, at, int(way * 4))
    return _latin_slip(text, at, int(way * 5))


def cut_short(text: str) -> str:
    """The last word as someone in a hurry leaves it: "red headphones" -> "red headpho"."""
    space = text.rfind(" ") + 1
    word = text[space:]
    keep = max(2, round(len(word) * 0.7)) if word[:1] >= _FIRST_CJK else max(4, len(word) * 7 // 10)
    return text[:space] + word[:keep]


def _latin_slip(text: str, at: int, way: int) -> str:
    if way == 0 and text[at] != text[at + 1]:
        return swap_letters(text, at)
    match way:
        case 1:
            return drop_letter(text, at)
        case 2:
            return neighbour_key(text, at)
        case 3:
            return lose_space(text, at)
        case _:
            return double_letter(text, at)


def _chinese_slip(text: str, at: int, way: int) -> str:
    if way == 0 and text[at] != text[at + 1]:
        return swap_letters(text, at)
    match way:
        case 2:
            return other_character(text, at, SOUNDS)
        case 3:
            return other_character(text, at, SHAPES)
        case _:
            return drop_letter(text, at)


def _both_ways(pairs: str) -> Mapping[str, str]:
    """ "ab cd" as {a: b, b: a, c: d, d: c}; the first pair of a character counts."""
    table: dict[str, str] = {}
    for pair in pairs.split():
        one, other = pair[0], pair[1]
        table.setdefault(one, other)
        table.setdefault(other, one)
    return table


SOUNDS, SHAPES = _both_ways(_NEAR_SOUND), _both_ways(_NEAR_SHAPE)
