"""The rooms of docs/architecture.md: which may import which, and that the tests mirror them."""

from __future__ import annotations

import ast
import re
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
    "media/boxes": set(),
    "media/spherical": {"media/boxes", "media/ebml"},
    "media/presentation": {"media/containers", "media/ebml", "media/frames", "media/spherical"},
    "media/source_video": {"media", "media/frames", "media/presentation"},
    "media/decode": {"media", "media/frames", "media/presentation", "media/source_video"},
    "media/encode": {
        "media/containers",
        "media/ebml",
        "media/frames",
        "media/presentation",
        "media/source_video",
    },
    "media/remux": {
        "media",
        "media/boxes",
        "media/containers",
        "media/ebml",
        "media/encode",
        "media/presentation",
        "media/source_video",
    },
    "media/output": {
        "runtime",
        "media/containers",
        "media/frames",
        "media/source_video",
        "media/encode",
        "media/remux",
    },
    "media/photo": {"media/boxes", "media/frames"},
    "media/inspect": {"media", "media/frames", "media/decode", "media/presentation", "media/remux"},
    # Faces: know nothing of containers.
    "faces": set(),
    "faces/detection": {"faces", "runtime", "weights"},
    "faces/alignment": {"faces", "runtime"},
    "faces/tracking": {"faces", "faces/detection", "faces/alignment"},
    "faces/identity": {"faces", "faces/alignment", "faces/tracking"},
    "faces/recorded": {"faces"},
    # Restoration: aligned faces in batches, neither frames nor files.
    "restoration": {"runtime"},
    "restoration/codeformer": {"restoration", "runtime"},
    "restoration/fidelity": {"restoration", "runtime"},
    "restoration/temporal": {"restoration", "restoration/fidelity", "runtime"},
    "restoration/finish": {"restoration", "restoration/fidelity", "restoration/temporal", "runtime"},
    "restoration/guarded": {"restoration", "restoration/fidelity", "restoration/temporal", "runtime"},
    "restoration/colour": {"restoration", "restoration/fidelity", "restoration/temporal"},
    "restoration/holes": {"restoration", "restoration/fidelity", "restoration/temporal", "runtime"},
    "restoration/tasks": {
        "restoration",
        "restoration/colour",
        "restoration/fidelity",
        "restoration/finish",
        "restoration/guarded",
        "restoration/holes",
        "restoration/temporal",
    },
    "restoration/networks": {"restoration", "runtime", "weights"},
    "restoration/load": {
        "restoration",
        "restoration/codeformer",
        "restoration/networks",
        "restoration/tasks",
        "runtime",
        "weights",
    },
    "degradation": {"runtime", "media"},
    # Beside the pipeline: to train and to measure.
    "measure": {"option_types", "runtime", "weights", "media", "faces", "restoration", "degradation"},
    "training": {"runtime", "weights", "media", "faces", "restoration", "degradation", "measure"},
    # Options, and the steps that the jobs share.
    "option_types": set(),
    "option_groups": {"option_types", "weights"},
    "encoding_options": {"option_types", "media/containers"},
    "review_options": {"option_types"},
    "photo_options": {"option_types"},
    "options": {"encoding_options", "option_groups", "option_types", "photo_options", "review_options"},
    "option_names": {"options", "option_types"},
    "presets": {"option_names", "option_types"},
    "upscale": {"media", "runtime", "weights"},
    "stages": {"options", "option_types", "media", "faces", "restoration", "upscale", "runtime", "weights"},
    # What a run did, shown.
    "review": {
        *("options", "option_types", "stages", "media", "faces", "restoration", "upscale"),
        *("runtime", "weights"),
    },
    # The jobs.
    "analysis": {"options", "review", "stages", "media", "faces", "restoration", "runtime"},
    "report": {"stages", "media", "runtime"},
    "pipeline": {
        "options",
        "report",
        "review",
        "stages",
        "media",
        "faces",
        "restoration",
        "upscale",
        "runtime",
    },
    "cluster": {
        "options",
        "pipeline",
        "report",
        "review",
        "stages",
        "media",
        "faces",
        "restoration",
        "runtime",
        "weights",
    },
    "dry_run": {"options", "review", "stages", "media", "weights"},
    "photo": {"options", "stages", "media", "faces", "restoration", "upscale", "runtime", "weights"},
    "one_file": {
        "options",
        "option_types",
        "cluster",
        "dry_run",
        "photo",
        "pipeline",
        "report",
        "media",
        "stages",
    },
    "images": {
        "options",
        "option_types",
        "option_names",
        "stages",
        "media",
        "faces",
        "restoration",
        "runtime",
        "weights",
    },
    # Many files, and how far a run is.
    "progress": {"messages", "standard_streams"},
    "batch": {
        "options",
        "option_types",
        "messages",
        "cluster",
        "one_file",
        "progress",
        "stages",
        "media",
        "faces",
        "runtime",
    },
    # The ways in.
    "api": {
        *(
            "options",
            "option_names",
            "analysis",
            "one_file",
            "photo",
            "pipeline",
            "report",
            "dry_run",
            "images",
            "media",
        ),
    },
    "messages": set(),
    "standard_streams": set(),
    "cli_parser": {"options", "option_types", "presets", "standard_streams"},
    "other_parsers": {"cli_parser", "option_types"},
    "preview_parser": {"cli_parser", "options", "option_types", "presets"},
    "ui": {
        *("options", "option_types", "presets", "cli_parser"),
        *("review", "stages", "media", "faces", "restoration", "upscale", "runtime", "weights"),
    },
    "restore_command": {
        "batch",
        "cluster",
        "cli_parser",
        "report",
        "media",
        "one_file",
        "options",
        "progress",
        "runtime",
        "standard_streams",
        "weights",
    },
    "cli": {
        "other_parsers",
        "preview_parser",
        "cli_parser",
        "options",
        "analysis",
        "batch",
        "media",
        "progress",
        "restore_command",
        "review",
        "runtime",
        "standard_streams",
        "ui",
        "weights",
    },
    "__main__": {"cli", "messages", "standard_streams"},
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


