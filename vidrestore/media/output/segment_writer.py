"""Writes OUT in segments, so that an interrupted run can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import OutputError
from ..containers import Container
from ..encode.encoder import VideoEncoder
from ..encode.settings import EncoderConfig
from ..encode.side_data_losses import SideDataLosses
from ..frames.frame import Frame
from ..remux.muxer import Muxer
from ..source_video import SourceVideo
from .destination import check_space, container_of, make_durable, writing
from .disk_space import space_needed
from .segments import DecodingTimes, Segment, SegmentFile
from .special_files import file_behind
from .workfolder import WorkFolder

#: Frames per segment. A kill costs at most that many frames, and each segment begins with a key frame: x264
#: and x265 place key frames up to 250 frames apart, so half of that makes their files about 1 % larger, and
#: those of other encoders less.
SEGMENT_LENGTH = 125


@dataclass(slots=True)
class _OpenSegment:
    """The segment that frames are encoded into."""

    first: int  #: the number of its first frame
    video: VideoEncoder
    file: SegmentFile
    frames: int = 0
    info: list[Mapping[str, Any]] = field(default_factory=list)
    side_data: frozenset[str] = frozenset()

    def abandon(self) -> None:
        self.video.close()
        self.file.abandon()


class SegmentWriter:
    """Does what :class:`.writer.StreamWriter` does, for files, and can be resumed.

    Every ``length`` frames it begins a segment with a new encoder, so that an interrupted run and an
    uninterrupted one make the same segments.

    A full segment is finished, and joined to OUT, in another thread while the next one fills; at most one
    waits.
    """

    def __init__(
        self,
        out: Path,
        source: SourceVideo,
        encoder: EncoderConfig,
        *,
        container: Container | None = None,
        strict: bool = False,
        replaces: bool = True,
        length: int = SEGMENT_LENGTH,
        inspect: Callable[[Path], None] | None = None,
        told: Callable[[Sequence[Mapping[str, Any]]], object] | None = None,
    ) -> None:
        """As in :class:`.writer.StreamWriter`. Unless it ``replaces`` one, a file that is there in the end is
        left alone, with an OutputError. ``inspect`` is given the complete file before it becomes OUT.
        ``told`` is called for each segment that joins OUT, those of earlier runs included, in their order and
        in another thread. Raises OutputError also if another run writes ``out``, or the disk has no room for
        it."""
        #: Called in another thread with each segment that is complete, and the number of its first frame.
        self.on_segment: Callable[[Segment, int], None] = lambda segment, first: None
        self.frames = 0  #: written so far, those of earlier runs included
        self.length = length
        self._told = told
        self._out = file = file_behind(out)
        self._source = source
        self.encoder = encoder
        self._inspect = inspect
        self._replaces = replaces
        self._container = container or container_of(out)
        self._losses = SideDataLosses(source, encoder, self._container, strict=strict)
        self._decoding_times = DecodingTimes()
        self._current: _OpenSegment | None = None
        self._finishing: Future[object] | None = None
        self._first_encoder: VideoEncoder | None = None
        self._muxer: Muxer | None = None
        self._finisher = ThreadPoolExecutor(1, "finish")
        self.folder = WorkFolder(file)
        self.folder.__enter__()
        try:
            check_space(file, space_needed(source, self.encoder) - self.folder.size)
            self._first_encoder = self._new_encoder()
            self.extradata = self._first_encoder.extradata  #: that every segment must have
            with writing(file):
                self._muxer = Muxer(
                    str(self.folder.partial.absolute()),
                    self._container,
                    source,
                    self._first_encoder,
                    display_name=out.name,
                    seekable=True,
                    strict=strict,
                )
        except BaseException as error:
            self._close(error)
            raise

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as failed:
            self._close(failed)
            raise
        self._close(error)

    def resume(self, segments: Sequence[Segment]) -> bool:
        """Begin after the segments of an earlier run. Returns whether there may be frames left to write."""
        self.frames = sum(segment.frames for segment in segments)
        self._finish_in_background(lambda: [self._join(segment) for segment in segments])
        return not segments or segments[-1].frames == self.length

    def insert(self, segment: Segment) -> None:
        """Take a complete segment as the next one, in place of its frames."""
        assert self._current is None, "segments begin where the last one is full"
        self._wait_for_finisher()  # first: if the segment before cannot be joined, this one is not the next
        self.frames += segment.frames
        self._finish_in_background(lambda: self._join(segment))

    def take(self, segment: Segment, first: int) -> None:
        """Note that another process has made the segment that begins with the frame ``first``; it is to be
        inserted when it is its turn. Raises LossError as :meth:`write` does."""
        self._losses.report(segment.side_data)
        self.folder.delete_state(first)
        self.on_segment(segment, first)

    def write(self, frame: Frame, info: Mapping[str, Any] | None = None) -> None:
        """Encode the next frame. Its segment keeps ``info``, which JSON must be able to hold, for
        :attr:`Segment.info`. Raises OutputError if the folder of OUT cannot be written."""
        self._losses.report(frame.side_data)
        if self._finishing and self._finishing.done():
            self._wait_for_finisher()
        with writing(self._out):
            if self._current is None:
                video, self._first_encoder = self._first_encoder or self._new_encoder(), None
                file = SegmentFile(self.folder.segment_path(self.frames))
                self._current = _OpenSegment(self.frames, video, file)
            current = self._current
            current.file.add(current.video.encode(frame))
        current.frames += 1
        current.side_data |= frame.side_data
        if info is not None:
            current.info.append(info)
        self.frames += 1
        if current.frames == self.length:
            self._end_segment(current)

    def _close(self, error: BaseException | None) -> None:
        with ExitStack() as stack:  # callbacks run last to first
            stack.callback(self.folder.__exit__, type(error) if error else None, error, None)
            if self._first_encoder:
                stack.callback(self._first_encoder.close)
            if self._current:
                stack.callback(self._current.abandon)
            if self._muxer:
                stack.callback(self._muxer.abandon)
            stack.callback(self._finisher.shutdown)  # waits: a segment that is nearly finished is worth it

    def _finish(self) -> None:
        if self._current:
            self._end_segment(self._current)
        self._wait_for_finisher()
        assert self._muxer is not None
        with writing(self._out):
            self._muxer.finish()
        if self._inspect:
            self._inspect(self.folder.partial)
        with writing(self._out):
            make_durable(self.folder.partial, self._out, replaces=self._replaces)

    def _end_segment(self, segment: _OpenSegment) -> None:
        self._current = None
        self._finish_in_background(lambda: self._complete(segment))

    def _finish_in_background(self, work: Callable[[], object]) -> None:
        self._wait_for_finisher()
        self._finishing = self._finisher.submit(work)

    def _wait_for_finisher(self) -> None:
        finishing, self._finishing = self._finishing, None
        if finishing:
            finishing.result()

    def _complete(self, segment: _OpenSegment) -> None:
        try:
            with writing(self._out):
                segment.file.add(segment.video.flush())
                complete = segment.file.finish(
                    frames=segment.frames,
                    info=segment.info,
                    side_data=segment.side_data,
                    extradata=segment.video.extradata,
                )
        except BaseException:
            segment.abandon()
            raise
        segment.video.close()
        self.folder.delete_state(segment.first)
        self._join(complete)
        self.on_segment(complete, segment.first)

    def _join(self, segment: Segment) -> None:
        if segment.extradata != self.extradata:
            raise OutputError(
                f"{self._out} cannot be written: segments by {self.encoder.codec} cannot be joined; choose "
                "another -c:v",
                repeats=True,
            )
        self._losses.report(segment.side_data)  # an earlier run may have been allowed to lose it
        assert self._muxer is not None
        with writing(self._out):
            self._muxer.mux(segment.packets(self._decoding_times(segment.timestamps)))
        if self._told:
            self._told(segment.info)

    def _new_encoder(self) -> VideoEncoder:
        return VideoEncoder(self.encoder, self._source, self._container)
