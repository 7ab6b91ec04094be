"""The job that a file calls for."""

from __future__ import annotations

from pathlib import Path

from tests.support import tiny
from vidrestore.one_file import restore_file
from vidrestore.options import Options
from vidrestore.stages.networks import Networks

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"


def test_files_share_networks(tmp_path):
    weights, networks = tiny.save_weights(tmp_path / "tiny.safetensors"), Networks()
    for name in ("a.mkv", "b.mkv"):
        options = Options(input=SAMPLE, output=tmp_path / name, weights=weights, duration="0.1")
        report = restore_file(options, networks=networks)
        assert report.frames > 0
    assert (tmp_path / "a.mkv").exists()
    assert len(networks._models) == 1


def test_the_complete_file_is_shown_just_before_it_is_in_place(tmp_path):
    out = tmp_path / "a.mkv"
    options = Options(input=SAMPLE, output=out, model="lite", duration="0.1")
    seen = []

    def complete(path: Path) -> None:
        assert not out.exists()
        seen.append(path.read_bytes())

    restore_file(options, complete=complete)
    assert seen == [out.read_bytes()]
