"""The design's arrows: which room may import which."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import vidrestore

PACKAGE = Path(vidrestore.__file__).parent
#: Each room and the rooms it may look into, besides itself and the errors.
ALLOWED = {
    "runtime": set(),
    "weights": {"runtime"},
    "media": {"runtime"},
    "faces": {"runtime", "weights"},
    "restore": {"runtime", "weights"},
    "measure": {"runtime", "weights", "media", "faces", "restore"},
    "training": {"runtime", "weights", "media", "faces", "restore", "measure"},
    "options": set(),
    "presets": {"options"},
    "analyze": {"options", "media", "faces", "runtime"},
    "portraits": {"options", "media", "faces", "restore", "runtime", "weights"},
    "resume": {"options", "portraits", "media", "faces", "weights"},
    "pipeline": {"options", "analyze", "portraits", "resume", "media", "faces", "restore", "runtime"},
    "plan": {"options", "analyze", "portraits", "pipeline", "media", "faces", "restore", "runtime"},
    "cli": {"options", "presets", "analyze", "pipeline", "plan", "media", "weights"},
    "__main__": {"cli"},
}


def rooms_imported(path: Path) -> set[str]:
    """Rooms of this package that a module imports, wherever in it."""
    package = ("vidrestore", *path.relative_to(PACKAGE).parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    rooms = {name.split(".")[1] for name in names if name.startswith("vidrestore.")}
    return rooms - {"errors", "__version__"}


@pytest.mark.parametrize("room", ALLOWED)
def test_arrows(room):
    paths = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    for path in paths:
        assert rooms_imported(path) <= ALLOWED[room] | {room}, path.relative_to(PACKAGE)


def test_every_module_is_in_a_room():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}
    assert rooms == set(ALLOWED) | {"errors", "__init__"}
