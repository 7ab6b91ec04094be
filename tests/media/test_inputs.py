"""Inputs that are no common file: pictures, pipes, what changes on its way, what is damaged or locked."""

from __future__ import annotations

import io
import os
import threading
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import reader
from tests.support.frames import FAST, LOSSLESS, clip, ffmpeg, pass_through, synthetic
from tests.support.platforms import posix
from vidrestore.errors import InputError, UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.pipe_input import local_input


def numbered(folder: Path, first: int, count: int) -> Path:
    synthetic(folder / "f_%04d.png", "mandelbrot=s=64x48:r=25", "-frames:v", count, "-start_number", first)
    return folder / "f_%04d.png"


def test_numbered_pictures_are_a_video(tmp_path):
    source = numbered(tmp_path, 117, 5)
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS, rate=Fraction(50))
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 50) for i in range(5)]
    assert len({f.digest for f in reader.frames(out)}) == 5


def test_a_picture_that_is_missing_ends_the_sequence(tmp_path, caplog):
    source = numbered(tmp_path, 0, 6)
    (tmp_path / "f_0003.png").unlink()
    out = pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert [f.time for f in reader.frames(out)] == [Fraction(i, 25) for i in range(3)]
    assert "3 of 5 frames could be read" in caplog.text


def test_sequences_that_are_none_and_rates_that_are_not_asked_for(tmp_path):
    with pytest.raises(InputError, match="no image matches"):
        Decoder(tmp_path / "g_%03d.png")
    with pytest.raises(UsageError, match="has its own timestamps"):
        Decoder(clip(tmp_path / "in.mp4"), rate=Fraction(30))


def test_a_video_that_changes_its_size_keeps_its_first(tmp_path, caplog):
    parts = [
        synthetic(tmp_path / f"{n}.ts", f"testsrc2=s={s}:r=25", "-frames:v", 10)
        for n, s in enumerate(("64x48", "96x80"))
    ]
    source = tmp_path / "in.ts"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", source)
    out = pass_through(source, tmp_path / "out.mp4")
    frames = reader.frames(out)
    assert [f.time for f in frames] == [f.time for f in reader.frames(source)]
    assert "64x48" in reader.describe(out)
    assert "10 frames were scaled to the size of the first" in caplog.text
    assert caplog.text.count("WARNING") == 1


def test_encrypted_video_is_said_so(tmp_path):
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    source = synthetic(
        tmp_path / "in.mp4",
        "testsrc2=s=64x48:r=25",
        *("-frames:v", 10, "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key),
        *("-encryption_kid", "a7e61c373e219033c21091fa607bf3b8"),
    )
    with pytest.raises(InputError, match="is encrypted"):
        Decoder(source)


def test_with_strict_damage_is_an_error(tmp_path):
    source = clip(tmp_path / "in.mkv", count=50, size=(320, 240), options={"g": "5", "bf": "0"})
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    source.write_bytes(data)
    out = tmp_path / "out.mp4"
    with pytest.raises(InputError, match="leave out --strict"):
        pass_through(source, out, strict=True)
    assert not out.exists()
    pass_through(source, out)
    assert len(reader.frames(out)) >= 35


ODD_NAMES = [
    "two words.mp4",
    "fílm ☃.mp4",
    "-dash.mp4",
    "new\nline.mp4",
    "100%.mp4",
    "a:b?c=d&e#f.mp4",
    "frame_%d.mp4",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_name_is_only_a_name(tmp_path, name):
    (tmp_path / "plain.mp4").write_bytes(clip(tmp_path / "clip.mp4").read_bytes())
    (tmp_path / "plain.mp4").rename(tmp_path / name)
    out = pass_through(tmp_path / name, tmp_path / f"out {name}", FAST)
    assert len(reader.frames(out.rename(tmp_path / "read.mp4"))) == 6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "nothing.mp4", "does not exist"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: synthetic(folder / "sound.mp4", "sine=d=1"), "holds no video"),
    ],
    ids=["missing", "folder", "sound"],
)
def test_what_holds_no_video_is_said_so(tmp_path, make, words):
    with pytest.raises(InputError, match=words):
        Decoder(make(tmp_path))


# Pipes


class Pipe:
    """Standard input, or what is taken for it."""

    def __init__(self, data: bytes, *, terminal: bool = False) -> None:
        self.buffer, self._terminal = io.BytesIO(data), terminal

    def isatty(self) -> bool:
        return self._terminal


def test_standard_input_is_a_file_for_as_long_as_it_takes(tmp_path, monkeypatch):
    """An MP4 with its index at the end, which cannot be read as it comes."""
    source = clip(tmp_path / "in.mp4")
    monkeypatch.setattr("sys.stdin", Pipe(source.read_bytes()))
    (tmp_path / "outs").mkdir()
    out = tmp_path / "outs" / "out.mkv"
    with local_input(Path("-"), out) as path:
        assert path.name == "standard input"
        assert path.parent.parent == out.parent
        pass_through(path, out, LOSSLESS)
    assert [f.digest for f in reader.frames(out)] == [f.digest for f in reader.frames(source)]
    assert list(out.parent.iterdir()) == [out]


@posix
def test_a_named_pipe_is_read_once(tmp_path):
    source, pipe = clip(tmp_path / "in.mp4"), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(source.read_bytes()))
    writer.start()
    with local_input(pipe) as path:
        assert path.read_bytes() == source.read_bytes()
    writer.join()
    assert not path.exists()


def test_files_are_left_where_they_are(tmp_path):
    with local_input(tmp_path / "in.mp4") as path:
        assert path == tmp_path / "in.mp4"


@pytest.mark.parametrize(
    ("stdin", "error", "words"),
    [
        (Pipe(b"", terminal=True), UsageError, "is a terminal"),
        (Pipe(b""), InputError, "is empty; pipe a video"),
    ],
    ids=["terminal", "nothing"],
)
def test_no_input_is_said_so(tmp_path, monkeypatch, stdin, error, words):
    monkeypatch.setattr("sys.stdin", stdin)
    with pytest.raises(error, match=words), local_input(Path("-"), tmp_path / "out.mp4"):
        pass
    assert list(tmp_path.iterdir()) == []
