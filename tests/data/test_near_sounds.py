from __future__ import annotations

import numpy as np
import pytest

from shelfwise.data import near_sounds
from shelfwise.data.near_sounds import NearSounds, near, unknown_sounds
from shelfwise.data.slips import SOUNDS
from shelfwise.data.text_noise import WORD, Noise, noisy


@pytest.mark.parametrize(
    ("sound", "mixed"),
    [
        ("zhang", "zan"),
        ("zan", "zan"),
        ("cheng", "cen"),
        ("sheng", "sen"),
        ("ning", "lin"),
        ("lin", "lin"),
        ("huang", "huan"),
        ("dong", "dong"),  # -ong is not mixed with -on
        ("e", "e"),
    ],
)
def test_sounds_that_are_mixed(sound: str, mixed: str) -> None:
    assert near(sound) == mixed


def test_others_by_hand() -> None:
    sounds = NearSounds()

    # 衬 (chen) sounds as 趁 and 陈, near to 成 (cheng), 岑 is no everyday character; 山 is shan.
    assert {"趁", "陈", "成"} <= set(sounds["衬"])
    assert not {"衬", "岑", "山"} & set(sounds["衬"])
    assert "射" in sounds["色"]  # se and she
    # A traditional character (ma) is heard as any other, and is not itself among the everyday ones.
    assert {"马", "妈"} <= set(sounds["馬"])


def test_who_sounds_like_another_is_heard_as_by_it() -> None:
    sounds = NearSounds()

    # Of 3,755 characters of the standard a few have a sound of their own, as 日 (ri).
    assert 3_700 < len(sounds) == len(list(sounds)) < 3_755
    assert "日" not in sounds
    assert all(letter not in sounds[letter] for letter in sounds)
    assert all(letter in sounds[other] for letter in [*sounds][::97] for other in sounds[letter])


@pytest.mark.parametrize("letter", ["a", "7", " ", "の", "é", "𠮷"])
def test_what_is_no_chinese_character_sounds_like_nothing(letter: str) -> None:
    assert letter not in NearSounds()


def test_a_noise_draws_among_them() -> None:
    noise = Noise(1.0, ("sound",), NearSounds())

    found = {noise.of("炸", np.random.default_rng(seed)) for seed in range(50)}

    assert len(found) > 5
    assert found <= set(NearSounds()["炸"])  # no such pair in the table
    assert noise.of("锅 lamp", np.random.default_rng(0)).endswith(" lamp")


def test_without_the_package_a_table_serves_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_sounds(["红色"]) == []
    monkeypatch.setattr(near_sounds, "find_spec", lambda _: None)

    assert near_sounds.near_sounds() is SOUNDS
    assert unknown_sounds(["red lamp", ""]) == []
    (said,) = unknown_sounds(["red lamp", "红色"])
    assert "pip install 'shelfwise[zh]'" in said


def test_what_is_no_single_character_sounds_like_nothing() -> None:
    sounds = NearSounds()
    assert not any(word in sounds for word in ("", "a", "\u3007\u516b", "\U00020000\U00020001"))


@pytest.mark.parametrize("text", ["二〇〇八年款 T恤", "\U00020000\U00020001 字", "\uf900色"])
def test_rare_characters_are_words_of_their_own(text: str) -> None:
    words = WORD.findall(text)
    assert "".join(word + gap for word, gap in words) == text
    assert all(len(word) == 1 for word, _ in words)
    altered = noisy([text] * 40, Noise(0.9, sounds=NearSounds()), 0)
    assert len(set(altered)) > 1
