"""Everything but the restored video, as an ffmpeg binary finds it in OUT."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support import listing, reader, sources
from tests.support.clips import pattern
from tests.support.through import through
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.containers import EXTENSIONS, MATROSKA
from vidrestore.media.remux.stream_plan import refuse_losses
from vidrestore.media.timeline import Span

OUTS = (".mp4", ".mov", ".mkv", ".webm")
#: The title of the test, its ending, the video's and the sound's codec, and what more ffmpeg is told.
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
#: What becomes of sound of each codec in an .mp4, .mov, .mkv and .webm: the codec, or a dash.
SOUND = {
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
#: Codecs whose packets begin with a header in a transport stream that other containers keep elsewhere.
FRAMED = {(".ts", "aac"): {"bsf:a": "aac_adtstoasc"}}


def a_source(folder: Path, kind: str) -> Path:
    ending, video, sound = CONTAINERS[kind]
    path = folder / f"in{ending}"
    if video is None:
        options = {"pix_fmt": "pal8"} if ending == ".gif" else {}
        return sources.make(path, sources.VIDEO, **options)
    options = {"c:v": video, "c:a": sound, "ac": 2, "ar": 44100 if ending == ".flv" else 48000, "strict": -2}
    if video == "mjpeg":
        options["pix_fmt"] = "yuvj420p"
    if ending == ".mts":
        options |= {"f": "mpegts", "mpegts_m2ts_mode": 1}
    return sources.make(path, sources.VIDEO, sources.SOUND, **options)


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
def test_each_container_goes_into_each(tmp_path, caplog, kind, ending):
    source = a_source(tmp_path, kind)
    out = through(source, tmp_path / f"out{ending}")
    pictures, given_pictures = reader.frames(out), reader.frames(source)
    assert len(pictures) == len(given_pictures) == 30
    sound = CONTAINERS[kind][2]
    if sound is None:
        assert [stream.kind for stream in listing.streams(out)] == ["video"]
        return
    expected = SOUND[sound].split()[OUTS.index(ending)]
    codecs = [stream.codec for stream in listing.streams(out) if stream.kind == "audio"]
    if expected == "-":
        assert codecs == []
        assert "it is dropped; .m" in caplog.text
        return
    assert codecs == [expected]
    assert "cannot hold" not in caplog.text
    if expected in ("flac", "alac") and expected != sound:
        same_sound(source, out)
    else:
        same_packets(source, out, FRAMED.get((source.suffix, sound), {}))


def same_packets(source: Path, out: Path, options: dict[str, str]) -> None:
    """Byte for byte, at the same times beside the pictures."""
    begin, given_begin = reader.frames(out)[0].time, reader.frames(source)[0].time
    given, got = reader.packets(source, "0:a", **options), reader.packets(out, "0:a")
    assert len(given) > 5
    assert [line.digest for line in got] == [line.digest for line in given]
    # Matroska and Windows Media count milliseconds, and a demuxer may guess a time from its neighbours'.
    for a, b in zip(given, got, strict=True):
        assert abs((a.time - given_begin) - (b.time - begin)) <= Fraction(2, 1000)


def same_sound(source: Path, out: Path) -> None:
    """The same samples, as far as 24 bits go, at the same times beside the pictures."""
    (given_time, given), (time, got) = decoded(source), decoded(out)
    assert abs(given_time - time) <= Fraction(2, 1000)
    assert len(given) == len(got) > 40000
    np.testing.assert_allclose(got, given, atol=2**-22)


def decoded(path: Path) -> tuple[Fraction, np.ndarray]:
    """When sound begins after the pictures do, and a second of its left channel."""
    command = [reader.binary(), "-v", "error", "-i", str(path), "-map", "0:a", "-ac", "2", "-f", "f64le", "-"]
    samples = np.frombuffer(subprocess.run(command, capture_output=True, check=True).stdout)
    begin = reader.frames(path, "0:a")[0].time - reader.frames(path)[0].time
    return begin, samples[::2][:48000]


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
def test_what_is_beside_picture_and_sound_comes_along(tmp_path, caplog, given, ending):
    source = sources.full_file(tmp_path, given)
    out = through(source, tmp_path / f"out{ending}")
    expected = KEPT[given, ending].split()
    found = listing.streams(out)
    text = next(stream for stream in found if stream.kind == "subtitle")
    assert text.codec == expected[0]
    # FFmpeg's QuickTime knows no Filipino, so that it is gone from a source of that kind.
    assert text.language in ((None, "und") if given == ".mov" else ("fil",))
    assert listing.subtitles(out) == sources.WORDS
    assert ("forced" in text.marks) == ("forced" in expected)
    assert any("attached pic" in stream.marks for stream in found) == ("cover" in expected)
    assert any(stream.kind == "attachment" for stream in found) == ("font" in expected)
    sounds = [stream for stream in found if stream.kind == "audio"]
    if ending != ".webm" or given == ".webm":
        assert sounds[0].language == "eng"
        assert sounds[1].language in ((None, "und") if given == ".mov" else ("deu",))
        assert ("comment" in sounds[1].marks) == ("comment" in expected)
    tags, *chapters = listing.metadata(out)
    assert tags["title"] == "A title"
    if given in (".mkv", ".webm"):
        # Beside a cover, an MP4 has the tags that players know.
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


def test_a_cover_and_a_font_are_the_same_bytes(tmp_path):
    source = sources.full_file(tmp_path)
    out = through(source, tmp_path / "out.mkv")
    again = through(through(source, tmp_path / "out.mp4"), tmp_path / "again.mkv")
    cover = (tmp_path / "cover.png").read_bytes()
    for path in (out, again):
        assert cover in path.read_bytes()
    assert (tmp_path / "font.ttf").read_bytes() in out.read_bytes()


LANGUAGES = ("eng", "deu", "ger", "swe", "fil", "hrv", "gle", "zho", "chi", "yue", "und")


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_every_language_is_kept_as_it_is_spelled(tmp_path, ending):
    more = [word for i, code in enumerate(LANGUAGES) for word in (f"-metadata:s:a:{i}", f"language={code}")]
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.SOUND,
        select="0:v " + "1:a " * len(LANGUAGES),
        more=tuple(more),
        **{"c:a": "aac", "t": 0.4},
    )
    found = [
        s.language for s in listing.streams(through(source, tmp_path / f"out{ending}")) if s.kind == "audio"
    ]
    assert [language or "und" for language in found] == list(LANGUAGES)


def test_a_language_in_two_letters_or_with_a_region_has_three_in_an_mp4(tmp_path, caplog):
    more = [
        word
        for i, code in enumerate(("de", "pt-BR", "tlh-x", "Klingon"))
        for word in (f"-metadata:s:a:{i}", f"language={code}")
    ]
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.SOUND,
        select="0:v 1:a 1:a 1:a 1:a",
        more=tuple(more),
        **{"c:a": "aac", "t": 0.4},
    )
    out = through(source, tmp_path / "out.mp4")
    assert [s.language for s in listing.streams(out)][1:] == ["deu", "por", "tlh", None]
    assert "cannot hold the language 'Klingon'" in caplog.text


def test_tags_of_a_camera_are_kept(tmp_path):
    more = (
        "-metadata",
        "com.apple.quicktime.make=Apple",
        "-metadata",
        "com.apple.quicktime.model=iPhone",
        "-movflags",
        "use_metadata_tags",
    )
    source = sources.make(tmp_path / "in.mov", sources.VIDEO, sources.SOUND, more=more, **{"c:a": "aac"})
    for ending in (".mov", ".mp4", ".mkv"):
        tags = listing.metadata(through(source, tmp_path / f"out{ending}"))[0]
        assert tags["com.apple.quicktime.make"] == "Apple"
        assert tags["com.apple.quicktime.model"] == "iPhone"


@pytest.mark.parametrize("ending", [".mov", ".mp4", ".mkv"])
def test_a_timecode_is_kept_and_moves_with_the_part(tmp_path, caplog, ending):
    source = sources.make(
        tmp_path / "in.mov", sources.VIDEO, sources.SOUND, timecode="01:02:03:04", **{"c:a": "aac"}
    )
    out = through(source, tmp_path / f"out{ending}")
    listed = reader.describe(out).partition("Stream mapping")[0]
    assert listed.count("01:02:03:04") == (1 if ending == ".mkv" else 2)
    again = through(out, tmp_path / "again.mov")
    assert reader.describe(again).partition("Stream mapping")[0].count("01:02:03:04") == 2
    part = through(source, tmp_path / f"part{ending}", span=Span(Fraction(1, 2)))
    assert "01:02:03:17" in reader.describe(part)
    assert "cannot hold" not in caplog.text


def test_the_other_videos_are_copied(tmp_path):
    source = sources.make(
        tmp_path / "in.mkv", sources.VIDEO, sources.OTHER_VIDEO, sources.SOUND, **{"c:a": "aac", "bf": 2}
    )
    for number, ending in ((None, ".mkv"), (1, ".mkv"), (0, ".mp4"), (1, ".mov")):
        out = through(source, tmp_path / f"out{number}{ending}", video_stream=number)
        kept = 0 if number == 1 else 1
        given, got = (reader.packets(path, f"0:v:{kept}", **{"bsf:v": "null"}) for path in (source, out))
        assert [line.digest for line in got] == [line.digest for line in given]
        other = reader.packets(out, f"0:v:{1 - kept}")
        assert len(other) == 30
        assert other[0].digest != reader.packets(source, f"0:v:{1 - kept}")[0].digest
        assert [stream.kind for stream in listing.streams(out)] == ["video", "video", "audio"]


def test_a_video_stream_that_is_none_is_refused(tmp_path):
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.SOUND, sources.OTHER_VIDEO)
    with pytest.raises(UsageError, match=r"--video-stream 1 is not a video stream of in\.mkv; use 0 or 2"):
        through(source, tmp_path / "out.mkv", video_stream=1)


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".webm"])
def test_a_part_has_its_sound_words_and_chapters(tmp_path, ending):
    source = sources.full_file(tmp_path)
    out = through(source, tmp_path / f"out{ending}", span=Span(Fraction(3, 10), Fraction(8, 10)))
    assert len(reader.frames(out)) == 12
    assert listing.subtitles(out) == [(0.0, 0.2, "Hello you"), (0.3, 0.5, "Zwei\nZeilen ÄÖ")]
    chapters = [(c["title"], float(c["start"]), float(c["end"])) for c in listing.metadata(out)[1:]]
    assert chapters == [("Opening", 0.0, 0.1), ("Rest", 0.1, 0.5)]
    if ending != ".webm":
        sound = reader.packets(out, "0:a:0")
        assert -0.05 < sound[0].time <= 0.05
        assert 0.45 <= sound[-1].time + sound[-1].duration < 0.55


def test_words_shown_since_long_before_a_part_are_in_it(tmp_path):
    words = tmp_path / "long.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:09,000\nStill here\n")
    video = ("testsrc=s=64x48:r=5:d=12", {"f": "lavfi"})
    source = sources.make(tmp_path / "in.mkv", video, words, select="0:v 1:s", **{"g": 5, "c:s": "srt"})
    for given in (source, through(source, tmp_path / "in.mp4")):
        out = through(given, tmp_path / "out.mkv", span=Span(Fraction(8), Fraction(10)))
        assert listing.subtitles(out) == [(0.0, 1.0, "Still here")]


STRICT = {
    "sound": ({"c:a": "aac"}, ".webm", "cannot hold the input's #1 audio: aac"),
    "a mark": ({"c:a": "aac", "disposition:a:0": "comment"}, ".mov", "the disposition 'comment'"),
    "a language": ({"c:a": "aac", "metadata:s:a:0": "language=Klingon"}, ".mp4", "the language 'Klingon'"),
    "a tag of a track": ({"c:a": "aac", "metadata:s:a:0": "MOOD=calm"}, ".mp4", "the tag 'MOOD'"),
}


@pytest.mark.parametrize(("options", "ending", "words"), STRICT.values(), ids=STRICT.keys())
def test_strict_refuses_what_would_be_lost(tmp_path, options, ending, words):
    source = sources.make(tmp_path / "in.mkv", sources.VIDEO, sources.SOUND, **options)
    container = EXTENSIONS[ending]
    with pytest.raises(OutputError, match=f"^--strict: .*{words}.*.mkv keeps it"):
        refuse_losses(source, container, 0, f"out{ending}")
    refuse_losses(source, MATROSKA, 0, "out.mkv")


def test_text_with_styles_is_said_to_lose_them(tmp_path, caplog):
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.subtitle_file(tmp_path, ".ass"),
        select="0:v 1:s",
        **{"c:s": "ass"},
    )
    out = through(source, tmp_path / "out.mp4")
    assert listing.subtitles(out) == sources.WORDS
    assert (
        "out.mp4 cannot hold the styles and positions of the input's #1 subtitle: ass; .mkv keeps it"
        in caplog.text
    )


def test_data_of_a_camera_is_copied(tmp_path, caplog):
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
        out = through(source, tmp_path / f"out{ending}")
        assert reader.packets(out, "0:d") == reader.packets(source, "0:d")
    assert not caplog.records
    through(source, tmp_path / "out.mkv")
    assert "cannot hold the input's #1 data: bin_data, und: it is dropped; .mp4 keeps it" in caplog.text


def test_sound_with_a_hole_keeps_its_time_when_it_is_converted(tmp_path):
    whole = sources.make(
        tmp_path / "whole.mkv", sources.VIDEO, sources.SOUND, **{"c:a": "adpcm_ms", "block_size": 256}
    )
    # What was lost on the way, as of a broadcast.
    drop = r"noise=amount=-1:drop=between(pts*tb\,0.3\,0.8)"
    holed = sources.make(tmp_path / "in.mkv", whole, c="copy", **{"bsf:a": drop})
    (given_begin, given), (begin, got) = decoded(whole), decoded(through(holed, tmp_path / "out.mp4"))
    assert abs(given_begin - begin) <= Fraction(2, 1000)
    assert np.abs(got[16000:36000]).max() == 0
    assert np.abs(got[40000:46000]).max() > 0.05
    match = max(range(-100, 101), key=lambda n: np.dot(got[40000:46000], given[40000 + n : 46000 + n]))
    assert abs(match) <= 48  # a millisecond
