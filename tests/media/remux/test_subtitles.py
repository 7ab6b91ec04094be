"""Text subtitles are transcoded with their text and times."""

from __future__ import annotations

import pytest

from tests.support import listing, sources
from tests.support.frames import FAST, pass_through, pass_through_fast
from vidrestore.errors import LossError


def test_a_warning_names_lost_styles(tmp_path, caplog):
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.subtitle_file(tmp_path, ".ass"),
        select="0:v 1:s",
        **{"c:s": "ass"},
    )
    out = pass_through_fast(source, tmp_path / "out.mp4")
    assert listing.subtitles(out) == sources.SUBTITLES
    assert (
        "out.mp4 cannot hold the styles and positions of the input's #1 subtitle: ass; .mkv keeps it"
        in caplog.text
    )


#: The codec of text subtitles in each container, from SubRip and back.
CODECS = {".mp4": "mov_text", ".mov": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}


@pytest.mark.parametrize(("ending", "codec"), CODECS.items(), ids=CODECS)
def test_text_and_times_are_kept(tmp_path, ending, codec):
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.subtitle_file(tmp_path),
        select="0:v 1:s",
        **{"c:s": "srt"},
    )
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    assert [stream.codec for stream in listing.streams(out) if stream.kind == "subtitle"] == [codec]
    assert listing.subtitles(out) == sources.SUBTITLES


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
def test_texts_that_overlap_begin_at_their_times(tmp_path, ending):
    times = [(0.1, 1.0), (0.2, 0.4), (0.5, 0.6), (0.7, 0.9), (1.0, 1.1)]
    text = tmp_path / "text.srt"
    text.write_text(
        "".join(
            f"{n}\n00:00:0{a:.3f} --> 00:00:0{b:.3f}\n{n}\n\n".replace(".", ",")
            for n, (a, b) in enumerate(times, 1)
        )
    )
    source = sources.make(
        tmp_path / "in.mkv", sources.VIDEO, sources.AUDIO, text, select="0:v 1:a 2:s", **{"c:s": "srt"}
    )
    found = listing.subtitles(pass_through_fast(source, tmp_path / f"out{ending}"))
    begins = {text: begin for begin, _, text in found if text}
    assert begins == {str(n): pytest.approx(a, abs=0.002) for n, (a, _) in enumerate(times, 1)}


STYLES = {
    "colour": '<font color="#ff0000">Hello</font>',
    "position": "{\\an8}Hello",
    "plain": "<i>Hello</i> <b>you</b>",
}


@pytest.mark.parametrize("style", STYLES)
def test_styles_of_subrip_are_kept_or_named(tmp_path, caplog, style):
    """Unlike those of ASS they are known only once the text is read."""
    text = tmp_path / "text.srt"
    text.write_text(f"1\n00:00:00,100 --> 00:00:00,500\n{STYLES[style]}\n\n", encoding="utf-8")
    given = sources.make(
        tmp_path / "in.mkv", sources.VIDEO, text, select="0:v 1:s", **{"c:s": "srt", "c:v": "libx264"}
    )
    pass_through_fast(given, tmp_path / "out.mkv")
    assert "cannot hold" not in caplog.text
    loss = "cannot hold the colours, fonts and positions of the input's #1 subtitle: subrip; .mkv keeps them"
    for ending in ("mp4", "mov", "webm"):
        caplog.clear()
        pass_through_fast(given, tmp_path / f"out.{ending}")
        assert (f"out.{ending} {loss}" in caplog.text) == (style != "plain")
    if style != "plain":
        with pytest.raises(LossError, match=r"--strict: strict\.mp4 cannot hold the colours"):
            pass_through(given, tmp_path / "strict.mp4", FAST, strict=True)
        assert not (tmp_path / "strict.mp4").exists()


@pytest.mark.parametrize("ending", ["webm", "mkv"])
def test_plain_text_of_mp4_loses_nothing(tmp_path, caplog, ending):
    text = sources.subtitle_file(tmp_path)
    given = sources.make(
        tmp_path / "in.mp4", sources.VIDEO, text, select="0:v 1:s", **{"c:s": "mov_text", "c:v": "libx264"}
    )
    pass_through_fast(given, tmp_path / f"out.{ending}")
    assert "cannot hold the colours" not in caplog.text


@pytest.mark.parametrize(
    ("cue", "is_lost"),
    [
        ("00:00.050 --> 00:00.300 line:10% align:left\nHello", True),
        ("00:00.050 --> 00:00.300\n<c.yellow>Hello</c>", True),
        ("00:00.050 --> 00:00.300\n<v Anna>Hello", True),
        ("00:00.050 --> 00:00.300\n<i>Hello</i>", False),
    ],
)
def test_positions_and_classes_of_webvtt_are_named(tmp_path, caplog, cue, is_lost):
    words = tmp_path / "in.vtt"
    words.write_text(f"WEBVTT\n\n{cue}\n\n", encoding="utf-8")
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, words, **{"c:s": "copy"})
    pass_through_fast(source, tmp_path / "kept.webm")
    assert not caplog.text
    pass_through_fast(source, tmp_path / "out.mp4")
    assert ("cannot hold the colours, fonts and positions" in caplog.text) == is_lost
