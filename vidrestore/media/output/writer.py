"""Writes OUT in one stream: encodes its frames, and puts the complete file in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from ..containers import Container
from ..encode.encoder import VideoEncoder
from ..encode.settings import EncoderConfig
from ..encode.side_data_losses import SideDataLosses
from ..frames.frame import Frame
from ..remux.muxer import Muxer
from ..source_video import SourceVideo
from .destination import (
    container_of,
    display_name,
    make_durable,
    partial_path,
    writing,
)
from .special_files import file_behind, is_stream, open_stream


class StreamWriter:
    """Encodes frames into OUT, a file or a stream such as standard output, and copies the other streams of IN
    to it.

    A context manager: leaving it without an error finishes the file and puts it in place, leaving it with one
    removes it.
    """

    def __init__(
        self,
        out: Path,
        source: SourceVideo,
        encoder: EncoderConfig,
        *,
        container: Container | None = None,
        strict: bool = False,
        told: Callable[[Sequence[Mapping[str, Any]]], object] | None = None,
    ) -> None:
        """Open everything that can fail before the first frame.

        Args:
            out: The file to write, or what :func:`.special_files.is_stream` accepts.
            source: The video whose frames are written.
            encoder: How the frames are encoded.
            container: What to write; by default the extension of ``out`` decides.
            strict: Raise OutputError for whatever OUT cannot hold.
            told: Called with what :meth:`write` was given along with the frames, in their order.

        Raises:
            OutputError: OUT cannot be written.
            UsageError: The encoder or the container cannot be used.
        """
        self.frames = 0  #: written so far
        self._told = told
        self._out = out if is_stream(out) else file_behind(out)
        self._partial = None if is_stream(out) else partial_path(self._out)
        container = container or container_of(out)
        self.encoder = encoder
        self._losses = SideDataLosses(source, encoder, container, strict=strict)
        self._stack = ExitStack()
        try:
            self._video = VideoEncoder(self.encoder, source, container)
            self._stack.callback(self._video.close)
            with writing(self._out):
                if self._partial:
                    name = str(self._partial.absolute())
                    self._stack.callback(self._partial.unlink, missing_ok=True)
                else:
                    name = f"pipe:{self._stack.enter_context(open_stream(out))}"
                self._muxer = Muxer(
                    name,
                    container,
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
        """Encode the next frame. ``info`` is what a segment would keep. Raises OutputError if OUT cannot be
        written."""
        self._losses.report(frame.side_data)
        with writing(self._out):
            self._muxer.mux(self._video.encode(frame))
        self.frames += 1
        if info is not None and self._told:
            self._told([info])