TESTS = Path(__file__).parent
#: Modules without a test file of their own, and why.
WITHOUT_TWIN = {
    "__main__": "the command line, in tests/test_cli.py",
    "errors": "classes without behaviour",
}


def without_suffix(folder: Path, pattern: str) -> set[Path]:
    return {path.relative_to(folder).with_suffix("") for path in folder.rglob(pattern)}


def test_files_of_tests_mirror_the_package():
    """And tools/. Tests of the whole program, of its documents and of the tests lie in tests/ itself."""
    modules = {module for module in without_suffix(PACKAGE, "*.py") if module.name != "__init__"}
    tools = {"tools" / tool for tool in without_suffix(TESTS.parent / "tools", "*.py")}
    twins = {module.with_name(f"test_{module.name}"): module.as_posix() for module in modules | tools}
    files = without_suffix(TESTS, "test_*.py")
    strays = {file.as_posix() for file in files - twins.keys() if len(file.parts) > 1}
    assert not strays, "no module has these tests"
    missing = {name for twin, name in twins.items() if twin not in files and not name.startswith("tools/")}
    assert missing == WITHOUT_TWIN.keys()


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in TESTS.rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def test_nothing_is_imported_from_a_file_of_tests():
    for path in TESTS.rglob("*.py"):
        names = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names |= {f"{node.module or ''}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
        parts = {part for name in names if name.startswith((".", "tests")) for part in name.split(".")}
        assert not {part for part in parts if part.startswith("test_")}, path


def test_no_module_is_long():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.py")}
    assert not {path.name: length for path, length in lengths.items() if length > 300}


def test_the_architecture_names_every_room_and_module():
    """Of measuring and training only the rooms."""
    page = (TESTS.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    tree = page.partition("\nvidrestore/\n")[2].partition("```")[0]
    words = set(re.findall(r"[\w.]+/?", tree))
    for path in PATHS:
        parts = path.relative_to(PACKAGE).parts
        if parts[0] in {"measure", "training"}:
            assert f"{parts[0]}/" in words
        else:
            assert {*(f"{folder}/" for folder in parts[:-1]), path.stem} <= words, path
