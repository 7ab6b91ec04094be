"""Captions and other side data of frames are kept where the encoder can, and otherwise named."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.support import sei
from tests.support.frames import clip, pass_through, synthetic
from tests.support.mpeg2 import set_window
from vidrestore.errors import OutputError
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.encode.side_data_losses import side_data_options

PRESETS = {"libx264": "ultrafast", "libx265": "ultrafast", "libsvtav1": "12"}


def source(folder: Path, message, codec: str = "libx264", count: int = 5) -> Path:
    plain = clip(folder / "plain.mp4", count=count, codec=codec, size=(128, 96), options={"bf": "0"})
    return sei.add_sei(plain, folder / "in.ts", message)


def contents(path: Path, kind: str) -> list[bytes]:
    """The side data of that kind of all frames, without x264's and x265's own settings."""
    with av.open(str(path)) as container:
        found = [bytes(d) for f in container.decode(video=0) for d in f.side_data if d.type.name == kind]
    return [data for data in found if b"x264" not in data and b"x265" not in data and b"libx" not in data]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize(
    ("message", "kind", "encoder"),
    [
        (sei.captions, "A53_CC", "libx264"),
        (sei.captions, "A53_CC", "libx265"),
        (sei.user_data, "SEI_UNREGISTERED", "libx264"),
    ],
)
def test_what_encoders_write_is_kept(tmp_path, caplog, codec, message, kind, encoder):
    given = source(tmp_path, message, codec)
    told = contents(given, kind)
    assert len(told) == 5
    settings = EncoderSettings(encoder, preset="ultrafast")
    assert contents(pass_through(given, tmp_path / "out.mkv", settings, strict=True), kind) == told
    assert "loses" not in caplog.text


@pytest.mark.parametrize("encoder", ["libsvtav1", "libvpx-vp9", "ffv1", "prores_ks"])
def test_captions_that_an_encoder_does_not_write_are_named_once(tmp_path, caplog, encoder):
    given, settings = source(tmp_path, sei.captions), EncoderSettings(encoder, preset=PRESETS.get(encoder))
    pass_through(given, tmp_path / "out.mkv", settings)
    said = f"the video of in.ts loses its closed captions, which {encoder} does not write"
    assert caplog.messages.count(said) == 1
    with pytest.raises(OutputError, match=r"--strict: .*its closed captions.*; libx264 does"):
        pass_through(given, tmp_path / "strict.mkv", settings, strict=True)
    assert not (tmp_path / "strict.mkv").exists()


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (sei.active_format, r"active format description \(AFD\)"),
        (sei.hdr_vivid, "HDR Vivid metadata"),
        (sei.ambient, "ambient viewing environment"),
        (sei.rotated, "changes of rotation"),
        (sei.user_data, r"user data \(SEI\)"),
    ],
)
def test_what_the_encoder_does_not_write_is_named(tmp_path, caplog, message, name):
    codec = "libx265" if message in (sei.hdr_vivid, sei.user_data) else "libx264"
    given = source(tmp_path, message, codec)
    settings = EncoderSettings(codec, preset="ultrafast")
    pass_through(given, tmp_path / "out.mkv", settings)
    assert "loses its " + name.replace("\\", "") in caplog.text
    with pytest.raises(OutputError, match=rf"--strict: .*its {name}"):
        pass_through(given, tmp_path / "strict.mkv", settings, strict=True)


def test_captions_that_begin_later_are_named(tmp_path, caplog):
    """The first frame has none; libx265 keeps them all the same."""
    given = source(tmp_path, lambda index: sei.captions(index) if index > 2 else None)
    for encoder, lost in (("libx265", False), ("ffv1", True)):
        out = pass_through(given, tmp_path / "out.mkv", EncoderSettings(encoder, preset=PRESETS.get(encoder)))
        assert len(contents(out, "A53_CC")) == (0 if lost else 2)
        assert ("loses its closed captions" in caplog.text) == lost
    with pytest.raises(OutputError, match=r"--strict.*its closed captions"):
        pass_through(given, tmp_path / "strict.mkv", EncoderSettings("ffv1"), strict=True)
    assert not (tmp_path / "strict.mkv").exists()


def test_the_settings_of_encoders_are_no_loss(tmp_path, caplog):
    given = clip(tmp_path / "in.mp4")  # x264 writes its own as user data
    assert len(pass_through(given, tmp_path / "out.mkv", EncoderSettings("ffv1"), strict=True).read_bytes())
    assert caplog.messages == []


def test_captions_need_options():
    assert side_data_options("libx265", frozenset()) == {"a53cc": "1"}
    assert side_data_options("libx264", frozenset({"user data (SEI)"})) == {"a53cc": "1", "udu_sei": "1"}
    assert side_data_options("ffv1", frozenset({"closed captions"})) == {}


def windowed(folder: Path, width: int, offset: int = 0) -> Path:
    """MPEG-2 whose pictures of 160x96 pixels have a pan-scan window of that width."""
    path = folder / "in.m2v"
    synthetic(
        path, "testsrc2=s=160x96:r=25:d=0.2", "-c:v", "mpeg2video", "-seq_disp_ext", "always", "-bf", "0"
    )
    return set_window(path, width, 96, offset)


def test_a_pan_scan_window_is_kept_by_mpeg2_and_otherwise_named(tmp_path, caplog):
    given = windowed(tmp_path, 120)
    kept = pass_through(given, tmp_path / "out.mkv", EncoderSettings("mpeg2video"), strict=True)
    assert contents(kept, "PANSCAN") == contents(given, "PANSCAN")
    assert "loses" not in caplog.text
    pass_through(given, tmp_path / "out.mp4", EncoderSettings("libx264", preset="ultrafast"))
    assert "loses its pan-scan window, which libx264 does not write" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*pan-scan window.*; mpeg2video does"):
        pass_through(given, tmp_path / "strict.mp4", strict=True)


def test_a_moving_pan_scan_window_is_named(tmp_path, caplog):
    given = windowed(tmp_path, 120, offset=160)
    pass_through(given, tmp_path / "out.mkv", EncoderSettings("mpeg2video"))
    assert "loses its pan-scan offsets, which mpeg2video does not write" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*pan-scan offsets and its pan-scan window"):
        pass_through(given, tmp_path / "strict.mp4", strict=True)


@pytest.mark.parametrize("width", [0, 156, 160])
def test_the_active_part_of_a_line_is_no_pan_scan_window(tmp_path, width):
    pass_through(windowed(tmp_path, width), tmp_path / "out.mp4", strict=True)
