"""The examples in docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
import shutil
from pathlib import Path

import pytest

import vidrestore

ROOT = Path(__file__).parents[1]
PACKAGE = Path(vidrestore.__file__).parent


def module_name(path: Path) -> str:
    parts = ("vidrestore", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(part for part in parts if part != "__init__")


MODULES = [
    module_name(path) for path in sorted(PACKAGE.rglob("*.py")) if ">>> " in path.read_text(encoding="utf-8")
]
FUNCTIONS = [name for name in getattr(vidrestore, "__all__", ()) if name.islower() and name[0] != "_"]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    """They run in a folder of their own that holds a copy of ``samples/``."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    results = doctest.testmod(importlib.import_module(name), optionflags=flags)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_has_an_example(name):
    assert ">>> " in (getattr(vidrestore, name).__doc__ or "")
