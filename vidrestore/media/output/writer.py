"""Writes OUT: encodes frames, in one stream or in segments, and puts the complete file in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ...errors import OutputError
from ..encode.encoder import VideoEncoder
from ..encode.settings import EncoderConfig
from ..frames.frame import Frame
from ..remux.muxer import Muxer
from ..source_video import SourceVideo
from .destination import (
    STDOUT,
    check_space,
    container_of,
    display_name,
    make_durable,
    partial_path,
    standard_output,
    writing,
)
from .disk_space import space_needed
from .segments import DecodingTimes, Segment, SegmentFile
from .workfolder import WorkFolder

#: Frames per segment. A kill costs at most that many frames, and each segment begins with a key frame: x264
#: and x265 place key frames up to 250 frames apart, so half of that makes their files about 1 % larger, and
#: those of other encoders less.
SEGMENT_LENGTH = 125


class StreamWriter:
    """Encodes frames into OUT, a file or standard output, and copies the other streams of IN to it.

    A context manager: leaving it without an error finishes the file and puts it in place, leaving it with one
    removes it.
    """

    def __init__(
        self,
        out: Path,
        source: SourceVideo,
        encoder: EncoderConfig,
        *,
        container: str | None = None,
        strict: bool = False,
    ) -> None:
        """Open everything that can fail before the first frame.

        Args:
            out: The file to write, or ``STDOUT``.
            source: The video whose frames are written.
            encoder: How the frames are encoded.
            container: The name of a container; by default the extension of ``out`` decides.
            strict: Raise OutputError for whatever OUT cannot hold.

        Raises:
            OutputError: OUT cannot be written.
            UsageError: The encoder or the container cannot be used.
        """
        self.frames = 0  #: written so far
        self._out = out
        self._partial = None if out == STDOUT else partial_path(out)
        kind = container_of(out, container)
        self.encoder = encoder
        self._stack = ExitStack()
        try:
            self._video = VideoEncoder(self.encoder, source, kind)
            self._stack.callback(self._video.close)
            with writing(out):
                if self._partial:
                    name = str(self._partial.absolute())
                    self._stack.callback(self._partial.unlink, missing_ok=True)
                else:
                    name = f"pipe:{self._stack.enter_context(standard_output())}"
                self._muxer = Muxer(
                    name,
                    kind,
                    source,
                    self._video,
                    display_name=display_name(out),
                    seekable=self._partial is not None,
                    strict=strict,
                )
            self._stack.callback(self._muxer.abandon)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> StreamWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._stack:
            if kind is not None:
                return
            with writing(self._out):
                self._muxer.mux(self._video.flush())
                self._muxer.finish()
                if self._partial:
                    make_durable(self._partial, self._out)

    def write(self, frame: Frame, info: Mapping[str, Any] | None = None) -> None:
        """Encode the next frame. ``info`` is what a segment would keep, and is not used here. Raises
        OutputError if OUT cannot be written."""
        with writing(self._out):
            self._muxer.mux(self._video.encode(frame))
        self.frames += 1


@dataclass(slots=True)
class _OpenSegment:
    """The segment that frames are encoded into."""

    first: int  #: the number of its first frame
    video: VideoEncoder
    file: SegmentFile
    frames: int = 0
    info: list[Mapping[str, Any]] = field(default_factory=list)

    def abandon(self) -> None:
        self.video.close()
        self.file.abandon()


class SegmentWriter:
    """A :class:`StreamWriter` of files that can be resumed: every ``length`` frames it begins a segment with
    a new encoder, so that an interrupted run and an uninterrupted one make the same segments.

    A full segment is finished, and joined to OUT, in another thread while the next one fills; at most one
    waits.
    """

    def __init__(
        self,
        out: Path,
        source: SourceVideo,
        encoder: EncoderConfig,
        *,
        container: str | None = None,
        strict: bool = False,
        length: int = SEGMENT_LENGTH,
    ) -> None:
        """As :class:`StreamWriter`. Raises OutputError also if another run writes ``out``, or the disk has no
        room for it."""
        self.frames = 0  #: written so far, those of earlier runs included
        self.length = length
        self._out = out
        self._source = source
        self.encoder = encoder
        self._container = container_of(out, container)
        self._decoding_times = DecodingTimes()
        self._current: _OpenSegment | None = None
        self._finishing: Future[object] | None = None
        self._first_encoder: VideoEncoder | None = None
        self._muxer: Muxer | None = None
        self._finisher = ThreadPoolExecutor(1, "finish")
        self.folder = WorkFolder(out)
        self.folder.__enter__()
        try:
            check_space(out, space_needed(source, self.encoder) - self.folder.size)
            self._first_encoder = self._new_encoder()
            self._extradata = self._first_encoder.extradata
            with writing(out):
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

    def write(self, frame: Frame, info: Mapping[str, Any] | None = None) -> None:
        """Encode the next frame. Its segment keeps ``info``, which JSON must be able to hold, for
        :attr:`Segment.info`. Raises OutputError if the folder of OUT cannot be written."""
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
            make_durable(self.folder.partial, self._out)

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
                    frames=segment.frames, info=segment.info, extradata=segment.video.extradata
                )
        except BaseException:
            segment.abandon()
            raise
        segment.video.close()
        self.folder.delete_state(segment.first)
        self._join(complete)

    def _join(self, segment: Segment) -> None:
        if segment.extradata != self._extradata:
            raise OutputError(
                f"{self._out} cannot be written: segments by {self.encoder.codec} cannot be joined; choose "
                "another -c:v"
            )
        assert self._muxer is not None
        with writing(self._out):
            self._muxer.mux(segment.packets(self._decoding_times(segment.timestamps)))

    def _new_encoder(self) -> VideoEncoder:
        return VideoEncoder(self.encoder, self._source, self._container)
