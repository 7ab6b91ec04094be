"""Everything except the restored video, as an ffmpeg binary finds it in OUT."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import listing, reader, sources
from tests.support.audio import decode_audio
from tests.support.clips import pattern
from tests.support.frames import clip, ffmpeg, pass_through, pass_through_fast
from vidrestore.media.timeline import Span

OUTS = (".mp4", ".mov", ".mkv", ".webm")


#: For each kind of input: its extension, and ffmpeg's encoders of its video and audio.
CONTAINERS = {
    "mp4": (".mp4", "libx264", "aac"),
    "mov": (".mov", "libx264", "pcm_s16le"),
    "mov of a camera": (".mov", "mjpeg", "pcm_mulaw"),
    "mkv": (".mkv", "libx264", "flac"),
    "mkv of a disc": (".mkv", "libx264", "truehd"),
    "webm": (".webm", "libvpx-vp9", "libopus"),
    "avi": (".avi", "mpeg4", "libmp3lame"),
    "avi of old": (".avi", "mpeg4", "adpcm_ms"),
    "mpg": (".mpg", "mpeg2video", "mp2"),
    "mpg of a disc": (".mpg", "mpeg2video", "pcm_dvd"),
    "ts": (".ts", "libx264", "aac"),
    "ts of television": (".ts", "mpeg2video", "ac3"),
    "mts": (".mts", "libx264", "pcm_bluray"),
    "wmv": (".wmv", "wmv2", "wmav2"),
    "flv": (".flv", "flv", "libmp3lame"),
    "flv with h264": (".flv", "libx264", "aac"),
    "y4m": (".y4m", None, None),
    "gif": (".gif", None, None),
}


#: The codec that audio by each encoder has in an .mp4, .mov, .mkv and .webm; - if it is dropped.
AUDIO = {
    "aac": "aac aac aac -",
    "pcm_s16le": "pcm_s16le pcm_s16le pcm_s16le -",
    "pcm_mulaw": "flac pcm_mulaw flac -",
    "flac": "flac alac flac -",
    "truehd": "flac alac truehd -",
    "libopus": "opus alac opus opus",
    "libmp3lame": "mp3 mp3 mp3 -",
    "adpcm_ms": "flac alac adpcm_ms -",
    "mp2": "mp3 mp2 mp2 -",  # an MP4 has one name for all layers
    "pcm_dvd": "flac alac flac -",
    "ac3": "ac3 ac3 ac3 -",
    "pcm_bluray": "flac alac flac -",
    "wmav2": "flac alac wmav2 -",
}


#: Bitstream filters that remove headers that only transport streams have in their packets.
BITSTREAM_FILTERS = {(".ts", "aac"): {"bsf:a": "aac_adtstoasc"}}


def make_source(folder: Path, kind: str) -> Path:
    ending, video, audio = CONTAINERS[kind]
    path = folder / f"in{ending}"
    if video is None:
        options = {"pix_fmt": "pal8"} if ending == ".gif" else {}
        return sources.make(path, sources.VIDEO, **options)
    options = {"c:v": video, "c:a": audio, "ac": 2, "ar": 44100 if ending == ".flv" else 48000, "strict": -2}
    if video == "mjpeg":
        options["pix_fmt"] = "yuvj420p"
    if ending == ".mts":
        options |= {"f": "mpegts", "mpegts_m2ts_mode": 1}
    return sources.make(path, sources.VIDEO, sources.AUDIO, **options)


ESSENTIAL = {
    ".mp4": ("mkv", "mov", "ts", "avi", "wmv"),
    ".mov": ("mp4", "mov of a camera", "mpg of a disc"),
    ".mkv": ("mp4", "mpg", "wmv", "flv", "gif", "mts"),
    ".webm": ("webm",),
}


ROWS = [
    pytest.param(
        kind, ending, id=f"{kind} to {ending}", marks=() if kind in ESSENTIAL[ending] else pytest.mark.slow
    )
    for kind in CONTAINERS
    for ending in OUTS
]


@pytest.mark.parametrize(("kind", "ending"), ROWS)
def test_every_container_is_remuxed_into_every_other(tmp_path, caplog, kind, ending):
    source = make_source(tmp_path, kind)
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    assert len(reader.frames(out)) == len(reader.frames(source)) == 30
    audio = CONTAINERS[kind][2]
    if audio is None:
        assert [stream.kind for stream in listing.streams(out)] == ["video"]
        return
    expected = AUDIO[audio].split()[OUTS.index(ending)]
    codecs = [stream.codec for stream in listing.streams(out) if stream.kind == "audio"]
    if expected == "-":
        assert codecs == []
        assert "it is dropped; .m" in caplog.text
        return
    assert codecs == [expected]
    assert "cannot hold" not in caplog.text
    if expected in ("flac", "alac") and expected != audio:
        assert_same_audio(source, out)
    else:
        assert_same_packets(source, out, BITSTREAM_FILTERS.get((source.suffix, audio), {}))


def assert_same_packets(source: Path, out: Path, options: dict[str, str]) -> None:
    """Assert that audio packets are the same bytes, at the same times relative to the video."""
    begin, given_begin = reader.frames(out)[0].time, reader.frames(source)[0].time
    given, got = reader.packets(source, "0:a", **options), reader.packets(out, "0:a")
    assert len(given) > 5
    assert [line.digest for line in got] == [line.digest for line in given]
    # Matroska and Windows Media have timestamps in milliseconds, and demuxers may interpolate some.
    for a, b in zip(given, got, strict=True):
        assert abs((a.time - given_begin) - (b.time - begin)) <= Fraction(2, 1000)


def assert_same_audio(source: Path, out: Path) -> None:
    """Assert that audio samples are equal to 24 bits, at the same times relative to the video."""
    (given_time, given), (time, got) = decode_audio(source), decode_audio(out)
    assert abs(given_time - time) <= Fraction(2, 1000)
    assert len(given) == len(got) > 40000
    np.testing.assert_allclose(got, given, atol=2**-22)


#: What another container holds of :func:`sources.full_file`: the subtitles' codec, cover, font, dispositions.
KEPT = {
    (".mkv", ".mkv"): "subrip cover font comment forced",
    (".mkv", ".mp4"): "mov_text cover comment forced",
    (".mkv", ".mov"): "mov_text",
    (".mkv", ".webm"): "webvtt forced",
    (".mp4", ".mkv"): "subrip cover comment forced",
    (".mp4", ".mp4"): "mov_text cover comment forced",
    (".mp4", ".mov"): "mov_text",
    (".mp4", ".webm"): "webvtt forced",
    (".mov", ".mkv"): "subrip",
    (".mov", ".mp4"): "mov_text",
    (".mov", ".mov"): "mov_text",
    (".webm", ".mkv"): "webvtt forced",
    (".webm", ".mp4"): "mov_text forced",
    (".webm", ".webm"): "webvtt forced",
}


@pytest.mark.parametrize(
    ("given", "ending"),
    [
        pytest.param(
            *pair,
            id=" to ".join(pair),
            marks=() if ".mkv" in pair or pair[0] == pair[1] else pytest.mark.slow,
        )
        for pair in KEPT
    ],
)
def test_everything_except_video_and_audio_is_kept(tmp_path, caplog, given, ending):
    source = sources.full_file(tmp_path, given)
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    expected = KEPT[given, ending].split()
    found = listing.streams(out)
    text = next(stream for stream in found if stream.kind == "subtitle")
    assert text.codec == expected[0]
    # FFmpeg's QuickTime muxer has no Filipino, so the source has no language here.
    assert text.language in ((None, "und") if given == ".mov" else ("fil",))
    assert listing.subtitles(out) == sources.SUBTITLES
    assert ("forced" in text.dispositions) == ("forced" in expected)
    assert any("attached pic" in stream.dispositions for stream in found) == ("cover" in expected)
    assert any(stream.kind == "attachment" for stream in found) == ("font" in expected)
    audio = [stream for stream in found if stream.kind == "audio"]
    if ending != ".webm" or given == ".webm":
        assert audio[0].language == "eng"
        assert audio[1].language in ((None, "und") if given == ".mov" else ("deu",))
        assert ("comment" in audio[1].dispositions) == ("comment" in expected)
    tags, *chapters = listing.metadata(out)
    assert tags["title"] == "A title"
    if given in (".mkv", ".webm"):
        # Along with a cover, an MP4 holds only the common tags.
        assert ("custom" in tags) == (not (ending == ".mp4" and "cover" in expected))
    assert [(c["title"], c["start"], c["end"]) for c in chapters] == [
        ("Opening", "0.0", "0.4"),
        ("Rest", "0.4", "1.0"),
    ]
    warned = caplog.text
    for words, there in (
        ("attachment: font.ttf", "font" in expected or given != ".mkv"),
        ("32x32", "cover" in expected or given not in (".mkv", ".mp4")),
        (
            "the disposition 'comment'",
            "comment" in expected or given in (".mov", ".webm") or ending == ".webm",
        ),
        ("the disposition 'forced'", "forced" in expected or given == ".mov"),
        ("tags 'CUSTOM'", not (given == ".mkv" and ending == ".mp4")),
    ):
        assert (words not in warned) == there, words


def test_cover_and_font_keep_their_bytes(tmp_path):
    source = sources.full_file(tmp_path)
    out = pass_through_fast(source, tmp_path / "out.mkv")
    again = pass_through_fast(pass_through_fast(source, tmp_path / "out.mp4"), tmp_path / "again.mkv")
    cover = (tmp_path / "cover.png").read_bytes()
    for path in (out, again):
        assert cover in path.read_bytes()
    assert (tmp_path / "font.ttf").read_bytes() in out.read_bytes()


def test_further_video_streams_are_copied(tmp_path):
    source = sources.make(
        tmp_path / "in.mkv", sources.VIDEO, sources.OTHER_VIDEO, sources.AUDIO, **{"c:a": "aac", "bf": 2}
    )
    for number, ending in ((None, ".mkv"), (1, ".mkv"), (0, ".mp4"), (1, ".mov")):
        out = pass_through_fast(source, tmp_path / f"out{number}{ending}", video_stream=number)
        kept = 0 if number == 1 else 1
        given, got = (reader.packets(path, f"0:v:{kept}", **{"bsf:v": "null"}) for path in (source, out))
        assert [line.digest for line in got] == [line.digest for line in given]
        other = reader.packets(out, f"0:v:{1 - kept}")
        assert len(other) == 30
        assert other[0].digest != reader.packets(source, f"0:v:{1 - kept}")[0].digest
        assert [stream.kind for stream in listing.streams(out)] == ["video", "video", "audio"]


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".webm"])
def test_a_part_has_its_audio_subtitles_and_chapters(tmp_path, ending):
    source = sources.full_file(tmp_path)
    out = pass_through_fast(source, tmp_path / f"out{ending}", span=Span(Fraction(3, 10), Fraction(8, 10)))
    assert len(reader.frames(out)) == 12
    assert listing.subtitles(out) == [(0.0, 0.2, "Hello you"), (0.3, 0.5, "Zwei\nZeilen ÄÖ")]
    chapters = [(c["title"], float(c["start"]), float(c["end"])) for c in listing.metadata(out)[1:]]
    assert chapters == [("Opening", 0.0, 0.1), ("Rest", 0.1, 0.5)]
    if ending != ".webm":
        audio = reader.packets(out, "0:a:0")
        assert -0.05 < audio[0].time <= 0.05
        assert 0.45 <= audio[-1].time + audio[-1].duration < 0.55


def test_a_part_has_the_cover(tmp_path):
    source = sources.full_file(tmp_path)
    cover = (tmp_path / "cover.png").read_bytes()
    for given in (source, pass_through_fast(source, tmp_path / "in.mp4")):
        for ending in (".mp4", ".mkv"):
            out = pass_through_fast(given, tmp_path / f"out{ending}", span=Span(Fraction(3, 10)))
            assert cover in out.read_bytes()


def test_chapters_of_a_part_of_a_file_that_begins_late(tmp_path):
    source = (str(sources.full_file(tmp_path)), {"itsoffset": 10})
    late = sources.make(tmp_path / "late.mkv", source, select="0:v:0 0:a:0", c="copy")
    with av.open(str(late)) as container:
        assert container.start_time > 9 * av.time_base
        times = [[float(c[end] * c["time_base"]) for end in ("start", "end")] for c in container.chapters()]
    for span, begin, moved in (
        (Span(Fraction(3, 10), Fraction(8, 10)), 10.3, 10.3),
        (Span(end=Fraction(8, 10)), 0.0, 0.0),
    ):
        out = pass_through_fast(late, tmp_path / "out.mkv", span=span)
        clipped = [(max(start, begin), min(end, 10.8)) for start, end in times]
        expected = [(start - moved, end - moved) for start, end in clipped if start < end]
        chapters = [(float(c["start"]), float(c["end"])) for c in listing.metadata(out)[1:]]
        assert chapters == [pytest.approx(pair, abs=2e-3) for pair in expected]
        assert chapters


def test_subtitles_that_begin_before_a_part_are_in_it(tmp_path):
    words = tmp_path / "long.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:09,000\nStill here\n")
    video = ("testsrc=s=64x48:r=5:d=12", {"f": "lavfi"})
    source = sources.make(tmp_path / "in.mkv", video, words, select="0:v 1:s", **{"g": 5, "c:s": "srt"})
    for given in (source, pass_through_fast(source, tmp_path / "in.mp4")):
        out = pass_through_fast(given, tmp_path / "out.mkv", span=Span(Fraction(8), Fraction(10)))
        assert listing.subtitles(out) == [(0.0, 1.0, "Still here")]


def test_camera_data_is_copied(tmp_path, caplog):
    source = tmp_path / "in.mp4"
    with av.open(str(source), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        data = container.add_data_stream("bin_data")
        data.time_base = Fraction(1, 1000)
        container.start_encoding()
        for i in range(10):
            container.mux(video.encode(pattern(i, 64, 48, "yuv420p")))
            packet = av.Packet(b"DEVC%d" % i)
            packet.stream, packet.time_base = data, data.time_base
            packet.pts = packet.dts = 40 * i
            packet.duration, packet.is_keyframe = 40, True
            container.mux(packet)
        container.mux(video.encode(None))
    for ending in (".mp4", ".mov"):
        out = pass_through_fast(source, tmp_path / f"out{ending}")
        assert reader.packets(out, "0:d") == reader.packets(source, "0:d")
    assert not caplog.records
    pass_through_fast(source, tmp_path / "out.mkv")
    assert "cannot hold the input's #1 data: bin_data, und: it is dropped; .mp4 keeps it" in caplog.text


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_audio_packets_are_copied_byte_for_byte(tmp_path, ending):
    source = clip(tmp_path / "in.mp4", count=40, audio=3)
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    given, got = reader.packets(source, "0:a"), reader.packets(out, "0:a")
    assert len(given) > 100
    assert [line.digest for line in sorted(given, key=lambda line: line.stream)] == [
        line.digest for line in sorted(got, key=lambda line: line.stream)
    ]
    described = reader.describe(out)
    assert all(f"({language})" in described for language in ("eng", "deu", "fra"))


def test_chapters_attachments_titles_and_subtitles(tmp_path, caplog):
    source = tmp_path / "in.mkv"
    subtitles = tmp_path / "in.srt"
    subtitles.write_text("1\n00:00:00,100 --> 00:00:00,400\nHello\n")
    with av.open(str(source), "w") as container, av.open(str(subtitles)) as text:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height = 64, 48
        lines = container.add_stream_from_template(text.streams.subtitles[0])
        lines.metadata["language"] = "deu"
        lines.disposition = av.stream.Disposition.forced
        container.add_attachment("font.ttf", "application/x-truetype-font", b"glyphs" * 50)
        container.metadata["title"] = "A title"
        container.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 300,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "Opening"},
                }
            ]
        )
        for packet in text.demux():
            if packet.size:
                packet.stream = lines
                container.mux(packet)
        for i in range(12):
            container.mux(video.encode(pattern(i, 64, 48, "yuv420p")))
        container.mux(video.encode(None))

    described = reader.describe(pass_through_fast(source, tmp_path / "out.mkv"))
    for words in ("Opening", "A title", "subrip", "(deu)", "(forced)", "font.ttf"):
        assert words in described
    assert reader.packets(tmp_path / "out.mkv", "0:s") == reader.packets(source, "0:s")
    assert not caplog.records

    # What another container cannot hold is named.
    described = reader.describe(pass_through_fast(source, tmp_path / "out.mp4"))
    assert "Opening" in described
    assert "mov_text" in described
    assert "cannot hold the input's #2 attachment: font.ttf" in caplog.text


def test_a_part_begins_at_zero_with_its_audio(tmp_path):
    source = clip(tmp_path / "in.mp4", count=100, audio=1)
    out = pass_through_fast(source, tmp_path / "out.mp4", span=Span(Fraction(1), Fraction(3)))
    times = [line.time for line in reader.frames(out)]
    assert times == [Fraction(i, 25) for i in range(50)]
    audio = reader.packets(out, "0:a")
    assert abs(audio[0].time) < Fraction(3, 100)
    assert abs(audio[-1].time + audio[-1].duration - 2) < Fraction(3, 100)
    inside = [line.digest for line in reader.packets(source, "0:a")]
    assert {line.digest for line in audio} <= set(inside)


def test_audio_that_begins_before_the_video_keeps_its_time(tmp_path):
    source = tmp_path / "in.mkv"
    ffmpeg(
        *("-f", "lavfi", "-itsoffset", "0.5", "-i", "testsrc2=s=64x48:r=25:d=1"),
        *("-f", "lavfi", "-i", "sine=d=1.5", "-c:a", "aac", "-c:v", "libx264", source),
    )
    for ending in ("mp4", "mkv"):
        out = pass_through(source, tmp_path / f"out.{ending}")
        given, got = ([f.time for f in reader.frames(path)] for path in (source, out))
        assert got == given
        assert got[0] >= Fraction(1, 2)
        assert abs(reader.packets(out, "0:a")[0].time - reader.packets(source, "0:a")[0].time) < Fraction(
            1, 1000
        )
