"""OUT has every frame with its timestamp, whether or not the run was interrupted."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from tests.support import reader
from tests.support.encoders import open_segment_writer
from tests.support.platforms import posix
from tests.support.segments import COUNT, KEY, REPRODUCIBLE, make_clip, write_segments
from vidrestore.errors import LossError, OutputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.encoder import VideoEncoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.side_data import CAPTIONS
from vidrestore.media.output import segment_writer
from vidrestore.media.output.segments import Segment, read_segment

ENCODERS = {
    "x264": ("o.mp4", "libx264"),
    "x264 in mkv": ("o.mkv", "libx264"),
    "x265": ("o.mp4", "libx265"),
    "SVT-AV1": ("o.mkv", "libsvtav1"),
    "VP9": ("o.webm", "libvpx-vp9"),
    "FFV1": ("o.mkv", "ffv1"),
    "ProRes": ("o.mov", "prores_ks"),
}


#: Timestamps at 90 kHz with a variable frame rate, as phones record.
UNEVEN = [0]
for _i in range(COUNT - 1):
    UNEVEN.append(UNEVEN[-1] + (3003, 1001, 20000, 3000)[_i * _i % 4])


@pytest.mark.parametrize("times", [None, UNEVEN], ids=["constant rate", "variable rate"])
@pytest.mark.parametrize(("name", "codec"), ENCODERS.values(), ids=ENCODERS.keys())
def test_segments_keep_every_frame_and_its_time(tmp_path: Path, name: str, codec: str, times) -> None:
    base = Fraction(1, 90000) if times else None
    source = make_clip(tmp_path / "in.mp4", times=times, time_base=base, rate=Fraction(30))
    out = tmp_path / name
    write_segments(source, out, EncoderSettings(codec=codec), 10)
    exact = out.suffix in (".mp4", ".mov")
    given, got = reader.frames(source), reader.frames(out)
    assert len(got) == COUNT
    slack = 0 if exact else Fraction(1, 1000)
    assert all(abs(a.time - b.time) <= slack for a, b in zip(given, got, strict=True))
    with av.open(str(out)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    decoded = [packet for packet in packets if packet.dts is not None]  # Matroska stores no dts
    assert all(a.dts < b.dts for a, b in pairwise(decoded))
    assert all(packet.dts <= packet.pts for packet in decoded)
    assert sum(packet.is_keyframe for packet in packets) >= COUNT // 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", name]


def test_alpha_in_side_data_is_kept(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mkv", pix_fmt="yuva420p", codec="ffv1")
    write_segments(source, tmp_path / "segments.webm", EncoderSettings(codec="libvpx-vp9"), 10)
    with av.open(str(tmp_path / "segments.webm")) as container:
        found = [p.has_sidedata("matroska_block_additional") for p in container.demux(video=0) if p.size]
    assert found == [True] * COUNT


@pytest.mark.parametrize("stop", [3, 10, 19, 25, COUNT])
def test_an_interrupted_run_resumes_to_the_same_packets(tmp_path: Path, stop: int) -> None:
    source, settings = make_clip(tmp_path / "in.mp4"), EncoderSettings(codec="libx264", options=REPRODUCIBLE)
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
    segments = sorted(folder.glob("*.[ps]*"))
    assert [path.name for path in segments] == [f"{i:010}.segment" for i in range(0, kept, 10)]
    info = [info for path in segments for info in read_segment(path).info]
    assert info == [{"number": i} for i in range(kept)]

    told: list[dict] = []
    write_segments(source, out, settings, 10, told=told.extend)
    assert told == [{"number": i} for i in range(COUNT)]
    assert reader.packets(out) == reader.packets(tmp_path / "whole.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "o.mp4", "whole.mp4"]


@pytest.mark.parametrize("earlier", [(0,), (1, 2), (0, 2, 3), (0, 1, 2, 3)], ids=str)
def test_segments_of_another_run_take_the_place_of_frames(tmp_path: Path, earlier: tuple[int, ...]) -> None:
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(codec="libx264", options=REPRODUCIBLE)
    kept = {}
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:

        def keep(segment: Segment, first: int) -> None:
            path = tmp_path / f"{first}.kept"
            path.write_bytes(segment.path.read_bytes())
            kept[first] = read_segment(path)

        writer.on_segment = keep
        for frame in decoder:
            writer.write(frame)
    assert list(kept) == [0, 10, 20, 30]
    whole = reader.packets(out)
    out.unlink()
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:
        writer.on_segment = lambda segment, first: seen.append(first)
        seen: list[int] = []
        for frame in decoder:
            if frame.index // 10 not in earlier:
                writer.write(frame)
            elif frame.index % 10 == 0:
                writer.insert(kept[frame.index])
        assert writer.frames == COUNT
    assert reader.packets(out) == whole
    assert seen == [10 * place for place in range(4) if place not in earlier]


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
def test_a_full_disk_keeps_finished_segments(tmp_path: Path, monkeypatch, target: str) -> None:
    """Nothing can be written from the second segment on."""
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(codec="libx264", options=REPRODUCIBLE)
    write_segments(source, tmp_path / "whole.mp4", settings, 10)
    with pytest.raises(KeyboardInterrupt):
        write_segments(source, out, settings, 10, stop=12)
    with monkeypatch.context() as patch:
        patch.setattr(f"vidrestore.media.{target}", _full)
        with pytest.raises(OutputError, match=r"o\.mp4 cannot be written: No space left") as caught:
            write_segments(source, out, settings, 10)
    assert "frames are finished and kept" in caught.value.__notes__[0]
    assert not out.exists()
    told: list[dict] = []
    write_segments(source, out, settings, 10, told=told.extend)
    assert told == [{"number": i} for i in range(COUNT)]
    assert reader.packets(out) == reader.packets(tmp_path / "whole.mp4")


@posix
def test_a_file_size_limit_is_like_a_full_disk(tmp_path: Path) -> None:
    """Files that reach a size limit fail as on a full disk: when written, and when closed."""
    import resource

    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mkv"
    write_segments(source, out, EncoderSettings(codec="ffv1"), 10)
    before, size = resource.getrlimit(resource.RLIMIT_FSIZE), out.stat().st_size
    out.unlink()
    # Two of the more than three segments fit into OUT.
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
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    told = iter(range(1000))
    monkeypatch.setattr(VideoEncoder, "extradata", property(lambda self: bytes([next(told)])))
    with pytest.raises(OutputError, match="cannot be joined; choose another -c:v"):
        write_segments(source, out, EncoderSettings(preset="ultrafast"), 10)
    assert not out.exists()


def test_a_run_without_enough_disk_space_does_not_begin(tmp_path: Path, monkeypatch) -> None:
    source = make_clip(tmp_path / "in.mp4")
    monkeypatch.setattr(segment_writer, "space_needed", lambda *_: 1 << 62)
    with (
        pytest.raises(OutputError, match=r"GB free, and o\.mp4 needs about .* GB"),
        Decoder(source) as decoder,
    ):
        open_segment_writer(decoder, tmp_path / "o.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4"]


def test_strict_refuses_losses_of_finished_segments_too(tmp_path: Path) -> None:
    """That an earlier run without it has made."""
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(preset="ultrafast", options={"a53cc": "0"})

    def run(strict: bool) -> None:
        with (
            Decoder(source) as decoder,
            open_segment_writer(decoder, out, settings, length=10, strict=strict) as writer,
        ):
            writer.resume(writer.folder.begin(KEY, resume=False))
            assert (writer.frames > 0) == strict
            for frame in decoder:
                if frame.index == 25:
                    raise KeyboardInterrupt
                later = {CAPTIONS} if frame.index >= 5 and not strict else set()
                writer.write(replace(frame, side_data=frame.side_data | later))

    with pytest.raises(KeyboardInterrupt):
        run(strict=False)
    for _ in range(2):
        with pytest.raises(LossError, match="loses its closed captions"):
            run(strict=True)
        assert not out.exists()
