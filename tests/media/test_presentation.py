"""Spherical projection, stereo 3D and cropping survive where a container can hold them."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support import reader, sei
from tests.support.boxes import add_boxes, box, cropping, spherical, stereo
from tests.support.frames import clip, pass_through
from tests.support.matroska import add_to_video
from tests.support.platforms import posix
from tests.support.sources import make
from vidrestore.errors import OutputError
from vidrestore.media.containers import MATROSKA, MOV, MP4, WEBM
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.ebml import Element, Id, floating, unsigned
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.presentation import Presentation

SETTINGS = {
    ".mp4": EncoderSettings("libx264", preset="ultrafast"),
    ".mov": EncoderSettings("prores_ks"),
    ".mkv": EncoderSettings("ffv1"),
    ".webm": EncoderSettings("libvpx-vp9"),
}


def shown(path: Path) -> set[str]:
    """What an ffmpeg binary says about these, without the views, which are named differently."""
    text = re.findall(r"(?:Spherical Mapping|Stereo 3D|Frame Cropping): .*", reader.describe(path))
    return {re.split(r", view| \[", line)[0].strip() for line in text}


EQUIRECTANGULAR = (spherical(b"equi"), {"Spherical Mapping: equirectangular"})
CUBEMAP = (spherical(b"cbmp"), {"Spherical Mapping: cubemap"})
CHECKERBOARD = "stereo_mode=checkerboard_lr"
MESH = (
    unsigned(Id.PROJECTION_TYPE, 3),
    Element(Id.PROJECTION_PRIVATE, bytes(range(60))),
    floating(Id.PROJECTION_POSE_YAW, 90),
)
CROPPED = (cropping(96, 64), {"Frame Cropping: 16/16/16/16"})


@pytest.mark.parametrize(
    ("box", "said", "out"),
    [
        *((*EQUIRECTANGULAR, out) for out in SETTINGS),
        *((*CUBEMAP, out) for out in SETTINGS),
        *((*CROPPED, out) for out in SETTINGS),
    ],
)
def test_kept_where_the_container_can(tmp_path, box, said, out):
    given = add_boxes(clip(tmp_path / "plain.mp4", size=(128, 96)), tmp_path / "in.mp4", box)
    assert shown(given) == said
    once = pass_through(given, tmp_path / f"out{out}", SETTINGS[out], strict=True)
    assert shown(once) == said
    again = pass_through(once, tmp_path / f"again{out}", SETTINGS[out], strict=True)
    assert shown(again) == said


@pytest.mark.parametrize("out", [".mov", ".mp4"])
def test_what_a_container_cannot_hold_is_named(tmp_path, caplog, out):
    given = make(tmp_path / "in.mkv", clip(tmp_path / "p.mp4"), c="copy", **{"metadata:s:v:0": CHECKERBOARD})
    assert shown(given) == {"Stereo 3D: checkerboard"}
    assert shown(pass_through(given, tmp_path / f"out{out}", SETTINGS[out])) == set()
    assert "loses its stereo 3D" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*its stereo 3D"):
        pass_through(given, tmp_path / f"strict{out}", SETTINGS[out], strict=True)


@pytest.mark.parametrize("out", SETTINGS)
@pytest.mark.parametrize(("mode", "said"), [(1, "top and bottom"), (2, "side by side")])
def test_stereo_is_kept(tmp_path, out, mode, said):
    given = add_boxes(clip(tmp_path / "plain.mp4"), tmp_path / "in.mp4", stereo(mode), spherical())
    made = pass_through(given, tmp_path / f"out{out}", SETTINGS[out], strict=True)
    assert shown(made) == {"Spherical Mapping: equirectangular", f"Stereo 3D: {said}"}
    assert len(reader.frames(made)) == 6


def mesh(folder: Path) -> tuple[Path, bytes]:
    """A VR180 video, and the box that says so."""
    box = spherical(b"mshp")
    plain = clip(folder / "plain.mp4", audio=2, size=(128, 96))
    return add_boxes(plain, folder / "in.mp4", stereo(2), box), box


@pytest.mark.parametrize("out", [".mp4", ".mov"])
def test_a_mesh_is_kept(tmp_path, out):
    given, box = mesh(tmp_path)
    made = pass_through(given, tmp_path / f"out{out}", SETTINGS[out], strict=True)
    again = pass_through(made, tmp_path / f"again{out}", SETTINGS[out], strict=True)
    for path in (made, again):
        assert box[-40:] in path.read_bytes()
        assert "Stereo 3D: side by side" in shown(path)
        assert len(reader.frames(path)) == 6
        assert len(reader.packets(path, "0:a")) == len(reader.packets(given, "0:a"))


@pytest.mark.parametrize("out", [".mkv", ".webm"])
def test_a_mesh_that_ffmpeg_does_not_write_is_named(tmp_path, caplog, out):
    given, _ = mesh(tmp_path)
    pass_through(given, tmp_path / f"out{out}", SETTINGS[out])
    assert "loses its spherical mapping" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*its spherical mapping"):
        pass_through(given, tmp_path / f"strict{out}", SETTINGS[out], strict=True)


def test_a_mesh_of_matroska_gets_into_mp4(tmp_path):
    plain = clip(tmp_path / "plain.mkv")
    settings = Element(Id.PROJECTION, b"".join(e.encode() for e in MESH)).encode()
    given = add_to_video(plain, tmp_path / "in.mkv", settings)
    made = pass_through(given, tmp_path / "out.mp4", SETTINGS[".mp4"], strict=True)
    assert b"mshp" + MESH[1].content in made.read_bytes()
    assert struct.pack(">4s4x3i", b"prhd", 90 << 16, 0, 0) in made.read_bytes()


@posix
def test_a_pipe_does_not_get_what_only_a_file_does(tmp_path, caplog):
    given, _ = mesh(tmp_path)
    pipe = tmp_path / "pipe.mov"
    os.mkfifo(pipe)
    readers = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.DEVNULL)
    pass_through(given, pipe, SETTINGS[".mov"])
    assert readers.wait() == 0
    lost = "the input's mesh projection, stereo 3D, side by side"
    assert f"pipe.mov cannot hold {lost}; a file can" in caplog.text


def test_a_second_layer_is_named(tmp_path, caplog):
    plain = clip(tmp_path / "plain.mp4", codec="libx265")
    given = add_boxes(plain, tmp_path / "in.mp4", box(b"lhvC", b"\1" + bytes(22)))
    pass_through(given, tmp_path / "out.mkv", SETTINGS[".mkv"])
    assert "loses its second view, which lies in a layer of its own (MV-HEVC)" in caplog.text
    with pytest.raises(OutputError, match=r"--strict: .*its second view"):
        pass_through(given, tmp_path / "strict.mp4", SETTINGS[".mp4"], strict=True)


def test_stereo_in_the_video_itself_gets_into_the_container(tmp_path):
    plain = clip(tmp_path / "plain.mp4", options={"bf": "0"})
    given = sei.add_sei(plain, tmp_path / "in.ts", sei.side_by_side)
    out = pass_through(given, tmp_path / "out.mkv", SETTINGS[".mkv"], strict=True)
    assert shown(out) == {"Stereo 3D: side by side"}
    again = pass_through(given, tmp_path / "out.mp4", SETTINGS[".mp4"], strict=True)
    assert shown(again) == {"Stereo 3D: side by side"}
    assert len(reader.frames(again)) == 6


def test_an_ordinary_video_has_none(tmp_path):
    """Nor has a rotated one, which Matroska states as a projection too."""
    for ending in ("mp4", "mkv"):
        path = clip(tmp_path / f"in.{ending}", rotation=90)
        with Decoder(path) as decoder:
            assert decoder.source.presentation == Presentation()


def test_what_containers_hold():
    checkerboard = Presentation(b"", 4, (1, 2, 3, 4))
    assert checkerboard.boxes(MOV) == b""
    for container, mode in ((MATROSKA, 4), (MP4, None), (MOV, None), (WEBM, None)):
        assert checkerboard.held_by(container) == Presentation(b"", mode, (1, 2, 3, 4))
        assert checkerboard.lost_in(container) == (None if mode else "stereo 3D, checkerboard")


def test_a_second_video_is_copied_with_what_the_container_holds(tmp_path, caplog):
    marked = add_boxes(clip(tmp_path / "plain.mp4"), tmp_path / "marked.mp4", stereo(1), spherical())
    given = make(tmp_path / "in.mkv", clip(tmp_path / "main.mp4"), marked, c="copy")
    for out in ("out.mkv", "out.mov"):
        made = pass_through(given, tmp_path / out, SETTINGS[out[3:]])
        assert "Spherical Mapping: equirectangular" in shown(made)
        assert "Stereo 3D: top and bottom" in shown(made)
    assert not caplog.text


def test_as_text():
    assert str(Presentation(b"", 11, (2, 0, 0, 4))) == (
        "stereo 3D, side by side, cropped by 2 at the top, 0 at the bottom, 0 left, 4 right"
    )


@pytest.mark.parametrize("out", SETTINGS)
def test_cropping_leaves_the_sample_aspect_ratio(tmp_path, out):
    plain = clip(tmp_path / "plain.mp4", size=(128, 96), aspect=Fraction(4, 3))
    given = add_boxes(plain, tmp_path / "in.mp4", cropping(96, 80))
    made = pass_through(given, tmp_path / f"out{out}", SETTINGS[out])
    again = pass_through(made, tmp_path / f"again{out}", SETTINGS[out])
    for path in (given, made, again):
        assert set(re.findall(r"SAR (\d+:\d+)", reader.describe(path))) == {"4:3"}
