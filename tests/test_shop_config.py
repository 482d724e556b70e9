"""shop.toml and --set: read, refused in full, and written with every option."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shelfwise.config import ShopConfig, commented, load_config, option_paths, validated
from shelfwise.models.config import Full, TopLayers
from shelfwise.schema.errors import ConfigError
from shelfwise.schema.event import EventKind


def config(*settings: str, **raw: Any) -> ShopConfig:
    return validated(raw, settings, "shop.toml")


def refusal(*settings: str, **raw: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config(*settings, **raw)
    return str(caught.value).splitlines()


def test_a_shop_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path) == ShopConfig()
    assert load_config(tmp_path / "reviews.csv") == ShopConfig()


def test_settings_go_over_the_file(tmp_path: Path) -> None:
    # Notepad begins UTF-8 files with a byte order mark.
    (tmp_path / "shop.toml").write_text(
        '[shop]\nname = "Läden"\n[train]\nepochs = 2\nrefit = true\n', encoding="utf-8-sig"
    )

    found = load_config(tmp_path, ["train.epochs=3"])

    assert (found.shop.name, found.train.epochs, found.train.refit) == ("Läden", 3, True)


@pytest.mark.parametrize("content", [b"[shop", b"name = \xff", b"a = 1\na = 2"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "shop.toml").write_bytes(content)

    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path / 'shop.toml'}: not valid TOML")):
        load_config(tmp_path)


def test_all_mistakes_of_file_and_settings_are_told_at_once() -> None:
    lines = refusal(
        "train.epochs",
        "model.encoder.tuning.layres=2",
        modle={},
        train={"epoch": 3, "patience": 0},
        model={"encoder": {"tuning": {"mode": "top_layers"}}},
        split={"test_start": "2026-01-01", "validation_start": "2026-02-01"},
    )

    assert lines[:2] == [
        "shop.toml and --set:",
        "  --set train.epochs: write it as section.key=value",
    ]
    assert sorted(lines[2:]) == [
        "  model.encoder.tuning.top_layers.layres: unknown option; did you mean layers?",
        "  modle: unknown option; did you mean model?",
        "  split: validation_start (2026-02-01 00:00:00+00:00) must lie before "
        "test_start (2026-01-01 00:00:00+00:00)",
        "  train.epoch: unknown option; did you mean epochs?",
        "  train.patience: Input should be greater than 0 (found 0)",
    ]


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("shop.name=Corner shop", "shop.name", "Corner shop"),
        ('shop.name="12"', "shop.name", "12"),
        ("shop.name=", "shop.name", ""),
        ("shop.name=a=b", "shop.name", "a=b"),
        ("shop.name=红色", "shop.name", "红色"),
        (" train.epochs = 3 ", "train.epochs", 3),
        ("train.learning_rate=1e-3", "train.learning_rate", 0.001),
        ("train.refit=true", "train.refit", True),
        ('text.fields=["brand", "title"]', "text.fields", ("brand", "title")),
        ("events.names.pv=view", "events.names", {"pv": EventKind.VIEW}),
        ("seed=7", "seed", 7),
    ],
)
def test_a_setting_is_read_as_toml_else_as_a_word(setting: str, path: str, value: object) -> None:
    found: Any = config(setting)
    for name in path.split("."):
        found = getattr(found, name)

    assert found == value


@pytest.mark.parametrize(
    ("setting", "problem"),
    [
        ("train.epochs", "write it as section.key=value"),
        ("epochs=3", "write it as section.key=value; did you mean train.epochs?"),
        ("=3", "write it as section.key=value"),
        ("train..epochs=3", "write it as section.key=value"),
        ("train=3", "write it as section.key=value"),
        ("train.epochs.x=3", "epochs is a value, not a section"),
    ],
)
def test_a_setting_of_the_wrong_form(setting: str, problem: str) -> None:
    assert refusal(setting, train={"epochs": 1})[1:] == [f"  --set {setting}: {problem}"]


def test_the_later_setting_wins() -> None:
    assert config("train.epochs=3", "train.epochs=4").train.epochs == 4


def test_the_given_values_stay_as_they_were() -> None:
    raw = {"train": {"epochs": 3}}

    validated(raw, ["train.epochs=4"], "x")

    assert raw == {"train": {"epochs": 3}}


def test_another_kind_drops_the_options_of_the_first() -> None:
    # As `train` finds it: the saved options name the layers of the kind that prepare was told.
    saved = config("model.encoder.tuning.mode=top_layers").model_dump(mode="json")

    assert config("model.encoder.tuning.mode=full", **saved).model.encoder.tuning == Full()
    # The same kind keeps them, and the order of settings does not matter.
    four = validated(saved, ["model.encoder.tuning.layers=4"], "x").model_dump(mode="json")
    kept = config("model.encoder.tuning.mode=top_layers", **four)
    assert kept.model.encoder.tuning == TopLayers(layers=4)
    both = ("model.encoder.tuning.layers=5", "model.encoder.tuning.mode=top_layers")
    frozen = config("model.encoder.tuning.mode=frozen").model_dump(mode="json")
    assert config(*both, **frozen).model.encoder.tuning == TopLayers(layers=5)


OTHERS = ShopConfig.model_validate(
    {
        "shop": {"name": 'a "b"\\\n\t\x7f红', "synthetic": True},
        "events": {
            "names": {"page view": "view", 'q"': "click"},
            "latest": "2026-01-02T03:04:05.678901+02:00",
        },
        "text": {"fields": []},
        "model": {"width": 64, "encoder": {"keep_layers": 2, "tuning": {"mode": "full"}}},
        "train": {"learning_rate": 1e-7, "batch_requests": 1},
        "seed": 5,
    }
)


@pytest.mark.parametrize("given", [ShopConfig(), OTHERS])
def test_the_written_file_says_the_same(given: ShopConfig) -> None:
    assert validated(tomllib.loads(commented(given)), (), "x") == given


NO_VALUE = {
    *("projection", "dimensions"),
    *("keep_layers", "latest", "validation_start", "test_start", "window"),
    *("sql", "stream", "key_file", "key_variable", "soft_from"),
}


@pytest.mark.parametrize("given", [ShopConfig(), OTHERS])
def test_and_says_the_same_with_every_default_made_active(given: ShopConfig) -> None:
    active = re.sub(r"(?m)^# (\w+ = )", r"\1", commented(given))

    raw = tomllib.loads(active)

    assert validated(raw, (), "x") == given
    # Nothing is left that only a comment could say, but for options without a value.
    left = re.findall(r"(?m)^# (\w+) =$", active)
    assert len(raw["train"]) == len(given.train.model_dump())
    assert set(left) <= NO_VALUE


def test_what_differs_from_the_default_is_an_active_line() -> None:
    plain, active = (
        [line for line in commented(given).splitlines() if re.match(r"\w", line)]
        for given in (ShopConfig(), config("train.epochs=3"))
    )

    # A union always names its kind: its section could not be read without.
    assert {line.partition(" =")[0] for line in plain} == {"kind", "mode"}
    assert 'mode = "top_layers"' in plain
    assert sorted(active) == sorted([*plain, "epochs = 3"])


def test_every_option_stands_in_the_file() -> None:
    lines = commented(ShopConfig()).splitlines()
    section, found = "", set()
    for line in lines:
        if line.startswith("["):
            section = line.strip("[]") + "."
        elif match := re.match(r"(?:# )?(\w+) =(?: |$)", line):
            found.add(section + match[1])

    # A source that most shops do not have is one line, not a section of blanks; of a union only
    # the kind that is taken is written out, and the others are named.
    told = {re.sub(r"\.(sql|stream)\..*", r".\1", path) for path in option_paths()}
    assert found <= told
    assert found == taken_paths("", ShopConfig())


def taken_paths(prefix: str, options: BaseModel) -> set[str]:
    found: set[str] = set()
    for name in type(options).model_fields:
        value = getattr(options, name)
        inside = isinstance(value, BaseModel)
        found |= taken_paths(f"{prefix}{name}.", value) if inside else {f"{prefix}{name}"}
    return found


def test_option_paths_reach_into_unions() -> None:
    paths = option_paths()

    assert len(paths) == len(set(paths))
    assert {"seed", "events.names", "model.encoder.tuning.mode", "split.test_start"} <= set(paths)


@given(st.text())
def test_any_name_survives_the_file(name: str) -> None:
    given = ShopConfig.model_validate({"shop": {"name": name}})

    assert tomllib.loads(commented(given))["shop"].get("name", "my shop") == name
