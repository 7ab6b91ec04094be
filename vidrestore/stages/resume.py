"""Resuming a run that ended early: the resume key, and the state saved at segment boundaries."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

import av
import msgspec

from .. import __version__
from ..faces.face import Face
from ..faces.identity.load import load_embedding
from ..faces.source import FaceSource
from ..media.decode.decoder import Decoder
from ..media.decode.fingerprint import FrameFingerprint
from ..media.frames.frame import Frame
from ..media.image_sequence import image_files, is_sequence
from ..media.output.segment_writer import SEGMENT_LENGTH, SegmentWriter
from ..media.output.segments import Segment
from ..media.output.writer import StreamWriter
from ..option_types import display_name
from ..options import Options
from ..upscale.choose import UpscalerSetup
from ..weights.packages import PACKAGES, package_version
from ..weights.registry import REGISTRY
from ..weights.store import check_file, fingerprint
from .notes import NOTES_VERSION, FrameNotes
from .restoration import CONTEXT
from .setup import RestorerSetup, Setup
from .stretches import ALL, Stretches

#: Options that choose faces of photos.
_OF_PHOTOS = {"aligned", "only_center_face", "face"}
#: Options excluded from the resume key: no effect on the frames of OUT.
NO_EFFECT = {
    *("output", "overwrite", "dry_run", "resume", "keep", "strict", "batch", "offline", "profile"),
    *("ray", "workers"),
    *("compare", "compare_layout", "report", "report_json"),
    *_OF_PHOTOS,
}
#: Options that are resolved to the encoder.
_ENCODER = {"codec", "crf", "preset", "pix_fmt", "encoder_options"}
#: Options excluded from the resume key: already keyed by their resolved value.
_RESOLVED = {
    "input",
    *_ENCODER,
    *("model", "weights", "commercial", "detector", "device", "precision", "tracks", "mask"),
    *("background", "denoise"),
}
#: The name of the mask in the resume key.
MASK = "the mask"
#: The name of what photographs are compared by, in the resume key.
EMBEDDING = "the embedding of faces"
#: Bytes at the start, in the middle and at the end of a file that its fingerprint covers.
_SAMPLE = 1 << 20


class SavesStates(Protocol):
    """Where states are saved: a work folder."""

    def save_state(self, frame: int, state: Mapping[str, Any]) -> None:
        """Save the state, as JSON, that a later run needs to resume at a frame."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Resumes a run after its finished segments, and saves the states that a later run needs for that."""

    folder: SavesStates | None  #: None if the run cannot be resumed
    length: int  #: frames per segment
    state: Mapping[str, Any] | None = None  #: saved by an earlier run for the frame that this one begins with
    frames: int = 0  #: in the finished segments
    faces: int = 0  #: restored in these
    tracks: int = 0  #: that an earlier run had found
    wanted: Stretches = ALL  #: the frames to restore
    #: Finished segments that the writer does not have yet, by the numbers of their first frames.
    later: Mapping[int, Segment] = field(default_factory=dict)
    source: None = None  #: nothing is known of the faces in advance
    needs: None = None  #: what is wanted needs all the frames that are decoded

    @classmethod
    def begin(
        cls, writer: StreamWriter | SegmentWriter, decoder: Decoder, options: Options, setup: Setup
    ) -> Resume:
        """Give ``writer`` the finished segments of an earlier run with the same options, and seek ``decoder``
        to the first frame that the frames after them depend on."""
        if not isinstance(writer, SegmentWriter):
            return cls(None, SEGMENT_LENGTH)
        folder, key = writer.folder, run_key(options, setup, length=writer.length)
        segments, state = folder.begin(key, resume=options.resume), None
        found = dict(folder.later)
        while segments:
            frame = sum(segment.frames for segment in segments)
            state = folder.load_state(frame)
            if state or frame <= CONTEXT or frame % writer.length:
                break
            segment = segments.pop()
            found[frame - segment.frames] = segment
        if state:
            decoder.resume_after(FrameFingerprint(**state["mark"]))
        later = {
            first: segment
            for first, segment in sorted(found.items())
            if first % writer.length == 0 and segment.extradata == writer.extradata
        }
        finished = [*segments, *later.values()]
        tracks = state["tracks"] if state else max(map(_last_track, finished), default=0)
        more = writer.resume(segments)
        return cls(
            folder,
            writer.length,
            state,
            frames=sum(segment.frames for segment in finished),
            faces=sum(info["faces"] for segment in finished for info in segment.info),
            tracks=tracks,
            wanted=_between(writer.frames, later, writer.length) if more else Stretches(()),
            later=later,
        )

    def decoded(self, decoder: Decoder) -> Iterable[Frame]:
        """The frames that are wanted, and their context."""
        return decoder

    def insert(self, writer: StreamWriter | SegmentWriter) -> None:
        """Let ``writer`` take the finished segments that are next; those before any gap it has already."""
        while segment := self.later.get(writer.frames):
            assert isinstance(writer, SegmentWriter)
            writer.insert(segment)

    def watch(
        self, source: FaceSource[Frame], tracked: Iterable[tuple[Frame, tuple[Face, ...]]]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Pass ``tracked``, the output of ``source``, through. ``source`` resumes from the saved state, and
        states are saved on the way."""
        if self.state:
            source.resume(self.state["source"])
        for frame, faces in tracked:
            boundary = frame.index + 1 + CONTEXT
            if self.folder and frame.index >= 0 and boundary % self.length == 0:
                mark = FrameFingerprint.of(frame.index, frame.video)
                state = {"mark": asdict(mark), "source": source.state(), "tracks": source.tracks}
                self.folder.save_state(boundary, state)
            # Between segments that are finished, faces are followed, but not restored.
            yield frame, faces if self.wanted.places_near(frame.index, CONTEXT) else ()


def _last_track(segment: Segment) -> int:
    """The largest id of a track in a segment; ids count from 1."""
    notes = (msgspec.convert(info["notes"], FrameNotes) for info in segment.info if "notes" in info)
    return max((face.track for frame in notes for face in frame.faces), default=0)


def _between(done: int, later: Mapping[int, Segment], length: int) -> Stretches:
    """The frames after the first ``done`` that are not in the ``later`` segments. One of these that has fewer
    than ``length`` frames is the last."""
    stretches = []
    for first, segment in later.items():
        stretches.append(range(done, first))
        done = first + segment.frames
        if segment.frames < length:
            return Stretches.join(filter(len, stretches))
    return Stretches.join(filter(len, (*stretches, range(done, sys.maxsize))))


#: What a run resumes that has nothing to resume, and saves nothing.
NOTHING = Resume(None, SEGMENT_LENGTH)


def run_key(options: Options, setup: Setup, *, length: int) -> dict[str, str]:
    """The resume key: everything that the frames of OUT depend on, by the names that users know."""
    return {
        "the input": file_fingerprint(options.input),
        "the encoder": str(setup.encoder),
        "the segment length": str(length),
        "what is noted of frames": NOTES_VERSION,
        **_shared_key(options, setup.restorer, setup.detector, setup.upscaler),
    }


def result_key(
    options: Options, restorer: RestorerSetup, detector: str | None, upscaler: UpscalerSetup | None
) -> dict[str, str]:
    """Everything that the results of all inputs depend on, besides the input, without opening one: the
    options of the encoder stand for what each input makes of them."""
    encoding = {
        display_name(option): str(getattr(options, option.name))
        for option in fields(options)
        if option.name in _ENCODER
    }
    return _shared_key(options, restorer, detector, upscaler) | encoding


def chosen_faces_key(options: Options) -> dict[str, str]:
    """What the result of a photo depends on besides: which of its faces were chosen, if any were."""
    return {
        display_name(option): str(value)
        for option in fields(options)
        if option.name in _OF_PHOTOS and (value := getattr(options, option.name)) != option.default
    }


def _shared_key(
    options: Options, restorer: RestorerSetup, detector: str | None, upscaler: UpscalerSetup | None
) -> dict[str, str]:
    model = restorer.weights or restorer.model
    key = {
        "vidrestore": __version__,
        "FFmpeg": ".".join(map(str, av.library_versions["libavcodec"])),
        "the model": _weights(model),
        "the models of persons": ", ".join(map(model_key, restorer.others)) or "none",
        "the face parser": _weights(parser) if (parser := restorer.face_parser) else "none",
        "what runs the model": _runner(model),
        "the device": restorer.device.type,
        "the precision": restorer.precision,
    }
    if upscaler and upscaler.sources:
        used = (*map(_weights, upscaler.sources), f"{upscaler.denoise:g}", package_version("spandrel"))
        key["the upscaler"] = ", ".join(used)
    if options.task == "inpaint":
        # On another machine the same file has another time.
        key[MASK] = str(mask := options.mask)
        if isinstance(mask, Path) and mask.is_file():
            key[MASK] = fingerprint(mask)  # all of it: in raw video, only a few frames may have changed
    if options.tracks:
        key["the tracks file"] = fingerprint(options.tracks)
        key[EMBEDDING] = load_embedding().name  # only these faces are compared with photographs
    if detector:
        key["the detector"] = _weights(detector)
    for option in fields(options):
        if option.name not in NO_EFFECT | _RESOLVED:
            key[display_name(option)] = str(getattr(options, option.name))
    return key


def file_fingerprint(path: Path) -> str:
    """A hash of a file's size, modification time and samples of its content; for an image sequence, of the
    names, sizes and times of its images."""
    if not path.is_file():
        files = image_files(path.absolute()) if is_sequence(path) else []
        entries = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        return hashlib.sha256(repr(entries).encode()).hexdigest()
    status = path.stat()
    return sample_hash(path, f"{status.st_size} {status.st_mtime_ns}")


def sample_hash(path: Path, about: str) -> str:
    """A hash of ``about`` and of samples of a file's content: of its start, middle and end."""
    digest, size = hashlib.sha256(about.encode()), path.stat().st_size
    with path.open("rb") as file:
        for offset in (0, size // 2, max(0, size - _SAMPLE)):
            file.seek(offset)
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def model_key(source: str | Path) -> str:
    """The name of a model's weights, their hash, and what runs it."""
    return f"{_weights(source)}, {_runner(source)}"


def _runner(source: str | Path) -> str:
    """What runs the model of these weights: a package with its version, or PyTorch, whose version the
    segments name.

    Of a file that is not ONNX it is not known before it is loaded whether it is CodeFormer's, which needs no
    package: what may run it counts.
    """
    if isinstance(source, Path):
        backend = "onnx" if check_file(source) == "onnx" else "spandrel"
    else:
        network = REGISTRY[source].network
        backend = network.backend if network else ""
    return package_version(PACKAGES[backend]) if backend in PACKAGES else "PyTorch"


def _weights(source: str | Path) -> str:
    """The name of weights and their hash."""
    name = source.name if isinstance(source, Path) else source
    return f"{name} {fingerprint(source)}"
