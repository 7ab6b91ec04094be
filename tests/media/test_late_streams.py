"""Streams that begin late in a file that does not list them are kept, or named."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.support import sources
from tests.support.frames import FAST, pass_through
from vidrestore.errors import OutputError
from vidrestore.media import late_streams
from vidrestore.media.probe import open_input

#: Noise, of which MPEG-2 makes more bytes in a second than FFmpeg reads by itself when it opens a file.
NOISE = ("testsrc2=s=720x576:r=25:d=1.6,noise=alls=100:allf=t", {"f": "lavfi"})
#: It also ends before the end, where FFmpeg looks for the duration.
LATE_SOUND = ("sine=440:d=0.4:r=48000", {"f": "lavfi", "itsoffset": 1.0})


def film(path: Path) -> Path:
    """A program stream whose sound begins more than 5 MB after its video."""
    options = {"c:v": "mpeg2video", "q:v": 1, "qmin": 1, "maxrate": "90M", "bufsize": "16M", "c:a": "mp2"}
    source = sources.make(path, NOISE, LATE_SOUND, **options)
    assert source.read_bytes().index(b"\0\0\x01\xc0") > 5_000_000
    return source


def test_sound_that_begins_late_is_kept(tmp_path, caplog):
    source = film(tmp_path / "in.vob")
    out = pass_through(source, tmp_path / "out.mkv", FAST, strict=True)
    with av.open(str(source), options={"probesize": "50000000"}) as container:
        given = [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]
    with av.open(str(out)) as container:
        got = [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]
    assert got == given
    assert len(given) > 10
    assert caplog.messages == []


def test_what_begins_later_still_is_named(tmp_path, caplog, monkeypatch):
    source = film(tmp_path / "in.vob")
    monkeypatch.setattr(late_streams, "FURTHER", {"probesize": "1000000"})
    pass_through(source, tmp_path / "out.mkv", FAST)
    (said,) = caplog.messages
    assert said.startswith(
        "in.vob has a stream that begins too late to be found when it is opened, #1 Audio: mp2"
    )
    with pytest.raises(OutputError, match=r"^--strict: in\.vob has a stream that begins too late"):
        pass_through(source, tmp_path / "strict.mkv", FAST, strict=True)
    assert not (tmp_path / "strict.mkv").exists()


@pytest.mark.parametrize(("ending", "codec"), [(".vob", "mpeg2video"), (".flv", "flv"), (".mkv", "mpeg4")])
def test_a_file_without_late_streams_has_none(tmp_path, ending, codec):
    source = sources.make(tmp_path / f"in{ending}", sources.VIDEO, **{"c:v": codec})
    with open_input(source) as container:
        assert late_streams.may_gain_streams(container) == (ending != ".mkv")
        assert len(list(container.demux())) > 29
        assert late_streams.late_streams(container) == []
