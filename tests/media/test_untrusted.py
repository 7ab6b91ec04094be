"""Files that strangers gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.errors import InputError
from vidrestore.media.probe import open_input
from vidrestore.media.untrusted import VARIABLE, is_restricted, opening_options

SAMPLES = Path(__file__).parents[2] / "samples"
#: Files that name other files, which FFmpeg would open.
NAMING = {
    "concat": "ffconcat version 1.0\nfile portrait.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:1,\nportrait.mp4\n#EXT-X-ENDLIST\n",
}


@pytest.mark.parametrize("kind", NAMING)
def test_a_list_of_other_files_is_opened_only_for_the_user_at_the_machine(kind, tmp_path, monkeypatch):
    (tmp_path / "portrait.mp4").symlink_to(SAMPLES / "portrait.mp4")
    path = tmp_path / ("list.m3u8" if kind == "hls" else "list.mkv")
    path.write_text(NAMING[kind])
    with open_input(path) as container:
        assert container.format.name == kind
    monkeypatch.setenv(VARIABLE, "1")
    assert is_restricted()
    with pytest.raises(InputError, match="cannot be read as a video"):
        open_input(path)


@pytest.mark.parametrize("name", ["portrait.mp4", "scenes.mkv"])
def test_videos_are_opened(name, monkeypatch):
    monkeypatch.setenv(VARIABLE, "1")
    with open_input(SAMPLES / name) as container:
        assert container.streams.video


def test_only_two_protocols_are_allowed(monkeypatch):
    assert opening_options() == {}
    monkeypatch.setenv(VARIABLE, "1")
    assert opening_options()["protocol_whitelist"] == "file,pipe"
