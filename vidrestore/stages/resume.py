"""Going on where an earlier run was cut short: what must be as it was, and what it left behind."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import av

from .. import __version__
from ..faces.detection.load import choose_detector
from ..faces.face import Face
from ..faces.source import FaceSource
from ..media.decode.decoder import Decoder
from ..media.decode.fingerprint import FrameFingerprint
from ..media.encode.choose import Encoder
from ..media.frames.frame import Frame
from ..media.output.workfolder import WorkFolder
from ..media.output.writer import PIECE, PieceWriter, Writer
from ..options import Options
from ..weights.store import fingerprint
from .restoration import CONTEXT, Models

#: Options that no frame of OUT depends on, and those that are told of by what came of them.
_OTHER_OPTIONS = {
    *("input", "output", "overwrite", "dry_run", "resume", "strict", "batch", "offline", "profile"),
    *("codec", "crf", "preset", "pix_fmt", "encoder_options"),
    *("model", "weights", "detector", "device", "precision", "tracks"),
}
#: Bytes of the beginning, the middle and the end that stand for the whole of a file.
_SAMPLE = 1 << 20


@dataclass(frozen=True, slots=True)
class Resume:
    """Takes a run on from the pieces that are done, and notes what a later one needs for that."""

    folder: WorkFolder | None  #: None where nothing outlives the run
    length: int  #: frames of a piece
    note: Mapping[str, Any] | None = (
        None  #: what an earlier run noted for the frame that this one begins with
    )
    done: bool = False  #: no frame is left to restore

    @classmethod
    def begin(
        cls, writer: Writer | PieceWriter, decoder: Decoder, options: Options, models: Models
    ) -> Resume:
        """Give ``writer`` the pieces that an earlier run of the same options finished, and let ``decoder``
        begin where what is in the frames behind them begins to depend on."""
        if not isinstance(writer, PieceWriter):
            return cls(None, PIECE)
        folder, key = writer.folder, run_key(options, writer.encoder, models, length=writer.length)
        pieces, note = folder.go_on(key, wanted=options.resume), None
        while pieces:
            frame = sum(piece.frames for piece in pieces)
            note = folder.noted(frame)
            if note or frame <= CONTEXT or frame % writer.length:
                break
            pieces.pop()
        if note:
            decoder.resume_after(FrameFingerprint(**note["mark"]))
        return cls(folder, writer.length, note, done=not writer.go_on(pieces))

    @property
    def tracks(self) -> int:
        """How many tracks an earlier run had found."""
        return self.note["tracks"] if self.note else 0

    def watch(
        self, source: FaceSource, tracked: Iterable[tuple[Frame, tuple[Face, ...]]]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """``tracked``, as ``source`` gives it: it goes on from what was noted, and notes are taken."""
        if self.note:
            source.resume(self.note["source"])
        for frame, faces in tracked:
            piece = frame.index + 1 + CONTEXT
            if self.folder and frame.index >= 0 and piece % self.length == 0:
                mark = FrameFingerprint.of(frame.index, frame.video)
                note = {"mark": asdict(mark), "source": source.state(), "tracks": source.tracks}
                self.folder.note(piece, note)
            yield frame, faces


def run_key(options: Options, encoder: Encoder, models: Models, *, length: int) -> dict[str, str]:
    """All that the frames of OUT depend on, by what a person calls it."""
    key = {
        "the input": file_fingerprint(options.input),
        "vidrestore": __version__,
        "FFmpeg": ".".join(map(str, av.library_versions["libavcodec"])),
        "the encoder": str(encoder),
        "the length of pieces": str(length),
        "the model": _weights(options.weights or models.restorer.spec.name),
        "the face parser": _weights("parsenet") if models.parser else "none",
        "the device": models.device.type,
        "the precision": models.precision,
    }
    if options.tracks:
        key["the tracks file"] = fingerprint(options.tracks)
    else:
        key["the detector"] = _weights(choose_detector(options.detector, offline=options.offline))
    for option in fields(options):
        if option.name not in _OTHER_OPTIONS:
            key[option.metadata["flags"][0]] = str(getattr(options, option.name))
    return key


def file_fingerprint(path: Path) -> str:
    """What changes with a file: its size, when it was written, and parts of its content. Of numbered
    pictures, the folder's."""
    if not path.is_file():
        files = sorted(path.absolute().parent.glob(f"*{path.suffix}"))
        found = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        return hashlib.sha256(repr(found).encode()).hexdigest()
    about = path.stat()
    digest = hashlib.sha256(f"{about.st_size} {about.st_mtime_ns}".encode())
    with path.open("rb") as file:
        for place in (0, about.st_size // 2, max(0, about.st_size - _SAMPLE)):
            file.seek(place)
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _weights(source: str | Path) -> str:
    """The name of weights and their hash."""
    name = source.name if isinstance(source, Path) else source
    return f"{name} {fingerprint(source)}"
