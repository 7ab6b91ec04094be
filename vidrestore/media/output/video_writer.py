"""Writes a file that holds a video and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType

import av
import av.error
from av.packet import Packet

from ..containers import Container
from ..encode.encoder import VideoEncoder
from ..encode.settings import EncoderConfig
from ..frames.frame import Frame
from ..remux.stream_plan import add_stream_like
from ..source_video import SourceVideo
from .destination import make_durable, partial_path, writing
from .special_files import file_behind


class VideoWriter:
    """Encodes frames into a file.

    A context manager: leaving it without an error finishes the file and puts it in place, leaving it with one
    removes it.
    """

    def __init__(self, out: Path, video: SourceVideo, encoder: EncoderConfig, container: Container) -> None:
        """``video`` says what the frames are like; nothing of its file is copied. Raises OutputError or
        UsageError."""
        self.packets: list[int] = []  #: sizes in bytes, so far
        self._out = file_behind(out)
        self._partial = partial_path(self._out)
        self._stack = ExitStack()
        try:
            self._encoder = VideoEncoder(encoder, video, container)
            self._stack.callback(self._encoder.close)
            with writing(self._out):
                self._stack.callback(self._partial.unlink, missing_ok=True)
                options = dict(container.muxer_options)
                self._output = av.open(str(self._partial), "w", format=container.name, options=options)
                self._stack.callback(self._abandon)
                self._stream = add_stream_like(self._encoder.stream, self._output, rate=video.rate)
                self._output.start_encoding()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._stack:
            if kind is None:
                with writing(self._out):
                    self._mux(self._encoder.flush())
                    self._output.close()
                    make_durable(self._partial, self._out)

    def write(self, frame: Frame) -> None:
        """Encode the next frame. Raises OutputError."""
        with writing(self._out):
            self._mux(self._encoder.encode(frame))

    def _mux(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            self.packets.append(packet.size)
            packet.stream = self._stream
            self._output.mux(packet)

    def _abandon(self) -> None:
        with suppress(OSError, av.error.FFmpegError):
            self._output.close()
