"""The design's arrows: which room may import which."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import vidrestore

PACKAGE = Path(vidrestore.__file__).parent
#: Each room and the rooms it may import, besides itself and the errors. A room "a/b" is a folder or module of
#: room "a"; what is allowed as "a" includes all of its rooms. Every module is in one room: the longest that
#: its path begins with.
ALLOWED = {
    # What everything stands on.
    "runtime": set(),
    "weights": {"runtime"},
    # Media: knows nothing of faces.
    "media": {"runtime"},
    "media/containers": set(),
    "media/ebml": set(),
    "media/frames": {"runtime", "media"},
    "media/decode": {"runtime", "media"},
    "media/encode": {"runtime", "media"},
    "media/remux": {"runtime", "media"},
    "media/output": {"runtime", "media"},
    # Faces: know nothing of containers.
    "faces": set(),
    "faces/detection": {"faces", "runtime", "weights"},
    "faces/alignment": {"faces", "runtime"},
    "faces/tracking": {"faces", "faces/detection", "faces/alignment"},
    "faces/recorded": {"faces"},
    # Restoration: aligned faces in batches, neither frames nor files.
    "restore": {"runtime", "weights"},
    "restore/codeformer": {"restore", "runtime"},
    "restore/fidelity": {"restore", "runtime"},
    "restore/temporal": {"restore", "runtime"},
    "degradation": {"runtime", "media"},
    # Beside the pipeline: to train and to measure.
    "measure": {"runtime", "weights", "media", "faces", "restore", "degradation"},
    "training": {"runtime", "weights", "media", "faces", "restore", "degradation", "measure"},
    # Options, and the steps that the jobs share.
    "option_types": set(),
    "options": {"option_types", "media/containers"},
    "option_names": {"options", "option_types"},
    "presets": {"option_names", "option_types"},
    "stages": {"options", "option_types", "media", "faces", "restore", "runtime", "weights"},
    # The jobs.
    "analyze": {"options", "stages", "media", "faces", "runtime"},
    "pipeline": {"options", "stages", "media", "faces", "restore", "runtime"},
    "dry_run": {"options", "stages", "media", "weights"},
    "images": {"options", "stages", "media", "faces", "restore", "runtime"},
    # The ways in.
    "api": {"options", "option_names", "analyze", "pipeline", "dry_run", "images", "media"},
    "messages": set(),
    "cli_parser": {"options", "option_types", "presets"},
    "cli": {"cli_parser", "options", "analyze", "pipeline", "dry_run", "media", "runtime", "weights"},
    "__main__": {"cli", "messages"},
}


def room_of(module: tuple[str, ...]) -> str:
    """The room of a module, named without the package."""
    return max((room for room in ALLOWED if module[: room.count("/") + 1] == tuple(room.split("/"))), key=len)


def modules_imported(path: Path) -> set[tuple[str, ...]]:
    """Modules of this package, or names in them, that a module imports, wherever in it."""
    package = ("vidrestore", *path.relative_to(PACKAGE).parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    found = {tuple(name.split(".")[1:]) for name in names if name.startswith("vidrestore.")}
    return {module for module in found if module[0] not in {"errors", "__version__"}}


PATHS = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in {"__init__.py", "errors.py"}]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_arrows(path):
    room = room_of(path.relative_to(PACKAGE).with_suffix("").parts)
    for module in modules_imported(path):
        target = room_of(module)
        rooms = {room, room.split("/")[0]} if "/" not in target else {room}
        assert {target, target.split("/")[0]} & (ALLOWED[room] | rooms), f"{room} imports {'.'.join(module)}"
