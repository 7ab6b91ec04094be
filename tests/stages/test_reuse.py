"""Only the frames that are wanted, and their context, are decoded and looked at. Whole runs are in
tests/test_reuse.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.clips import pattern, write
from tests.support.recordings import face
from vidrestore.errors import InputError
from vidrestore.faces.recorded.recorded_source import RecordedSource
from vidrestore.faces.recorded.recording import Origin, Recording
from vidrestore.media.decode import decoder as decoding
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.media.output.segment_store import SegmentStore
from vidrestore.media.timeline import Span
from vidrestore.stages import reuse
from vidrestore.stages.face_source import timestamp
from vidrestore.stages.needs import Needs
from vidrestore.stages.reuse import Expected, Reuse
from vidrestore.stages.stretches import Stretches

COUNT, LENGTH, CONTEXT = 120, 5, 3


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key frame every ten frames; 25 frames are a second."""
    frames = [pattern(i, 64, 48, "yuv420p") for i in range(COUNT)]
    return write(tmp_path_factory.mktemp("reuse") / "in.mkv", frames, options={"g": "10"})


@pytest.fixture(autouse=True)
def _short_context(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "CONTEXT", CONTEXT)
    monkeypatch.setattr(decoding, "_RESUME_LEAD", 0)


def make(clip: Path, folder: Path, *wanted: range, **others: Any) -> Reuse:
    with Decoder(clip) as decoder:
        source = decoder.source
        origin = Origin(
            name=clip.name,
            width=64,
            height=48,
            time_base=source.time_base,
            begin=decoder.timeline.begin,
        )
        recording = Recording(origin)
        for frame in decoder:
            recording.add(timestamp(frame), [face(1, 20), face(2, 40)] if frame.index < 60 else [])
    stretches = Stretches.join(wanted)
    given = {
        "source": RecordedSource(recording, pts=timestamp),
        "expected": Expected(recording.timestamps, 0, COUNT),
        "finished": {},
        "segments": COUNT // LENGTH,
        "length": LENGTH,
        "tracks": 2,
        "wanted": stretches,
        "wanted_tracks": [{1}] * len(stretches.stretches),
        "needs": Needs.of(frame for stretch in stretches.stretches for frame in stretch),
        "store": SegmentStore(folder / "store", create=True),
        "group": "group",
        "about": "a clip",
        "marks": {},
    }
    return Reuse(**given | others)


def frames_of(made: Reuse, clip: Path) -> list[tuple[int, int]]:
    """Number and timestamp of each frame that comes through."""
    with Decoder(clip) as decoder:
        return [(frame.index, timestamp(frame)) for frame in made.decoded(decoder)]


def marks_of(clip: Path, *frames: int) -> dict[int, FrameFingerprint]:
    with Decoder(clip) as decoder:
        found = {frame.index + 1: FrameFingerprint.of(frame.index, frame.video) for frame in decoder}
    return {frame: found[frame] for frame in frames}


WANTED = (range(10, 15), range(60, 70), range(115, 120))
AROUND = [*range(7, 18), *range(57, 73), *range(112, 120)]


@pytest.mark.parametrize("marked", [(), (57,), (7, 57, 112)], ids=str)
def test_frames_that_are_wanted_and_their_context(clip, tmp_path, monkeypatch, marked):
    decoded = []
    real = Decoder._frame

    def count(self: Decoder, index: int, *others: Any, **more: Any) -> Any:
        decoded.append(index)
        return real(self, index, *others, **more)

    made = make(clip, tmp_path, *WANTED, marks=marks_of(clip, *marked))
    monkeypatch.setattr(Decoder, "_frame", count)
    got = frames_of(made, clip)
    assert [index for index, _ in got] == AROUND
    assert [pts for _, pts in got] == [made.expected.timestamps[index] for index in AROUND]
    passed = {place for place, before in ((7, 0), (57, 18), (112, 73)) if place in marked for _ in [before]}
    begins = {7: 1, 57: 18, 112: 73}
    skipped = {i for place in passed for i in range(begins[place], place)}
    assert set(decoded) == set(range(COUNT)) - skipped


def test_nothing_wanted_decodes_nothing(clip, tmp_path):
    assert frames_of(make(clip, tmp_path), clip) == []


def test_a_mark_of_another_frame_is_not_followed(clip, tmp_path):
    wrong = marks_of(clip, 57)[57]
    made = make(clip, tmp_path, range(60, 65), marks={57: FrameFingerprint(56, wrong.pts, "0" * 32)})
    assert [index for index, _ in frames_of(made, clip)] == list(range(57, 68))


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (lambda times: times[:20] + times[21:], r"a frame at 0\.800 s that is not among them"),
        (lambda times: [*times, times[-1] + 40], "ends after 120 frames, 1 early"),
        (lambda times: times[:-1], "a frame at 4.760 s"),
    ],
    ids=["one less", "one more", "ends earlier"],
)
def test_other_frames_than_those_expected_are_refused(clip, tmp_path, expected, said):
    made = make(clip, tmp_path, range(COUNT))
    times = expected(list(made.expected.timestamps))
    made = make(clip, tmp_path, range(len(times)), expected=Expected(times, 0, len(times)))
    with pytest.raises(InputError, match=said):
        frames_of(made, clip)


def test_faces_that_no_wanted_frame_depends_on_are_left_out(clip, tmp_path):
    made = make(clip, tmp_path, range(10, 15), range(40, 45))
    with Decoder(clip) as decoder:
        items = ((frame, made.source.faces_at(timestamp(frame))) for frame in decoder)
        tracks = {frame.index: [f.track for f in faces] for frame, faces in made.watch(made.source, items)}
    both = [*range(10, 15), *range(40, 45)]
    one = [*range(7, 10), *range(15, 18), *range(37, 40), *range(45, 48)]
    assert tracks == {i: [1, 2] if i in both else [1] if i in one else [] for i in range(COUNT)}


def test_places_to_seek_to_are_noted_and_found_again(clip, tmp_path):
    made = make(clip, tmp_path, range(COUNT))
    with Decoder(clip) as decoder:
        for _ in made.watch(made.source, ((frame, ()) for frame in decoder)):
            pass
    again = reuse._read_marks(made.store.read("group"))
    assert again == marks_of(clip, *range(LENGTH - CONTEXT, COUNT, LENGTH))
    for damaged in ("[", "[3]", '[{"index": 3}]', "{}", None):
        assert reuse._read_marks(damaged) == {}


@pytest.mark.parametrize(
    ("span", "context", "places"),
    [
        (Span(), 3, range(COUNT)),
        (Span(2), 3, range(47, COUNT)),
        (Span(2, 3), 3, range(47, 78)),
        (Span(2, 3), 0, range(50, 75)),
        (Span(0, 3), 3, range(78)),
        (Span(9), 3, range(0)),
    ],
    ids=str,
)
def test_expected_frames_are_those_that_a_decoder_gives(clip, tmp_path, span, context, places):
    recording = make(clip, tmp_path).source.recording
    with Decoder(clip) as decoder:
        timeline = decoder.timeline
    expected = Expected.of(recording, replace(timeline, span=span), context=context)
    assert list(expected.timestamps) == [recording.timestamps[place] for place in places]
    if places:
        with Decoder(clip, span, context=context) as decoder:
            frames = list(decoder)
        assert [timestamp(frame) for frame in frames] == list(expected.timestamps)
        assert all(map(expected.holds, frames))
        assert expected.frames == sum(not frame.context for frame in frames)
