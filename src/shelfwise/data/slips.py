"""Single slips in a text: what a finger, an input method or an eye gets wrong."""

from __future__ import annotations

from collections.abc import Mapping

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


def _both_ways(pairs: str) -> Mapping[str, str]:
    """ "ab cd" as {a: b, b: a, c: d, d: c}; the first pair of a character counts."""
    table: dict[str, str] = {}
    for pair in pairs.split():
        one, other = pair[0], pair[1]
        table.setdefault(one, other)
        table.setdefault(other, one)
    return table


SOUNDS, SHAPES = _both_ways(_NEAR_SOUND), _both_ways(_NEAR_SHAPE)
