"""Writing OUT: frames encoded, in one go or piece by piece, and put in place when it is whole."""

from __future__ import annotations

from pathlib import Path

from .decode import Decoder, Frame
from .encode import EncoderSettings, choose_encoder
from .encoding import VideoEncoder
from .mux import Muxer
from .output import MUXERS, partial_path, place, writing


class Writer:
    """Encodes frames into OUT and copies the rest of IN to it. A context manager: leaving it without
    an error finishes the file and puts it in place, leaving it with one removes what was written."""

    def __init__(self, out: Path, decoder: Decoder, settings: EncoderSettings) -> None:
        """Open everything that can fail before the first frame. Raises OutputError or UsageError."""
        self.frames = 0
        self._out = out
        self._partial = partial_path(out)
        muxer = MUXERS[out.suffix.lower()]
        self.encoder = choose_encoder(decoder.stream, muxer, settings)
        self._video = VideoEncoder(self.encoder, decoder, muxer)
        try:
            with writing(out):
                name = str(self._partial.absolute())
                self._muxer = Muxer(name, muxer, decoder, self._video, called=out.name, seekable=True)
        except BaseException:
            self._partial.unlink(missing_ok=True)
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            with writing(self._out):
                self._muxer.mux(self._video.flush())
                self._muxer.finish()
                place(self._partial, self._out)
        except BaseException:
            self._abandon()
            raise
        self._video.close()

    def write(self, frame: Frame) -> None:
        """Encode the next frame. Raises OutputError where OUT can take no more."""
        with writing(self._out):
            self._muxer.mux(self._video.encode(frame))
        self.frames += 1

    def _abandon(self) -> None:
        self._muxer.abandon()
        self._video.close()
        self._partial.unlink(missing_ok=True)
