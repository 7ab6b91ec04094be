"""The design's arrows: which room may import which."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import vidrestore

PACKAGE = Path(vidrestore.__file__).parent
#: Each room and the rooms that it may import, besides itself and the errors. A room "a/b" is a folder or a
#: module of room "a". A module is in the longest room that its path begins with, so "a" as a room has only
#: the modules that are in none of its sub-rooms. To rooms elsewhere, "a" stands for all of a. Within a, a
#: sub-room must be named: "a/b" may import from "a/c" only if that is listed, and "a" stands for its own
#: modules alone.
ALLOWED = {
    # What everything stands on.
    "runtime": set(),
    "weights": {"runtime"},
    # Media: knows nothing of faces.
    "media": set(),
    "media/containers": set(),
    "media/ebml": set(),
    "media/frames": {"runtime"},
    "media/source_video": {"media", "media/frames"},
    "media/decode": {"media", "media/frames", "media/source_video"},
    "media/encode": {"media/containers", "media/ebml", "media/frames", "media/source_video"},
    "media/remux": {"media", "media/containers", "media/ebml", "media/encode", "media/source_video"},
    "media/output": {
        "runtime",
        "media/containers",
        "media/frames",
        "media/source_video",
        "media/encode",
        "media/remux",
    },
    "media/inspect": {"media", "media/frames", "media/decode", "media/remux"},
    # Faces: know nothing of containers.
    "faces": set(),
    "faces/detection": {"faces", "runtime", "weights"},
    "faces/alignment": {"faces", "runtime"},
    "faces/tracking": {"faces", "faces/detection", "faces/alignment"},
    "faces/recorded": {"faces"},
    # Restoration: aligned faces in batches, neither frames nor files.
    "restoration": {"runtime"},
    "restoration/codeformer": {"restoration", "runtime"},
    "restoration/fidelity": {"restoration", "runtime"},
    "restoration/temporal": {"restoration", "restoration/fidelity", "runtime"},
    "restoration/load": {"restoration", "restoration/codeformer", "runtime", "weights"},
    "degradation": {"runtime", "media"},
    # Beside the pipeline: to train and to measure.
    "measure": {"runtime", "weights", "media", "faces", "restoration", "degradation"},
    "training": {"runtime", "weights", "media", "faces", "restoration", "degradation", "measure"},
    # Options, and the steps that the jobs share.
    "option_types": set(),
    "options": {"option_types", "media/containers"},
    "option_names": {"options", "option_types"},
    "presets": {"option_names", "option_types"},
    "stages": {"options", "option_types", "media", "faces", "restoration", "runtime", "weights"},
    # The jobs.
    "analysis": {"options", "stages", "media", "faces", "runtime"},
    "pipeline": {"options", "stages", "media", "faces", "restoration", "runtime"},
    "dry_run": {"options", "stages", "media", "weights"},
    "images": {"options", "option_types", "stages", "media", "faces", "restoration", "runtime"},
    # The ways in.
    "api": {"options", "option_names", "analysis", "pipeline", "dry_run", "images", "media"},
    "messages": set(),
    "cli_parser": {"options", "option_types", "presets"},
    "cli": {
        "stages",
        "cli_parser",
        "options",
        "analysis",
        "pipeline",
        "dry_run",
        "media",
        "runtime",
        "weights",
    },
    "__main__": {"cli", "messages"},
}


def room_of(module: tuple[str, ...]) -> str:
    """The room of a module, named without the package."""
    return max((room for room in ALLOWED if module[: room.count("/") + 1] == tuple(room.split("/"))), key=len)


def may_import(room: str, target: str) -> bool:
    """Whether a module in ``room`` may import one in ``target``."""
    parent = target.split("/")[0]
    if parent == room.split("/")[0]:
        return target == room or target in ALLOWED[room]
    return target in ALLOWED[room] or parent in ALLOWED[room]


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
        assert may_import(room, room_of(module)), f"{room} imports {'.'.join(module)}"


@pytest.mark.parametrize(
    ("room", "target", "allowed"),
    [
        ("media/encode", "media/encode", True),
        ("media/encode", "media/frames", True),
        ("media/encode", "media/decode", False),
        ("media", "media/decode", False),
        ("media/frames", "media", False),
        ("media/decode", "media", True),
        ("pipeline", "media/decode", True),
        ("pipeline", "media", True),
        ("media/decode", "faces", False),
    ],
)
def test_a_sub_room_must_be_named_by_its_siblings(room, target, allowed):
    assert may_import(room, target) == allowed


def test_every_room_exists():
    named = set(ALLOWED).union(*ALLOWED.values())
    assert named == set(ALLOWED)
    missing = [r for r in named if not (PACKAGE / r).is_dir() and not (PACKAGE / f"{r}.py").is_file()]
    assert missing == []
