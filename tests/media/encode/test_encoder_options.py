"""Default options of encoders, and those that are asked for."""

from __future__ import annotations

import io

import av
import pytest
from av.codec.context import Flags

from vidrestore.errors import UsageError
from vidrestore.media.encode.encoder_options import default_options, merge_options, requested_options
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.hdr_metadata import HdrMetadata


def codec(name: str) -> av.Codec:
    return av.Codec(name, "w")


def test_requested_options_take_precedence():
    assert merge_options({"crf": "16", "preset": "medium"}, {"crf": "20"}) == {
        "crf": "20",
        "preset": "medium",
    }


def test_lists_of_parameters_are_joined():
    merged = merge_options({"x265-params": "log-level=error"}, {"x265-params": "aq-mode=3"})
    assert merged == {"x265-params": "log-level=error:aq-mode=3"}


def test_crf_has_the_encoders_own_name():
    settings = EncoderSettings(crf=18.5, preset="slow")
    assert requested_options(codec("libx264"), settings) == {"crf": "18.5", "preset": "slow"}
    if "h264_nvenc" in av.codecs_available:
        assert requested_options(codec("h264_nvenc"), settings)["cq"] == "18.5"


@pytest.mark.parametrize("settings", [EncoderSettings(crf=20), EncoderSettings(preset="slow")])
def test_an_option_that_the_encoder_lacks_is_an_error(settings):
    with pytest.raises(UsageError, match=r"encoder ffv1 has no --(crf|preset); leave it out"):
        requested_options(codec("ffv1"), settings)


@pytest.mark.parametrize(
    ("name", "pix_fmt", "expected"),
    [
        ("prores_ks", "yuv422p10le", {"profile": "hq"}),
        ("prores_ks", "yuva444p10le", {"profile": "4444"}),
        ("ffv1", "yuv420p", {"level": "3", "slicecrc": "1"}),
        ("mpeg4", "yuv420p", {}),
    ],
)
def test_defaults(name, pix_fmt, expected):
    assert default_options(codec(name), pix_fmt, None, reproducible=False) == expected


def test_alpha_in_vp9_does_without_alternate_references():
    options = default_options(codec("libvpx-vp9"), "yuva420p", None, reproducible=False)
    assert options["auto-alt-ref"] == "0"


def test_hdr_and_reproducibility_add_to_the_parameters_of_x264():
    hdr = HdrMetadata(content=(1000, 400))
    options = default_options(codec("libx264"), "yuv420p10le", hdr, reproducible=True)
    assert options["x264-params"] == "cll=1000,400:cpu-independent=1"
    assert options["threads"] == "4"


def test_headers_do_not_tell_how_many_cores_a_machine_has():
    """Machines whose numbers differ make segments that can be joined."""

    def headers(more: dict[str, str]) -> bytes:
        options = default_options(av.Codec("libx265", "w"), "yuv420p", None, reproducible=False)
        with av.open(io.BytesIO(), "w", format="mp4") as container:
            stream = container.add_stream("libx265", rate=25, options=merge_options(options, more))
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            context = stream.codec_context
            context.flags |= Flags.global_header
            context.open()
            return context.extradata or b""

    one = headers({"x265-params": "pools=1:frame-threads=1"})
    assert one
    assert one == headers({"x265-params": "pools=2:frame-threads=2"})
