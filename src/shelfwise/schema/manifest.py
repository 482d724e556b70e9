"""The seal on a saved folder: what made it, and a digest of every file in it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

import shelfwise
from shelfwise.schema.errors import ArtifactError
from shelfwise.schema.options import Options, explain

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_REPORTED_LIBRARIES = ("torch", "transformers", "tokenizers", "polars", "numpy")

Kind = Literal["prepared", "run"]


class Manifest(Options):
    """What a saved folder says about itself; read before anything else in it is."""

    format_version: int
    kind: Kind
    created_at: datetime
    shelfwise_version: str
    seed: int
    data_fingerprint: str
    """Digest of the prepared tables that everything downstream was made from."""
    facts: dict[str, Any]
    """What the maker wants remembered: tasks, counts, metrics."""
    versions: dict[str, str]
    sha256: dict[str, str]
    """File name, relative to the folder, to digest."""


def seal(
    folder: Path, kind: Kind, *, seed: int, data_fingerprint: str | None, facts: Mapping[str, Any]
) -> Manifest:
    """Write the manifest of a finished folder; without a fingerprint, its own files make one."""
    digests = {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }
    own = hashlib.sha256("".join(f"{n}:{d}\n" for n, d in digests.items()).encode()).hexdigest()
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        kind=kind,
        created_at=datetime.now(UTC),
        shelfwise_version=shelfwise.__version__,
        seed=seed,
        data_fingerprint=data_fingerprint or own,
        facts=dict(facts),
        versions=library_versions(),
        sha256=digests,
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def open_sealed(folder: Path, kind: Kind) -> Manifest:
    """Read a folder's manifest and check every file against it.

    Raises:
        ArtifactError: the folder is of another kind or version, or a file is missing, altered or
            not listed; all such files are named at once.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise ArtifactError(
            f"{folder}: no {MANIFEST} found; a {kind} folder has one. "
            f"Make it with: shelfwise {'prepare' if kind == 'prepared' else 'train'} ... --out"
        )
    manifest = _parse(path)
    if manifest.kind != kind:
        raise ArtifactError(
            f"{folder}: this is a {manifest.kind} folder, a {kind} folder is needed"
        )
    problems = _problems(folder, manifest)
    if problems:
        raise ArtifactError(
            "\n".join([f"{folder}: does not match its manifest, so it is not loaded:", *problems])
        )
    return manifest


def _parse(path: Path) -> Manifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: not valid JSON: {error}") from error
    found = raw.get("format_version") if isinstance(raw, dict) else None
    if found != FORMAT_VERSION:
        raise ArtifactError(
            f"{path}: format_version {found!r} found, this shelfwise ({shelfwise.__version__}) "
            f"reads {FORMAT_VERSION}; make the folder again, or use the version that wrote it"
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        raise ArtifactError("\n".join([f"{path}:", *explain(error, Manifest)])) from error


def _problems(folder: Path, manifest: Manifest) -> list[str]:
    problems = []
    for name, digest in manifest.sha256.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"  {name}: missing")
        elif file_digest(path) != digest:
            problems.append(f"  {name}: altered or truncated (its sha256 differs)")
    return problems


def file_digest(path: Path) -> str:
    """sha256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def library_versions() -> dict[str, str]:
    """Versions of what shapes a number: Python, Shelfwise and the libraries below it."""
    found = {"python": platform.python_version(), "shelfwise": shelfwise.__version__}
    for name in _REPORTED_LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
