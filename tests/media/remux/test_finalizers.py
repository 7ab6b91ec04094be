"""Files are patched where FFmpeg or PyAV cannot write everything; what remains lost is reported."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import listing, reader
from tests.support.frames import LOSSLESS, clip, pass_through
from vidrestore.errors import OutputError
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.output.destination import STDOUT
from vidrestore.media.remux import finalizers


def anamorphic(path: Path, ratio: Fraction | None) -> Path:
    """A clip with that sample aspect ratio."""
    return clip(path, count=8, aspect=ratio, options={"g": "4"})


def test_an_aspect_ratio_that_cannot_be_written_is_a_warning(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(finalizers, "write_aspect_ratios", lambda *_: False)
    source = anamorphic(tmp_path / "in.mp4", Fraction(16, 15))
    pass_through(source, tmp_path / "out.mkv", LOSSLESS)
    assert "out.mkv cannot hold the sample aspect ratio 16:15; .mp4 and .mov can" in caplog.text
    caplog.clear()
    pass_through(source, tmp_path / "x264.mkv", EncoderSettings(codec="libx264"))
    assert not caplog.records
    with pytest.raises(OutputError, match=r"--strict: strict\.mkv cannot hold"):
        pass_through(source, tmp_path / "strict.mkv", LOSSLESS, strict=True)
    assert not (tmp_path / "strict.mkv").exists()


@pytest.mark.parametrize(("codec", "lost"), [("ffv1", True), ("libx264", False)])
def test_standard_output_cannot_be_patched(tmp_path, caplog, capfdbinary, codec, lost):
    source = anamorphic(tmp_path / "in.mp4", Fraction(16, 15))
    pass_through(source, STDOUT, EncoderSettings(codec=codec))
    assert ("standard output cannot hold the sample aspect ratio 16:15" in caplog.text) is lost
    out = tmp_path / "out.mkv"
    out.write_bytes(capfdbinary.readouterr().out)
    assert len(reader.frames(out)) == 8
    assert listing.aspect_ratios(out) == [None if lost else "16:15"]


@pytest.mark.parametrize("ratio", [None, Fraction(1), Fraction(0)])  # PyAV 19: 0 is unknown
def test_tracks_without_an_aspect_ratio_lose_nothing(ratio):
    lost: list[str] = []
    ratios = finalizers.AspectRatios(lost.append)
    ratios.add(ratio, "ffv1")
    ratios.skip()
    assert not lost
    ratios.add(Fraction(16, 15), "ffv1")
    ratios.skip()
    assert lost == ["16:15"]


@pytest.mark.parametrize("shape", [None, Fraction(1)])
def test_files_with_square_pixels_are_not_patched(tmp_path, monkeypatch, shape):
    monkeypatch.setattr(finalizers, "write_aspect_ratios", None)
    out = pass_through(anamorphic(tmp_path / "in.mp4", shape), tmp_path / "out.mkv", LOSSLESS)
    assert len(reader.frames(out)) == 8
