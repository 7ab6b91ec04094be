"""Rendering only what has changed: segments that earlier runs put into a store are used again (``--keep``).

The key of a segment needs the faces of all its frames before any of them is restored. So the faces come from
a tracks file, or are found in a pass of their own, whose record the store keeps as well.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Self

from ..errors import InputError, UsageError
from ..faces.face import Face
from ..faces.recorded.recorded_source import RecordedSource
from ..faces.recorded.recording import Recording
from ..faces.recorded.tracks_file import parse_recording, write_recording
from ..faces.source import FaceSource
from ..media.decode.decoder import Decoder
from ..media.decode.fingerprint import FrameFingerprint
from ..media.frames.frame import Frame
from ..media.output.segment_store import SegmentStore
from ..media.output.segment_writer import SegmentWriter
from ..media.output.segments import Segment
from ..media.output.writer import StreamWriter
from ..media.timeline import Timeline
from ..options import Options
from .face_source import record_faces, recorded_source, timestamp
from .needs import Needs
from .restoration import CONTEXT
from .resume import Resume, run_key
from .segment_keys import SegmentKeys
from .setup import Setup
from .stretches import Stretches

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expected:
    """The frames of a run, known before they are decoded: their timestamps in ticks, with those of the
    context around them."""

    timestamps: Sequence[int]
    first: int  #: the place of the first frame that is written
    end: int  #: the place after the last one

    @classmethod
    def of(cls, recording: Recording, timeline: Timeline, *, context: int) -> Self:
        """The frames that a recording has for the span of ``timeline``, and ``context`` to each side."""
        base: Fraction = recording.origin.time_base
        span, every = timeline.span, recording.timestamps
        inside = [
            place
            for place, pts in enumerate(every)
            if not (span.start and pts * base < timeline.start)
            and (timeline.end is None or pts * base < timeline.end)
        ]
        if not inside:
            return cls((), 0, 0)
        begin = max(0, inside[0] - context)
        return cls(every[begin : inside[-1] + 1 + context], inside[0] - begin, inside[-1] + 1 - begin)

    @property
    def frames(self) -> int:
        """How many are written."""
        return self.end - self.first

    def holds(self, frame: Frame) -> bool:
        """Whether ``frame``, which may be of the context, is the one with its number."""
        place = frame.index + self.first
        if not 0 <= place < len(self.timestamps):
            return frame.context
        return self.timestamps[place] == timestamp(frame)


@dataclass(frozen=True, slots=True)
class Reuse:
    """What a run takes from a store and adds to it; with the members of :class:`.resume.Resume`."""

    source: RecordedSource[Frame]
    expected: Expected
    finished: dict[int, Segment]  #: by the number of their first frame
    segments: int  #: of the whole run
    length: int  #: frames per segment
    tracks: int  #: with a face in a frame
    wanted: Stretches  #: the frames to restore: those of no finished segment
    wanted_tracks: list[set[int]]  #: with a face in each stretch of these
    needs: Needs | None  #: of the frames that are wanted; None if all are
    store: SegmentStore
    group: str  #: of the segments in the store
    about: str
    marks: dict[int, FrameFingerprint]  #: of frames that lie just before the context of a segment

    @classmethod
    def begin(
        cls,
        writer: StreamWriter | SegmentWriter,
        decoder: Decoder,
        options: Options,
        setup: Setup,
        check: Callable[[], None] = lambda: None,
    ) -> Reuse:
        """Find out which segments are in the store ``options.keep``, and let ``writer`` add the others.

        ``check`` is called from time to time, and may raise an exception. Raises VidrestoreError.
        """
        if not isinstance(writer, SegmentWriter):
            raise UsageError("--keep needs an OUT that is a file: other output has no segments")
        assert options.keep is not None
        store, length = SegmentStore(options.keep, create=True), writer.length
        run = run_key(options, setup, length=length)
        resumed = writer.folder.begin(run, resume=options.resume)
        keys = SegmentKeys(run, options, setup)
        if options.tracks:
            source = recorded_source(options, decoder)
        else:
            recording = _found_faces(store, keys.found, options, setup, check)
            source = RecordedSource(recording, pts=timestamp)
        context = CONTEXT if options.tracks else 0
        expected = Expected.of(source.recording, decoder.timeline, context=context)
        faces = [
            {face.track: keys.describe(face) for face in source.faces_at(pts)} for pts in expected.timestamps
        ]
        named = keys.of_segments(
            expected.timestamps,
            [source.recording.shots_until(pts) for pts in expected.timestamps],
            faces,
            first=expected.first,
            end=expected.end,
            length=length,
        )
        finished = dict(zip(range(0, expected.frames, length), resumed, strict=False))
        for number, key in enumerate(named):
            first = number * length
            segment = finished.get(first) or store.take(key, writer.folder.segment_path(first))
            if segment and (segment.frames, segment.extradata) == (
                min(length, expected.frames - first),
                writer.extradata,
            ):
                finished[first] = segment
            else:
                finished.pop(first, None)
            check()
        log.info("%d of %d segments are reused from %s", len(finished), len(named), store.folder)
        writer.on_segment = lambda segment, first: store.add(named[first // length], segment)
        about = f"{options.input.name}, {setup.encoder}"
        marks = store.read(keys.group)
        if marks is None:
            store.write(keys.group, "[]", about=about)
        wanted = Stretches.join(
            range(first, min(first + length, expected.frames))
            for first in range(0, expected.frames, length)
            if first not in finished
        )
        guarded = any(person.reference for person in source.recording.persons.values())
        inside = [faces[s.start + expected.first : s.stop + expected.first] for s in wanted.stretches]
        return cls(
            source=source,
            expected=expected,
            finished=finished,
            segments=len(named),
            length=length,
            tracks=len(set[int]().union(*faces)),
            wanted=wanted,
            wanted_tracks=[set[int]().union(*stretch) for stretch in inside],
            needs=Needs.of(
                (frame for s in wanted.stretches for frame in s), guarded=guarded, task=options.task
            )
            if finished
            else None,
            store=store,
            group=keys.group,
            about=about,
            marks=_read_marks(marks),
        )

    @property
    def frames(self) -> int:
        """How many frames are finished."""
        return sum(segment.frames for segment in self.finished.values())

    @property
    def faces(self) -> int:
        """How many faces were restored in the finished segments."""
        return sum(info["faces"] for segment in self.finished.values() for info in segment.info)

    def insert(self, writer: StreamWriter | SegmentWriter) -> None:
        """Let ``writer`` take the finished segments that are next."""
        assert isinstance(writer, SegmentWriter)
        while segment := self.finished.get(writer.frames):
            writer.insert(segment)

    def decoded(self, decoder: Decoder) -> Iterator[Frame]:
        """The frames that are wanted, and their context. Others are passed over: by seeking, if a run has
        come past the place to seek to, else by decoding them.

        Raises InputError if frames are not those that the faces are known for.
        """
        frames, last = iter(decoder), -self.length
        for stretch in self.wanted.stretches:
            begin, end = stretch.start - CONTEXT, stretch.stop + CONTEXT
            if begin - last > self.length and begin in self.marks:
                decoder.resume_after(self.marks[begin])
                frames = iter(decoder)
            for frame in frames:
                if not self.expected.holds(frame):
                    self._refuse(decoder, f"has a frame at {float(frame.time):.3f} s that is not among them")
                last = frame.index
                if last >= begin:
                    yield frame
                if last == end - 1:
                    break
        if self.wanted and last < self.wanted.stretches[-1].stop - 1:
            self._refuse(decoder, f"ends after {last + 1} frames, {self.expected.frames - last - 1} early")

    def watch(
        self, source: FaceSource[Frame], tracked: Iterable[tuple[Frame, tuple[Face, ...]]]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Pass ``tracked`` through, without faces that no wanted frame depends on, and note on the way where
        later runs can seek to."""
        for frame, faces in tracked:
            boundary = frame.index + 1
            if frame.index >= 0 and (boundary + CONTEXT) % self.length == 0 and boundary not in self.marks:
                self.marks[boundary] = FrameFingerprint.of(frame.index, frame.video)
                marks = json.dumps([asdict(mark) for mark in self.marks.values()])
                self.store.write(self.group, marks, about=self.about)
            if self.needs and frame.index not in self.needs.aligned:
                faces = ()
            elif frame.index not in self.wanted:
                near = self.wanted.places_near(frame.index, CONTEXT)
                tracks = set[int]().union(*(self.wanted_tracks[place] for place in near))
                faces = tuple(face for face in faces if face.track in tracks)
            yield frame, faces

    def _refuse(self, decoder: Decoder, problem: str) -> None:
        name = self.source.recording.display_name
        raise InputError(
            f"{name} does not list the frames that {decoder.path.name} has, which {problem}; run vidrestore "
            "analyze again, or leave out --keep"
        )


