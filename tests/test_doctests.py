"""The examples in docstrings give what they say."""

from __future__ import annotations

import doctest
import importlib
import os
import shutil
import subprocess
import sys
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
    """They run in a folder with a copy of ``samples/``; ``out`` and ``tracks`` name files to write."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    names = {"out": tmp_path / "out.mp4", "tracks": tmp_path / "tracks.json"}
    results = doctest.testmod(importlib.import_module(name), optionflags=flags, extraglobs=names)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_has_an_example(name):
    assert ">>> " in (getattr(vidrestore, name).__doc__ or "")


def test_no_module_hides_a_public_function():
    """Importing a module sets it as an attribute of its package, in place of a function of the same name."""
    modules = [module_name(path) for path in PACKAGE.rglob("*.py") if path.name != "__main__.py"]
    code = f"""
import importlib, inspect, vidrestore
for name in {modules}:
    importlib.import_module(name)
hidden = [name for name in {FUNCTIONS} if not inspect.isfunction(getattr(vidrestore, name))]
assert not hidden, hidden
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
