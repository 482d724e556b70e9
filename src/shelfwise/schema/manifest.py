"""The seal on a saved folder: what made it, and a digest of every file in it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, get_args

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
    digests = file_digests(folder)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        kind=kind,
        created_at=datetime.now(UTC),
        shelfwise_version=shelfwise.__version__,
        seed=seed,
        data_fingerprint=data_fingerprint or fingerprint_of(digests),
        facts=dict(facts),
        versions=library_versions(),
        sha256=digests,
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return manifest


def open_sealed(folder: Path, kind: Kind) -> Manifest:
    """Read a folder's manifest and check every file against it.

    A file that the manifest does not list is refused too: a loader that looks for optional files,
    as those of encoders and tokenizers do, would read it unchecked. Names that begin with a dot
    are passed over; file managers leave such files behind, and nothing here reads them.

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


def holds(folder: Path) -> Kind | None:
    """Which kind of sealed folder stands there, if any, whole or not."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return None
    return found if found in get_args(Kind) else None


def _parse(path: Path) -> Manifest:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
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
    found, listed = file_digests(folder), manifest.sha256
    problems = []
    for name in sorted(found.keys() | listed.keys()):
        if name not in found:
            problems.append(f"  {name}: missing")
        elif name in listed and found[name] != listed[name]:
            problems.append(f"  {name}: altered or truncated (its sha256 differs)")
        elif name not in listed and not any(part.startswith(".") for part in Path(name).parts):
            problems.append(f"  {name}: not listed in {MANIFEST}; move it out of the folder")
    return problems


def file_digests(folder: Path) -> dict[str, str]:
    """sha256 of every file in a folder but its manifest, by name relative to the folder."""
    digests = {
        path.relative_to(folder).as_posix(): file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    digests.pop(MANIFEST, None)
    return digests


def fingerprint_of(digests: Mapping[str, str], told: str = "") -> str:
    """One digest of a folder's files, in order of their names, and of what else was ``told``."""
    lines = "".join(f"{name}:{digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256((lines + told).encode()).hexdigest()


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