def _found_faces(
    store: SegmentStore, key: str, options: Options, setup: Setup, check: Callable[[], None]
) -> Recording:
    """The faces of the input, from ``store`` if they are there, else found now and put there."""
    if text := store.read(key):
        try:
            return parse_recording(text.encode(), f"the record of the faces in {store.folder}")
        except InputError as error:
            log.warning("%s", error)
    log.info("finding all faces first, as --keep needs them")
    recording = record_faces(options, setup, check)
    content = io.StringIO()
    write_recording(recording, content, exact=True)
    store.write(key, content.getvalue(), about=f"{options.input.name}, its faces")
    return recording


def _read_marks(text: str | None) -> dict[int, FrameFingerprint]:
    """Fingerprints by the number of the frame after each."""
    try:
        marks = [FrameFingerprint(**entry) for entry in json.loads(text or "[]")]
    except (ValueError, TypeError):  # damaged: they only save time
        return {}
    return {mark.index + 1: mark for mark in marks}


def begin_earlier(
    writer: StreamWriter | SegmentWriter,
    decoder: Decoder,
    options: Options,
    setup: Setup,
    check: Callable[[], None],
) -> Resume | Reuse:
    """What a run takes from earlier ones: from a store with ``--keep``, else from a run that ended early. See
    their ``begin``."""
    if options.keep:
        return Reuse.begin(writer, decoder, options, setup, check)
    return Resume.begin(writer, decoder, options, setup)
