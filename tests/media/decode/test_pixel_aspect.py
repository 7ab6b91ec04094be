"""Each frame has the aspect ratio of its own part of the video, and what OUT loses of a change is named."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.frames import ffmpeg, pass_through, synthetic
from vidrestore.errors import LossError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.pixel_aspect import pixel_aspect
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.timeline import Span

NARROW, WIDE = Fraction(12, 11), Fraction(16, 11)
FAST = EncoderSettings("libx264", preset="ultrafast")


def joined(
    folder: Path, codec: str = "mpeg2video", *, matrices=("smpte170m", "bt709"), shapes=(NARROW, WIDE)
):
    """A transport stream of two parts of 12 frames."""
    parts = []
    for number, (matrix, shape) in enumerate(zip(matrices, shapes, strict=True)):
        tags = f"setsar={shape.numerator}/{shape.denominator},setparams=" + ":".join(
            f"{name}={matrix}" for name in ("colorspace", "color_primaries", "color_trc")
        )
        part = folder / f"{number}.ts"
        synthetic(part, f"testsrc2=s=352x288:r=25,{tags}", "-frames:v", 12, "-c:v", codec, "-bf", 2)
        parts.append(part)
    path = folder / "in.ts"
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", path)
    return path


@pytest.mark.parametrize("deinterlace", ["off", "bwdif"])
@pytest.mark.parametrize("codec", ["mpeg2video", "libx264"])
def test_frames_have_the_ratio_of_their_part(tmp_path, codec, deinterlace):
    source = joined(tmp_path, codec)
    with Decoder(source, deinterlace=deinterlace) as decoder:
        aspects = [frame.aspect for frame in decoder]
    assert aspects == [float(NARROW)] * 12 + [float(WIDE)] * 12
    with Decoder(source, Span(Fraction(3, 5))) as decoder:  # begins in the second part
        assert decoder.source.sample_aspect_ratio == WIDE
        assert {frame.aspect for frame in decoder} == {float(WIDE)}


def test_a_change_is_named_once(tmp_path, caplog):
    source = joined(tmp_path)
    pass_through(source, tmp_path / "out.mkv", FAST)
    named = [said for said in caplog.messages if "loses" in said]
    both = (
        "the video of in.ts loses its changes of aspect ratio and its changes of colour tags, which libx264"
    )
    assert len(named) == 1
    assert named[0].startswith(both)
    with pytest.raises(LossError, match=r"--strict: .* changes of aspect ratio"):
        pass_through(source, tmp_path / "strict.mkv", FAST, strict=True)
    assert not (tmp_path / "strict.mkv").exists()


@pytest.mark.parametrize(
    ("changed", "lost"),
    [
        ({"shapes": (NARROW, NARROW)}, "changes of colour tags"),
        ({"matrices": ("bt709", "bt709")}, "changes of aspect ratio"),
        ({"matrices": ("bt470bg", "smpte170m"), "shapes": (NARROW, NARROW)}, "changes of colour tags"),
        ({"matrices": ("bt709", "bt709"), "shapes": (WIDE, WIDE)}, ""),
    ],
)
def test_either_may_change_alone(tmp_path, caplog, changed, lost):
    source = joined(tmp_path, **changed)
    pass_through(source, tmp_path / "out.mkv", FAST)
    named = [said for said in caplog.messages if "loses" in said]
    assert len(named) == bool(lost)
    assert all(f"loses its {lost}, which" in said for said in named)


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov"])
def test_the_ratio_of_the_container_goes_before_that_of_the_stream(tmp_path, ending):
    plain = synthetic(tmp_path / "in.mp4", "testsrc2=s=352x288:r=25,setsar=12/11", "-frames:v", 12)
    source = tmp_path / f"other.{ending}"
    ffmpeg("-i", plain, "-c", "copy", "-aspect", "16:9", source)
    with Decoder(source) as decoder:
        assert decoder.source.sample_aspect_ratio == WIDE
        frames = list(decoder)
    assert {frame.aspect for frame in frames} == {float(WIDE)}
    assert not any(frame.side_data for frame in frames)


@pytest.mark.parametrize(
    ("ratio", "expected"), [(None, 1), (Fraction(0), 1), (WIDE, 16 / 11), (Fraction(100), 1)]
)
def test_a_ratio_of_no_picture_counts_as_square(ratio, expected):
    assert pixel_aspect(ratio) == expected
