"""Writing OUT: frames encoded, in one go or piece by piece, and put in place when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ...errors import OutputError
from ..encode.choose import EncoderSettings, choose_encoder
from ..encode.encoder import VideoEncoder
from ..frames.frame import Frame
from ..remux.muxer import Muxer
from ..source_video import SourceVideo
from .destination import (
    STDOUT,
    check_space,
    make_durable,
    muxer_of,
    name_of,
    partial_path,
    standard_output,
    writing,
)
from .disk_space import space_needed
from .segments import DecodingTimes, Piece, PieceFile
from .workfolder import WorkFolder

#: Frames of a piece: what a kill can cost at most, against a key frame that each begins with. x264 and x265
#: let key frames be 250 frames apart: half of that makes their files about 1 % larger, and others' less.
PIECE = 125


class Writer:
    """Encodes frames into OUT, a file or standard output, and copies the rest of IN to it. A context
    manager: leaving it without an error finishes the file and puts it in place, leaving it with one removes
    what was written."""

    def __init__(
        self,
        out: Path,
        source: SourceVideo,
        settings: EncoderSettings,
        *,
        container: str | None = None,
        strict: bool = False,
    ) -> None:
        """Open everything that can fail before the first frame. ``container`` is a key of MUXERS' values,
        by default what the name of OUT says. With ``strict`` whatever OUT cannot keep is an OutputError.
        Raises OutputError or UsageError."""
        self.frames = self.faces = 0
        self._out = out
        self._partial = None if out == STDOUT else partial_path(out)
        muxer = muxer_of(out, container)
        self.encoder = choose_encoder(source, muxer, settings, strict=strict)
        self._stack = ExitStack()
        try:
            self._video = VideoEncoder(self.encoder, source, muxer)
            self._stack.callback(self._video.close)
            with writing(out):
                if self._partial:
                    name = str(self._partial.absolute())
                    self._stack.callback(self._partial.unlink, missing_ok=True)
                else:
                    name = f"pipe:{self._stack.enter_context(standard_output())}"
                self._muxer = Muxer(
                    name,
                    muxer,
                    source,
                    self._video,
                    called=name_of(out),
                    seekable=self._partial is not None,
                    strict=strict,
                )
            self._stack.callback(self._muxer.abandon)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._stack:
            if kind is not None:
                return
            with writing(self._out):
                self._muxer.mux(self._video.flush())
                self._muxer.finish()
                if self._partial:
                    make_durable(self._partial, self._out)

    def write(self, frame: Frame, faces: int = 0) -> None:
        """Encode the next frame, with so many ``faces`` restored. Raises OutputError where OUT can take no
        more."""
        with writing(self._out):
            self._muxer.mux(self._video.encode(frame))
        self.frames += 1
        self.faces += faces


@dataclass(slots=True)
class _Open:
    """The piece that frames go to."""

    first: int  #: the number of its first frame
    video: VideoEncoder
    file: PieceFile
    frames: int = 0
    faces: int = 0

    def abandon(self) -> None:
        self.video.close()
        self.file.abandon()


class PieceWriter:
    """A :class:`Writer` of files whose work outlives the run: every ``length`` frames it begins a piece with
    an encoder of its own. So the pieces of a run that was cut short are those of one that was not.

    A full piece is finished, and joined to OUT, while the next one fills: never more than one waits.
    """

    def __init__(
        self,
        out: Path,
        source: SourceVideo,
        settings: EncoderSettings,
        *,
        container: str | None = None,
        strict: bool = False,
        length: int = PIECE,
    ) -> None:
        """As :class:`Writer`'s. Raises OutputError where another run writes ``out``, or there is no room."""
        self.frames = self.faces = 0  #: those of earlier runs too
        self.length = length
        self._out = out
        self._source = source
        self._container = muxer_of(out, container)
        self._times = DecodingTimes()
        self._current: _Open | None = None
        self._finishing: Future[object] | None = None
        self._fresh: VideoEncoder | None = None
        self._muxer: Muxer | None = None
        self._finisher = ThreadPoolExecutor(1, "finish")
        self.folder = WorkFolder(out)
        self.folder.__enter__()
        try:
            self.encoder = choose_encoder(source, self._container, settings, strict=strict)
            check_space(out, space_needed(source, self.encoder) - self.folder.used)
            self._fresh = self._new_encoder()
            self._extradata = self._fresh.extradata
            with writing(out):
                self._muxer = Muxer(
                    str(self.folder.partial.absolute()),
                    self._container,
                    source,
                    self._fresh,
                    called=out.name,
                    seekable=True,
                    strict=strict,
                )
        except BaseException as error:
            self._close(error)
            raise

    def __enter__(self) -> PieceWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as failed:
            self._close(failed)
            raise
        self._close(error)

    def go_on(self, pieces: Sequence[Piece]) -> bool:
        """Begin behind the pieces of an earlier run. Returns whether there may be frames left to write."""
        self.frames = sum(piece.frames for piece in pieces)
        self.faces = sum(piece.faces for piece in pieces)
        self._hand_over(lambda: [self._join(piece) for piece in pieces])
        return not pieces or pieces[-1].frames == self.length

    def write(self, frame: Frame, faces: int = 0) -> None:
        """Encode the next frame, with so many ``faces`` restored. Raises OutputError where the folder of OUT
        can take no more."""
        if self._finishing and self._finishing.done():
            self._await()
        with writing(self._out):
            if self._current is None:
                video, self._fresh = self._fresh or self._new_encoder(), None
                self._current = _Open(self.frames, video, PieceFile(self.folder.piece_path(self.frames)))
            current = self._current
            current.file.add(current.video.encode(frame))
        current.frames += 1
        current.faces += faces
        self.frames += 1
        self.faces += faces
        if current.frames == self.length:
            self._end_piece()

    def _close(self, error: BaseException | None) -> None:
        with ExitStack() as stack:  # in the opposite order
            stack.callback(self.folder.__exit__, type(error) if error else None, error)
            if self._fresh:
                stack.callback(self._fresh.close)
            if self._current:
                stack.callback(self._current.abandon)
            if self._muxer:
                stack.callback(self._muxer.abandon)
            stack.callback(self._finisher.shutdown)  # a piece that is being finished is worth waiting for

    def _finish(self) -> None:
        if self._current:
            self._end_piece()
        self._await()
        with writing(self._out):
            self._muxer.finish()
            make_durable(self.folder.partial, self._out)

    def _end_piece(self) -> None:
        current, self._current = self._current, None
        self._hand_over(lambda: self._complete(current))

    def _hand_over(self, work: Callable[[], object]) -> None:
        self._await()
        self._finishing = self._finisher.submit(work)

    def _await(self) -> None:
        finishing, self._finishing = self._finishing, None
        if finishing:
            finishing.result()

    def _complete(self, current: _Open) -> None:
        try:
            with writing(self._out):
                current.file.add(current.video.flush())
                piece = current.file.finish(
                    frames=current.frames, faces=current.faces, extradata=current.video.extradata
                )
        except BaseException:
            current.abandon()
            raise
        current.video.close()
        self.folder.forget(current.first)
        self._join(piece)

    def _join(self, piece: Piece) -> None:
        if piece.extradata != self._extradata:
            raise OutputError(
                f"{self._out} cannot be written: pieces by {self.encoder.codec} cannot be joined; choose "
                "another -c:v"
            )
        with writing(self._out):
            self._muxer.mux(piece.packets(self._times(piece.stamps)))

    def _new_encoder(self) -> VideoEncoder:
        return VideoEncoder(self.encoder, self._source, self._container)
