"""A sealed folder opens as it was, or not at all, and then says everything that is wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    Manifest,
    file_digests,
    fingerprint_of,
    holds,
    open_sealed,
    seal,
)

FILES = {"model.bin": b"weights", "encoder/config.json": b"{}", "encoder/manifest.json": b"own"}


def sealed(folder: Path, fingerprint: str | None = None, **facts: Any) -> Manifest:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return seal(folder, "run", seed=3, data_fingerprint=fingerprint, facts=facts)


def refusal(folder: Path, kind: Any = "run") -> str:
    with pytest.raises(ArtifactError) as caught:
        open_sealed(folder, kind)
    return str(caught.value)


def change_manifest(folder: Path, **fields: Any) -> None:
    raw = json.loads((folder / MANIFEST).read_text()) | fields
    (folder / MANIFEST).write_text(json.dumps(raw))


def test_what_was_sealed_opens_as_it_was(tmp_path: Path) -> None:
    written = sealed(tmp_path, tasks=["click"], best={"auc": 0.5})

    opened = open_sealed(tmp_path, "run")

    assert opened == written
    assert (opened.seed, opened.facts) == (3, {"tasks": ["click"], "best": {"auc": 0.5}})
    # Every file, a nested one of the manifest's own name too; not the manifest itself.
    assert opened.sha256 == {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}


def test_what_could_not_be_computed_is_null_in_the_file(tmp_path: Path) -> None:
    sealed(tmp_path, auc=float("nan"))

    assert "NaN" not in (tmp_path / MANIFEST).read_text()
    assert open_sealed(tmp_path, "run").facts == {"auc": None}


def test_a_fingerprint_of_its_own_follows_from_names_and_bytes(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one", "same", "other"))
    first = sealed(one)
    (other / "more").mkdir(parents=True)
    (other / "more" / "file").write_bytes(b"")

    assert sealed(same).data_fingerprint == first.data_fingerprint
    assert sealed(other).data_fingerprint != first.data_fingerprint
    assert sealed(one, "from above").data_fingerprint == "from above"


def test_a_fingerprint_knows_no_order_but_what_was_told() -> None:
    digests = {"a": "1", "b": "2"}

    assert fingerprint_of({"b": "2", "a": "1"}, "x") == fingerprint_of(digests, "x")
    assert fingerprint_of(digests, "y") != fingerprint_of(digests, "x")


def test_all_files_that_differ_are_named_at_once(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / "model.bin").write_bytes(b"Weights")  # one bit
    (tmp_path / "encoder" / "config.json").unlink()
    (tmp_path / "encoder" / "manifest.json").write_bytes(b"ow")  # truncated
    (tmp_path / "encoder" / "added_tokens.json").write_bytes(b"{}")

    assert refusal(tmp_path).splitlines() == [
        f"{tmp_path}: does not match its manifest, so it is not loaded:",
        "  encoder/added_tokens.json: not listed in manifest.json; move it out of the folder",
        "  encoder/config.json: missing",
        "  encoder/manifest.json: altered or truncated (its sha256 differs)",
        "  model.bin: altered or truncated (its sha256 differs)",
    ]


def test_what_a_file_manager_leaves_behind_is_passed_over(tmp_path: Path) -> None:
    sealed(tmp_path)
    (tmp_path / ".DS_Store").write_bytes(b"")

    assert open_sealed(tmp_path, "run").kind == "run"


def test_a_file_outside_the_folder_is_no_file_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    sealed(folder)
    (tmp_path / "outside").write_bytes(b"x")
    listed = file_digests(folder) | {"../outside": hashlib.sha256(b"x").hexdigest()}
    change_manifest(folder, sha256=listed)

    assert "../outside: missing" in refusal(folder)


def test_another_version_is_refused_before_anything_else(tmp_path: Path) -> None:
    sealed(tmp_path)
    change_manifest(tmp_path, format_version=FORMAT_VERSION + 1, unheard_of=1)

    assert f"format_version {FORMAT_VERSION + 1} found" in refusal(tmp_path)
    assert "unheard_of" not in refusal(tmp_path)


def test_another_kind_is_refused(tmp_path: Path) -> None:
    sealed(tmp_path)

    assert refusal(tmp_path, "prepared") == (
        f"{tmp_path}: this is a run folder, a prepared folder is needed"
    )


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", "\x00", "[" * 100_000, '{"format_version": "1"}']
)
def test_a_broken_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)

    assert refusal(tmp_path).startswith(str(tmp_path / MANIFEST))


def test_a_manifest_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(b"\xff\xfe\x00")

    assert "not valid JSON" in refusal(tmp_path)


def test_every_wrong_field_is_named(tmp_path: Path) -> None:
    sealed(tmp_path)
    change_manifest(tmp_path, seed="x", kind="cake")

    assert [line.split(":")[0] for line in refusal(tmp_path).splitlines()[1:]] == [
        "  kind",
        "  seed",
    ]


@pytest.mark.parametrize(("kind", "verb"), [("prepared", "prepare"), ("run", "train")])
def test_a_folder_without_a_manifest_says_how_to_make_one(
    tmp_path: Path, kind: Any, verb: str
) -> None:
    assert f"shelfwise {verb}" in refusal(tmp_path, kind)
    assert f"shelfwise {verb}" in refusal(tmp_path / "nowhere", kind)


def test_what_a_folder_holds(tmp_path: Path) -> None:
    assert holds(tmp_path) is None
    sealed(tmp_path)
    assert holds(tmp_path) == "run"
    for text in ("[]", '{"kind": "cake"}', '{"kind": ["run"]}', "{"):
        (tmp_path / MANIFEST).write_text(text)
        assert holds(tmp_path) is None
