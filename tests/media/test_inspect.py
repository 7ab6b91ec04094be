"""What ``vidrestore probe`` prints about files made by an ffmpeg binary."""

from __future__ import annotations

import json

import pytest

from tests.support import boxes, sei, sources
from tests.support.frames import clip
from vidrestore.errors import InputError, UsageError
from vidrestore.media.inspect import as_text, inspect_file

HDR10 = (
    "log-level=error:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:max-cll=1000,400:"
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
)


def test_everything_in_a_matroska_file(tmp_path):
    info = inspect_file(sources.full_file(tmp_path))
    assert json.loads(json.dumps(info)) == info
    assert info["container"] == "matroska,webm"
    assert info["restores"] == 0
    assert info["metadata"]["title"] == "A title"
    assert info["duration"] == pytest.approx(1.2, abs=0.05)
    assert [stream["type"] for stream in info["streams"]] == [
        *("video", "audio", "audio", "subtitle", "attachment", "video")
    ]
    video, sound, commentary, words, font, cover = info["streams"]
    assert (video["width"], video["height"], video["pix_fmt"]) == (64, 48, "yuv420p")
    assert (video["codec"], video["frame_rate"], video["scan"]) == ("h264", "25", "progressive")
    assert (sound["sample_rate"], sound["channels"], sound["language"]) == (48000, 1, "eng")
    assert (commentary["disposition"], commentary["title"]) == (["comment"], "The director speaks")
    assert (words["codec"], words["disposition"]) == ("subrip", ["forced"])
    assert font["bytes"] == 304
    assert cover["disposition"] == ["attached pic"]
    assert [(c["start"], c["end"], c["metadata"]["title"]) for c in info["chapters"]] == [
        (0.0, 0.4, "Opening"),
        (0.4, 1.0, "Rest"),
    ]
    text = as_text(info)
    for said in (
        "#0 video: h264, 64x48 yuv420p, 25 frames/s",
        "#2 audio: aac, 48000 Hz, mono, deu, 'The director speaks' (comment)",
        "chapter 2: 0.40 to 1.00 s Rest",
        "title: A title",
    ):
        assert said in text


DISPLAY = {
    "HDR10": (
        {"c:v": "libx265", "pix_fmt": "yuv420p10le", "x265-params": HDR10},
        "primaries bt2020, transfer smpte2084, mastered at 0.0001 to 1000 cd/m2, MaxCLL 1000",
    ),
    "BT.709 in full range": (
        {"vf": "setparams=range=pc:colorspace=bt709:color_trc=bt709:color_primaries=bt709"},
        "range full, matrix bt709, primaries bt709, transfer bt709",
    ),
    "anamorphic": ({"vf": "setsar=16/11"}, "sample aspect 16/11"),
    "interlaced": (
        {"c:v": "mpeg2video", "flags": "+ilme+ildct", "vf": "setfield=tff,interlace"},
        "interlaced (flagged)",
    ),
}


@pytest.mark.parametrize(("options", "words"), DISPLAY.values(), ids=DISPLAY.keys())
def test_how_a_video_is_to_be_displayed(tmp_path, options, words):
    assert words in as_text(inspect_file(sources.make(tmp_path / "in.mp4", sources.VIDEO, **options)))


def test_a_rotated_video(tmp_path):
    plain = sources.make(tmp_path / "plain.mp4", sources.VIDEO)
    turned = sources.make(tmp_path / "in.mp4", (str(plain), {"display_rotation": 90}), c="copy")
    info = inspect_file(turned)
    assert info["streams"][0]["rotation"] == 90
    assert "rotated by 90 degrees" in as_text(info)


def test_a_start_time_is_printed(tmp_path):
    info = inspect_file(sources.make(tmp_path / "in.ts", sources.VIDEO, sources.AUDIO))
    assert info["start_time"] > 1
    assert f"begins at {info['start_time']:.3f} s" in as_text(info)


def test_a_file_without_video_is_described(tmp_path):
    info = inspect_file(sources.make(tmp_path / "in.m4a", sources.AUDIO))
    assert info["restores"] is None
    assert "#0 audio: aac" in as_text(info)
    assert "holds no video stream; there is nothing to restore" in as_text(info)


def test_the_selected_video_is_the_one_to_be_restored(tmp_path):
    path = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.OTHER_VIDEO)
    assert inspect_file(path)["restores"] == 0
    assert inspect_file(path, video_stream=1)["restores"] == 1
    with pytest.raises(UsageError, match="--video-stream 7"):
        inspect_file(path, video_stream=7)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "in.mp4").write_text("words " * 99)
    with pytest.raises(InputError, match="cannot be read"):
        inspect_file(tmp_path / "in.mp4")


def test_spherical_stereo_and_cropped(tmp_path):
    marks = (boxes.spherical(), boxes.stereo(2), boxes.cropping(96, 80))
    path = boxes.add_boxes(clip(tmp_path / "plain.mp4", size=(128, 96)), tmp_path / "in.mp4", *marks)
    info = inspect_file(path)
    assert json.loads(json.dumps(info)) == info
    assert info["streams"][0]["presentation"] == {
        "description": "equirectangular projection, stereo 3D, side by side, "
        "cropped by 8 at the top, 8 at the bottom, 16 left, 16 right",
        "projection": "equirectangular",
        "stereo_3d": "side by side",
        "second_layer": False,
        "cropping": {"top": 8, "bottom": 8, "left": 16, "right": 16},
    }
    assert info["streams"][0]["presentation"]["description"] in as_text(info)


def test_stereo_that_only_the_pictures_state(tmp_path):
    plain = clip(tmp_path / "plain.mp4", options={"bf": "0"})
    info = inspect_file(sei.add_sei(plain, tmp_path / "in.ts", sei.side_by_side))
    assert info["streams"][0]["presentation"]["stereo_3d"] == "side by side"
    assert ", side by side" in as_text(info)
