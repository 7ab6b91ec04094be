"""Every command in docs/adjust.md works as it stands, and its lines of a tracks file can be read."""

from __future__ import annotations

import json
import re
import shlex
from fractions import Fraction
from pathlib import Path

import av
import pytest

from vidrestore.__main__ import main
from vidrestore.faces.recorded.settings_entries import read_person, read_track

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adjust.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    """The lines of all code blocks of a kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [line for block in found for line in block.splitlines()]


def shortened(sample: Path, path: Path) -> None:
    """Every eighth frame of a sample."""
    with av.open(sample) as source, av.open(path, "w") as clip:
        video = clip.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 480, 360, "yuv420p"
        for number, picture in enumerate([*source.decode(video=0)][::8]):
            picture.pts, picture.time_base, picture.pict_type = number, Fraction(1, 25), 0
            clip.mux(video.encode(picture))
        clip.mux(video.encode(None))


def test_every_command(tmp_path, monkeypatch):
    commands = blocks("sh")
    assert len(commands) >= 8
    shortened(ROOT / "samples" / "scenes.mkv", tmp_path / "scenes.mkv")
    monkeypatch.chdir(tmp_path)
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "vidrestore"
        assert main(words) == 0, command
    with av.open("restored.mkv") as restored:
        assert sum(1 for _ in restored.decode(video=0)) == 12
    assert json.loads(Path("tracks.json").read_text())["persons"][1]["id"] == 2


def test_lines_of_a_tracks_file():
    person, track = map(json.loads, blocks("json"))
    assert read_person(person, "a person")[1].name == "Grace"
    assert read_track(track, "a track")[1].adjustment.w == 0.9


@pytest.mark.parametrize("entry", re.findall(r'`("(?:person|w|strength|skip|spans)": .*?)`', PAGE))
def test_settings_in_the_table(entry):
    [(name, value)] = json.loads(f"{{{entry}}}").items()
    _, settings, _ = read_track({"id": 1, name: value}, "a track")
    if name == "spans":
        spans = [{"from": span.start, "to": span.end, "w": span.adjustment.w} for span in settings.spans]
        assert spans == value
    else:
        assert getattr(settings if name == "person" else settings.adjustment, name) == value
