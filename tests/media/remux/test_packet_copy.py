"""AAC of a transport stream is the same in every output, also in one that cannot seek."""

from __future__ import annotations

import os
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support import reader, sources
from tests.support.frames import pass_through_fast
from tests.support.platforms import posix
from vidrestore.media.timeline import Span

AAC = {"c:v": "libx264", "c:a": "aac", "ac": 2, "ar": 48000}


def transport_stream(path: Path) -> Path:
    return sources.make(path, sources.VIDEO, sources.AUDIO, **AAC)


def through_a_pipe(source: Path, folder: Path, ending: str) -> Path:
    """The output as a program reads it from a named pipe."""
    pipe, got = folder / f"pipe{ending}", folder / f"got{ending}"
    os.mkfifo(pipe)
    with got.open("wb") as file, subprocess.Popen(["cat", str(pipe)], stdout=file) as program:
        try:
            pass_through_fast(source, pipe)
        finally:
            with open(pipe, "r+b", buffering=0):  # also if nothing was written, the program ends
                pass
            program.wait(60)
    return got


def header(path: Path) -> str:
    with av.open(str(path)) as container:
        return bytes(container.streams.audio[0].codec_context.extradata or b"").hex()


@posix
@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov"])
def test_a_pipe_gets_the_sound_of_a_file(tmp_path, ending):
    source = transport_stream(tmp_path / "in.ts")
    file = pass_through_fast(source, tmp_path / f"out{ending}")
    got = through_a_pipe(source, tmp_path, ending)
    assert header(got) == header(file) == "1190"  # AAC LC, 48 kHz, two channels
    given = [packet.digest for packet in reader.packets(source, "0:a", **{"bsf:a": "aac_adtstoasc"})]
    assert len(given) > 50
    assert [packet.digest for packet in reader.packets(got, "0:a")] == given
    assert [packet.digest for packet in reader.packets(file, "0:a")] == given
    sound = [frame.digest for frame in reader.frames(file, "0:a")]
    assert [frame.digest for frame in reader.frames(got, "0:a")] == sound


def test_a_part_has_the_header_of_the_whole(tmp_path):
    source = transport_stream(tmp_path / "in.ts")
    out = pass_through_fast(source, tmp_path / "out.mkv", span=Span(Fraction(3, 5), None))
    assert header(out) == "1190"
    assert len(reader.frames(out, "0:a")) == len(reader.packets(out, "0:a")) > 20


def test_a_packet_without_its_header_is_counted(tmp_path, caplog):
    source = transport_stream(tmp_path / "in.ts")
    packets = reader.packets(source, "0:a")
    content = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        damaged = [bytes(p)[:7] for p in container.demux(container.streams.audio[0]) if p.size][9]
    place = content.find(damaged)
    content[place : place + 2] = b"\0\0"
    source.write_bytes(content)
    out = pass_through_fast(source, tmp_path / "out.mkv")
    assert len(reader.packets(out, "0:a")) < len(packets)
    assert "packets of other streams could not be kept" in caplog.text
