"""What the documentation says, held against the code it speaks of."""

from __future__ import annotations

import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.core import TyperGroup

from shelfwise.cli.main import app
from shelfwise.config import option_paths, validated
from shelfwise.schema.columns import CAMPAIGNS, CATALOGUE, EVENTS, JUDGEMENTS, PAIRS, USERS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [body for kind, body in found if kind == language]


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command in the page's shell blocks, without comments."""
    for block in blocks(page, "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


@pytest.fixture(scope="module")
def tables() -> ModuleType:
    spec = spec_from_file_location("write_tables", ROOT / "docs" / "write_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_tables_are_those_of_the_code(page: Path, tables: ModuleType) -> None:
    text = page.read_text(encoding="utf-8")

    assert tables.filled(text) == text, "run: .venv/bin/python docs/write_tables.py"


def test_every_column_is_explained() -> None:
    page = (ROOT / "docs/how-to/own-data.md").read_text(encoding="utf-8")

    missing = [
        column.name
        for column in (*CATALOGUE, *EVENTS, *USERS, *JUDGEMENTS, *CAMPAIGNS, *PAIRS)
        if f"`{column.name}`" not in page
    ]
    assert missing == []


def test_every_option_is_explained() -> None:
    page = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")

    assert [path for path in option_paths() if f"| `{path.split('.')[-1]}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    targets = [link for link in _LINK.findall(text) if "://" not in link]

    broken = [
        link
        for link in targets
        if not link.startswith("#") and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist_with_these_options(page: Path) -> None:
    top = typer.main.get_command(app)
    for words in commands(page):
        if words[0] != "shelfwise":
            continue
        command, rest = top, words[1:]
        assert isinstance(top, TyperGroup)
        while isinstance(command, TyperGroup):
            found = command.get_command(typer.Context(command), rest[0])
            assert found is not None, f"no command {rest[0]}: {shlex.join(words)}"
            command, rest = found, rest[1:]
        # Parses the words as the command would, and runs nothing.
        context = command.make_context(shlex.join(words), rest)
        settings = context.params.get("settings") or []
        assert {setting.partition("=")[0] for setting in settings} <= set(option_paths())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    named = {words[1] for words in commands(page) if words[0] == "make" and len(words) > 1}
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_configuration_is_accepted(page: Path) -> None:
    for block in blocks(page, "toml"):
        validated(tomllib.loads(block), (), name_of(page))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_imports_what_there_is(page: Path) -> None:
    for block in blocks(page, "python"):
        compile(block, name_of(page), "exec")
        for module, names in re.findall(r"^from (shelfwise[\w.]*) import (.+)$", block, re.M):
            for name in names.split(","):
                assert hasattr(importlib.import_module(module), name.strip())


def test_sources_named_in_the_architecture_exist() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_/]+\.py)`", page)
    sources = [name for name in named if not name.startswith(("tests/", "docs/", "benchmarks/"))]

    assert sources
    assert [name for name in sources if not (ROOT / "src/shelfwise" / name).is_file()] == []


def test_both_readmes_show_the_same_programs() -> None:
    english, chinese = ROOT / "README.md", ROOT / "README.zh-CN.md"

    for language in ("bash", "python"):
        assert blocks(english, language) == blocks(chinese, language)
