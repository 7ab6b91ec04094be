"""Segments by separate encoders make one video: every packet, every timestamp, whichever encoder it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import pytest

from tests.support import reader
from tests.support.clips import pattern, write
from tests.support.encoders import open_segment_writer
from tests.support.platforms import posix
from vidrestore.errors import OutputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.encoder import VideoEncoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.frame import Frame
from vidrestore.media.output import writer as writers
from vidrestore.media.output.segments import DecodingTimes, SegmentFile, read_segment

COUNT = 34
SAME = (("threads", "1"), ("x264-params", "cpu-independent=1"))
KEY = {"what": "a test"}


def clip(path: Path, **settings: object) -> Path:
    frames = [pattern(i, 64, 48, settings.pop("pix_fmt", "yuv420p")) for i in range(COUNT)]
    return write(path, frames, **settings)


def write_segments(
    source: Path,
    out: Path,
    settings: EncoderSettings,
    length: int,
    *,
    stop: int | None = None,
    key: dict[str, str] = KEY,
) -> None:
    """All frames of ``source``, or as many as ``stop`` before something goes wrong."""
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=length) as writer:
        done = writer.folder.begin(key, resume=False)
        if writer.resume(done):
            frames: Iterator[Frame] = islice(decoder, writer.frames, stop)
            for frame in frames:
                writer.write(frame)
        if stop is not None:
            raise KeyboardInterrupt


ENCODERS = {
    "x264": ("o.mp4", "libx264"),
    "x264 in mkv": ("o.mkv", "libx264"),
    "x265": ("o.mp4", "libx265"),
    "SVT-AV1": ("o.mkv", "libsvtav1"),
    "VP9": ("o.webm", "libvpx-vp9"),
    "FFV1": ("o.mkv", "ffv1"),
    "ProRes": ("o.mov", "prores_ks"),
}
#: Frames at 90 kHz, as a phone gives them.
UNEVEN = [0]
for _i in range(COUNT - 1):
    UNEVEN.append(UNEVEN[-1] + (3003, 1001, 20000, 3000)[_i * _i % 4])


@pytest.mark.parametrize("times", [None, UNEVEN], ids=["constant rate", "variable rate"])
@pytest.mark.parametrize(("name", "codec"), ENCODERS.values(), ids=ENCODERS.keys())
def test_segments_keep_every_frame_and_its_time(tmp_path: Path, name: str, codec: str, times) -> None:
    base = Fraction(1, 90000) if times else None
    source = clip(tmp_path / "in.mp4", times=times, time_base=base, rate=Fraction(30))
    out = tmp_path / name
    write_segments(source, out, EncoderSettings(codec=codec), 10)
    exact = out.suffix in (".mp4", ".mov")
    given, got = reader.frames(source), reader.frames(out)
    assert len(got) == COUNT
    slack = 0 if exact else Fraction(1, 1000)
    assert all(abs(a.time - b.time) <= slack for a, b in zip(given, got, strict=True))
    with av.open(str(out)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    decoded = [packet for packet in packets if packet.dts is not None]  # Matroska does not tell it
    assert all(a.dts < b.dts for a, b in pairwise(decoded))
    assert all(packet.dts <= packet.pts for packet in decoded)
    assert sum(packet.is_keyframe for packet in packets) >= COUNT // 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", name]


def test_alpha_in_side_data_is_kept(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mkv", pix_fmt="yuva420p", codec="ffv1")
    write_segments(source, tmp_path / "segments.webm", EncoderSettings(codec="libvpx-vp9"), 10)
    with av.open(str(tmp_path / "segments.webm")) as container:
        found = [p.has_sidedata("matroska_block_additional") for p in container.demux(video=0) if p.size]
    assert found == [True] * COUNT


@pytest.mark.parametrize("stop", [3, 10, 19, 25, COUNT])
def test_a_run_cut_short_goes_on_to_the_same_packets(tmp_path: Path, stop: int) -> None:
    source, settings = clip(tmp_path / "in.mp4"), EncoderSettings(codec="libx264", options=SAME)
    write_segments(source, tmp_path / "whole.mp4", settings, 10)
    out = tmp_path / "o.mp4"
    folder = tmp_path / ".o.mp4.vidrestore"
    with pytest.raises(KeyboardInterrupt) as caught:
        write_segments(source, out, settings, 10, stop=stop)
    assert not out.exists()
    kept = stop // 10 * 10
    assert folder.exists() == bool(kept)
    notes = getattr(caught.value, "__notes__", [])
    assert notes == (
        [f"{kept} frames are finished and kept: run the same command again to resume"] if kept else []
    )
    assert sorted(p.name for p in folder.glob("*.[ps]*")) == [f"{i:010}.segment" for i in range(0, kept, 10)]

    write_segments(source, out, settings, 10)
    assert reader.packets(out) == reader.packets(tmp_path / "whole.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "o.mp4", "whole.mp4"]


def test_an_incomplete_segment_is_not_read(tmp_path: Path) -> None:
    source = clip(tmp_path / "in.mp4")
    with av.open(str(source)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    path = tmp_path / "0.segment"
    file = SegmentFile(path)
    file.add(packets)
    assert not path.exists()
    file.finish(frames=COUNT, info=[{"any": 3}, {}], extradata=b"\1\2")
    segment = read_segment(path)
    assert (segment.frames, segment.info, segment.extradata) == (COUNT, [{"any": 3}, {}], b"\1\2")
    again = list(segment.packets([dts for _, dts in segment.timestamps]))
    assert [(bytes(p), p.pts, p.dts, p.is_keyframe) for p in again] == [
        (bytes(p), p.pts, p.dts, p.is_keyframe) for p in packets
    ]
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[:40], whole[: len(whole) // 2], b"x" * 100):
        path.write_bytes(damaged)
        assert read_segment(path) is None
    assert read_segment(tmp_path / "gone.segment") is None


def timestamps(order: list[int], delay: int, first: int = 0) -> list[tuple[int, int]]:
    """pts and dts of frames that are coded in this order, 10 ticks each."""
    times = [10 * i for i in range(first - delay, first + len(order))]
    return [(10 * (first + frame), times[place]) for place, frame in enumerate(order)]


def test_decoding_times_are_those_of_one_encoder() -> None:
    times = DecodingTimes()
    whole = []
    for first in (0, 6, 12):
        whole += times(timestamps([0, 3, 1, 2, 5, 4], delay=2, first=first))
    assert whole == [10 * i for i in range(-2, 16)]
    without = DecodingTimes()
    assert without([(0, 0), (5, 5), (25, 25)]) + without([(30, 30), (31, 31)]) == [0, 5, 25, 30, 31]


def test_only_one_run_writes_an_output(tmp_path: Path) -> None:
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(preset="ultrafast")
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:
        writer.resume(writer.folder.begin(KEY, resume=False))
        with pytest.raises(OutputError, match=r"another run is writing .*o\.mp4"):
            open_segment_writer(decoder, out, settings)
        # Which has not harmed this one.
        for frame in decoder:
            writer.write(frame)
    assert len(reader.frames(out)) == COUNT


def test_a_lock_whose_holder_was_killed_is_none(tmp_path: Path) -> None:
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    folder = tmp_path / ".o.mp4.vidrestore"
    folder.mkdir()
    for name in ("lock", "partial.mp4", "0000000000.part"):
        (folder / name).write_bytes(b"left behind")
    write_segments(source, out, EncoderSettings(preset="ultrafast"), 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "o.mp4"]


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "target",
    [
        "output.segments.SegmentFile.add",
        "output.segments.make_durable",
        "remux.muxer.Muxer.mux",
        "remux.muxer.Muxer.finish",
    ],
)
def test_a_full_disk_is_one_sentence_and_keeps_what_is_done(tmp_path: Path, monkeypatch, target: str) -> None:
    """From the second segment on nothing can be written any more."""
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(codec="libx264", options=SAME)
    write_segments(source, tmp_path / "whole.mp4", settings, 10)
    with pytest.raises(KeyboardInterrupt):
        write_segments(source, out, settings, 10, stop=12)
    with monkeypatch.context() as patch:
        patch.setattr(f"vidrestore.media.{target}", _full)
        with pytest.raises(OutputError, match=r"o\.mp4 cannot be written: No space left") as caught:
            write_segments(source, out, settings, 10)
    assert "frames are finished and kept" in caught.value.__notes__[0]
    assert not out.exists()
    write_segments(source, out, settings, 10)
    assert reader.packets(out) == reader.packets(tmp_path / "whole.mp4")


@posix
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """Files that cannot grow beyond a limit fail as they do on a full disk: when written, and when closed."""
    import resource

    source, out = clip(tmp_path / "in.mp4"), tmp_path / "o.mkv"
    write_segments(source, out, EncoderSettings(codec="ffv1"), 10)
    before, size = resource.getrlimit(resource.RLIMIT_FSIZE), out.stat().st_size
    out.unlink()
    # Two of the segments, of which there are more than three, can be joined.
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(0.7 * size), before[1]))
    try:
        with pytest.raises(OutputError, match=r"o\.mkv cannot be written: File too large") as caught:
            write_segments(source, out, EncoderSettings(codec="ffv1"), 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "frames are finished and kept" in caught.value.__notes__[0]
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".part", ".mkv")]
    write_segments(source, out, EncoderSettings(codec="ffv1"), 10)
    assert len(reader.frames(out)) == COUNT


def test_segments_that_cannot_be_joined_are_refused(tmp_path: Path, monkeypatch) -> None:
    source, out = clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    told = iter(range(1000))
    monkeypatch.setattr(VideoEncoder, "extradata", property(lambda self: bytes([next(told)])))
    with pytest.raises(OutputError, match="cannot be joined; choose another -c:v"):
        write_segments(source, out, EncoderSettings(preset="ultrafast"), 10)
    assert not out.exists()


def test_what_has_no_room_is_not_begun(tmp_path: Path, monkeypatch) -> None:
    source = clip(tmp_path / "in.mp4")
    monkeypatch.setattr(writers, "space_needed", lambda *_: 1 << 62)
    with (
        pytest.raises(OutputError, match=r"GB free, and o\.mp4 needs about .* GB"),
        Decoder(source) as decoder,
    ):
        open_segment_writer(decoder, tmp_path / "o.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


CHANGES: dict[str, tuple[Callable[[dict], dict], str | None]] = {
    "nothing": (lambda key: key, None),
    "a value": (
        lambda key: key | {"--w": "0.7"},
        r"over: --w has changed since the last run \(0.5, now 0.7\)",
    ),
    "a hash": (lambda key: key | {"the input": "b" * 64}, "over: the input has changed since the last run$"),
    "one more": (lambda key: key | {"--steady": "all"}, r"--steady has changed .* \(not set, now all\)"),
}


@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES.keys())
def test_what_has_changed_is_said_and_starts_over(tmp_path: Path, caplog, change, said) -> None:
    source, out, key = clip(tmp_path / "in.mp4"), tmp_path / "o.mp4", {"--w": "0.5", "the input": "a" * 64}
    settings = EncoderSettings(preset="ultrafast")
    caplog.set_level("INFO", "vidrestore")
    with pytest.raises(KeyboardInterrupt):
        write_segments(source, out, settings, 10, stop=25, key=key)
    caplog.clear()
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:
        writer.resume(writer.folder.begin(change(key), resume=False))
        assert writer.frames == (0 if said else 20)
        for frame in islice(decoder, writer.frames, None):
            writer.write(frame)
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("workfolder")]
    assert len(lines) == 1
    assert re.search(said or "resuming after 20 finished frames", lines[0])
    assert len(reader.frames(out)) == COUNT
