"""A packed run is the run, in small files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vidrestore.errors import UsageError
from vidrestore.training.packing import LIMIT, pack, unpack


def save(run: Path, step: int, size: int = 2_500) -> None:
    """Write a checkpoint of about ``size`` bytes."""
    noise = torch.randint(0, 256, (size,), dtype=torch.uint8, generator=torch.manual_seed(step))
    torch.save({"averaged": {}, "stage": {}, "step": step, "noise": noise}, run / "stage1.pt")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    save(run, 20)
    (run / "stage1.csv").write_text("step\n20\n")
    (run / "sheets").mkdir()
    return run


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_unpacking_restores_what_was_packed(run: Path, tmp_path: Path) -> None:
    pack(run, tmp_path / "packed", limit=1000)
    sizes = [len(data) for name, data in files(tmp_path / "packed").items() if name != "index.json"]
    whole = (run / "stage1.pt").stat().st_size
    assert sorted(sizes) == [8, whole % 1000, *[1000] * (whole // 1000)]
    assert sorted(unpack(tmp_path / "packed", tmp_path / "new")) == ["stage1.csv", "stage1.pt"]
    assert files(tmp_path / "new") == files(run)


def test_parts_have_at_most_15_mb_by_default(run: Path, tmp_path: Path) -> None:
    save(run, 20, LIMIT)
    pack(run, tmp_path / "packed")
    sizes = sorted(path.stat().st_size for path in (tmp_path / "packed").glob("stage1.pt.*"))
    assert len(sizes) == 2
    assert sizes[0] < sizes[1] == 15_000_000


def test_a_later_checkpoint_replaces_the_one_before(run: Path, tmp_path: Path) -> None:
    pack(run, tmp_path / "packed", limit=1000)
    save(run, 40, 100)
    pack(run, tmp_path / "packed", limit=1000)
    parts = -(-(run / "stage1.pt").stat().st_size // 1000)
    assert len(files(tmp_path / "packed")) == parts + 2
    unpack(tmp_path / "packed", tmp_path / "new")
    assert files(tmp_path / "new") == files(run)


def test_what_else_lies_in_the_folder_is_left_alone(run: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    (packed / "sheets").mkdir(parents=True)
    others = {"notes.txt", "stage1.pt", "film.mp4", ".hidden"}
    for name in others:
        (packed / name).write_bytes(b"mine")
    (packed / ".stage1.pt.000.01234567").write_bytes(b"half of a part, of a run that was killed")
    pack(run, packed, limit=1000)
    save(run, 40, 10)
    later = (run / "stage1.pt").read_bytes()
    pack(run, packed, limit=len(later))
    assert (packed / "sheets").is_dir()
    parts = {path.name for path in packed.iterdir() if path.is_file()} - others
    assert {name.rsplit(".", 1)[0] for name in parts} == {"index", "stage1.pt.000", "stage1.csv.000"}
    with pytest.raises(UsageError, match="cannot be packed into its own folder"):
        pack(run, run)
    assert (run / "stage1.pt").read_bytes() == later


def test_existing_files_of_the_run_are_kept(run: Path, tmp_path: Path) -> None:
    pack(run, tmp_path / "packed")
    save(run, 40)
    further = (run / "stage1.pt").read_bytes()
    assert unpack(tmp_path / "packed", run) == []
    assert (run / "stage1.pt").read_bytes() == further
    assert unpack(tmp_path / "nothing", run) == []


def test_a_checkpoint_that_is_further_replaces_an_earlier_one_with_its_log(run: Path, tmp_path: Path) -> None:
    """As where a run comes back to the machine that it began on."""
    elsewhere = tmp_path / "elsewhere"
    pack(run, tmp_path / "packed")
    unpack(tmp_path / "packed", elsewhere)
    save(elsewhere, 60)
    (elsewhere / "stage1.csv").write_text("step\n20\n40\n60\n")
    pack(elsewhere, tmp_path / "packed")
    assert sorted(unpack(tmp_path / "packed", run)) == ["stage1.csv", "stage1.pt"]
    assert files(run) == files(elsewhere)


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: path.write_bytes(b"x" * 1000)], ids=["missing", "damaged"]
)
def test_a_missing_or_damaged_part_is_named(
    run: Path, tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    pack(run, tmp_path / "packed", limit=1000)
    spoil(next((tmp_path / "packed").glob("stage1.pt.001.*")))
    with pytest.raises(UsageError, match=r"stage1.pt.001.* is missing or damaged"):
        unpack(tmp_path / "packed", tmp_path / "new")
    assert not list((tmp_path / "new").glob("stage1.pt*"))
