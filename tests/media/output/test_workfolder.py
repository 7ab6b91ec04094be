"""A work folder belongs to one run, and to later ones with the same resume key."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import av.error
import pytest

from tests.support import reader
from tests.support.encoders import open_segment_writer
from tests.support.segments import COUNT, KEY, make_clip, write_segments
from vidrestore.errors import InputError, OutputError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.output import segments
from vidrestore.media.remux.muxer import Muxer


def test_only_one_run_writes_an_output(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(preset="ultrafast")
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:
        writer.resume(writer.folder.begin(KEY, resume=False))
        with pytest.raises(OutputError, match=r"another run is writing .*o\.mp4"):
            open_segment_writer(decoder, out, settings)
        # The refused run has not disturbed this one.
        for frame in decoder:
            writer.write(frame)
    assert len(reader.frames(out)) == COUNT


def test_files_of_a_killed_run_are_no_obstacle(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    folder = tmp_path / ".o.mp4.vidrestore"
    folder.mkdir()
    for name in ("lock", "partial.mp4", "0000000000.part"):
        (folder / name).write_bytes(b"left behind")
    write_segments(source, out, EncoderSettings(preset="ultrafast"), 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "o.mp4"]


def test_segments_behind_a_gap_are_kept_apart(tmp_path: Path) -> None:
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(preset="ultrafast")
    with pytest.raises(KeyboardInterrupt):
        write_segments(source, out, settings, 10, stop=32)
    folder = tmp_path / ".o.mp4.vidrestore"
    (folder / "0000000010.segment").unlink()
    (folder / "0000000020-a1b2.segment").touch()  # of a worker that was killed
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:
        found = writer.folder.begin(KEY, resume=False)
        assert [segment.path.stem for segment in found] == ["0000000000"]
        assert {first: segment.frames for first, segment in writer.folder.later.items()} == {20: 10}
        assert sorted(path.name for path in folder.glob("*.segment")) == [
            "0000000000.segment",
            "0000000020.segment",
        ]
        writer.resume(writer.folder.begin(KEY | {"another": "key"}, resume=False))
        assert writer.folder.later == {}
        for frame in decoder:
            writer.write(frame)


CHANGES: dict[str, tuple[Callable[[dict], dict], str | None]] = {
    "nothing": (lambda key: key, None),
    "a value": (
        lambda key: key | {"--w": "0.7"},
        r"over: --w has changed since the last run \(0.5, now 0.7\)",
    ),
    "a hash": (lambda key: key | {"the input": "b" * 64}, "over: the input has changed since the last run$"),
    "one more": (lambda key: key | {"--steady": "all"}, r"--steady has changed .* \(not set, now all\)"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_key_is_named_and_starts_over(tmp_path: Path, caplog, change, message) -> None:
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    key = {"--w": "0.5", "the input": "a" * 64}
    settings = EncoderSettings(preset="ultrafast")
    caplog.set_level("INFO", "vidrestore")
    with pytest.raises(KeyboardInterrupt):
        write_segments(source, out, settings, 10, stop=25, key=key)
    caplog.clear()
    with Decoder(source) as decoder, open_segment_writer(decoder, out, settings, length=10) as writer:
        writer.resume(writer.folder.begin(change(key), resume=False))
        assert writer.frames == (0 if message else 20)
        for frame in islice(decoder, writer.frames, None):
            writer.write(frame)
    lines = [record.getMessage() for record in caplog.records if record.name.endswith("workfolder")]
    assert len(lines) == 1
    assert re.search(message or "resuming after 20 finished frames", lines[0])
    assert len(reader.frames(out)) == COUNT


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (av.error.ArgumentError(22, "Invalid argument"), "change what the error names"),
        (av.error.PatchWelcomeError(1, "Not yet implemented"), "change what the error names"),
        (av.error.FFmpegError(28, "No space left on device"), "run the same command again to resume"),
        (OSError(28, "No space left on device"), "run the same command again to resume"),
        (InputError("damaged; leave out --strict"), "change what the error names"),
    ],
)
def test_only_an_error_that_may_go_away_asks_for_the_same_command(
    tmp_path, monkeypatch, error, words
) -> None:
    def refuse(muxer: Muxer) -> None:
        raise error

    monkeypatch.setattr(Muxer, "finish", refuse)
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    with pytest.raises((OutputError, InputError)) as caught:
        write_segments(source, out, EncoderSettings(preset="ultrafast"), 10)
    (note,) = caught.value.__notes__
    assert note.startswith(f"{COUNT} frames are finished and kept: {words}")
    assert (str(tmp_path / ".o.mp4.vidrestore") in note) == ("remove" in note)


def test_segments_that_cannot_be_read_for_a_moment_are_kept(tmp_path, monkeypatch) -> None:
    """As where the connection to a disk in the network is lost, which also ends the run."""
    source, out = make_clip(tmp_path / "in.mp4"), tmp_path / "o.mp4"
    settings = EncoderSettings(preset="ultrafast")
    with pytest.raises(KeyboardInterrupt):
        write_segments(source, out, settings, 10, stop=32)
    kept = sorted((tmp_path / ".o.mp4.vidrestore").glob("*.segment"))
    assert len(kept) == 3

    def failing(path: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(segments, "_read_record", failing)
        with pytest.raises(OutputError, match="cannot be read: Input/output error"):
            write_segments(source, out, settings, 10)
    assert sorted((tmp_path / ".o.mp4.vidrestore").glob("*.segment")) == kept
