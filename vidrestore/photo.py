"""Restore a photo: read it, restore its faces, and write it with everything else as it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .errors import LossError, UsageError
from .faces.detection.load import DetectorChoice, resolve_detector
from .faces.face import Face
from .media.output.destination import check_path, new_file
from .media.output.special_files import is_stream
from .media.photo.formats import PhotoFormat, format_by_name
from .media.photo.metadata import enlarged_exif
from .media.photo.picture import Photo, Picture, with_colour
from .media.photo.reader import read_photo
from .media.photo.writer import check_photo_size, is_lossless, losses, write_photo
from .options import Options
from .restoration.tasks import find_task
from .runtime.device import float32_arithmetic
from .runtime.memory import translate_out_of_memory
from .runtime.profile import Profile
from .stages.described import described_model, described_task
from .stages.enlarging import upscaler_of
from .stages.holes import with_hole
from .stages.networks import Networks
from .stages.picture import PictureFace, restore_picture
from .stages.restoration import chooser
from .stages.setup import RestorerSetup
from .stages.still_faces import aligned_face, chosen_faces, find_faces
from .upscale.lanczos import enlarged_plane
from .weights.registry import planned_download, would_download

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What was done to a photo."""

    output: Path
    found: tuple[PictureFace, ...]  #: the faces that were looked at, from the left
    size: tuple[int, int]  #: width and height of OUT in pixels, as stored
    lossless: bool  #: whether OUT holds exactly the samples that were made
    seconds: float
    model: str  #: that restored the faces
    frames: int = 1

    @property
    def faces(self) -> int:
        """How many were restored."""
        return sum(face.restored for face in self.found)

    @property
    def warning(self) -> str | None:
        """Said if no face was restored."""
        if self.faces:
            return None
        why = "every face was left alone" if self.found else "no faces were found"
        return f"{why}: {self.output.name} is the input, written anew"

    def __str__(self) -> str:
        width, height = self.size
        return (
            f"{self.output}: {width}x{height}, {self.faces} of {len(self.found)} faces restored in "
            f"{self.seconds:.1f} s with {self.model}"
        )


@dataclass(frozen=True, slots=True)
class PhotoPlan:
    """What would be done to a photo; its text is for people, ``data`` for programs."""

    data: dict[str, Any]  #: ready for JSON

    def __str__(self) -> str:
        about, out = self.data["input"], self.data["output"]
        lines = [
            f"{about['path']}: {about['format']}, {about['width']}x{about['height']}, {about['bits']} bits, "
            f"{about['samples']}, orientation {about['orientation']}"
            + "".join(f", {name}" for name in about["metadata"]),
            *_described_faces(self.data),
            *described_task(self.data["task"], self.data["mask"]),
            described_model(self.data),
            *([f"upscaler: {self.data['upscaler']}"] if self.data["upscaler"] else []),
            f"device: {self.data['device']}, {self.data['precision']}",
            *map(would_download, self.data["downloads"]),
            *(f"would lose {what}" for what in self.data["losses"]),
            f"would write {out['path']}: {out['format']}, {out['width']}x{out['height']}, "
            f"{'lossless' if out['lossless'] else 'lossy'}"
            + (f", enlarged {out['upscale']} times" if out["upscale"] > 1 else ""),
        ]
        return "\n".join(lines)


def restore_photo(
    options: Options,
    kind: PhotoFormat,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    networks: Networks | None = None,
    complete: Callable[[Path], None] = lambda path: None,
) -> PhotoReport:
    """Restore the faces of the photo ``options.input``, a file of ``kind``, into ``options.output``.

    ``progress`` is called at the end with 1 and the number of faces. ``networks`` holds what earlier runs
    have loaded. ``complete`` is called with the complete file just before it becomes OUT. Raises
    VidrestoreError, and then leaves no OUT behind.
    """
    started = time.monotonic()
    target, photo = _opened(options, kind)
    _report_losses(photo, target, strict=options.strict)
    upscaling = upscaler_of(options, steady=False)
    setup = _restorer_setup(options, download=True)
    networks = networks or Networks()
    with translate_out_of_memory(setup.device), float32_arithmetic(setup.device, setup.precision):
        faces = _faces(options, photo, networks, setup, _detector(options))
        models = networks.models(setup, Profile(setup.device))
        picture, found = restore_picture(
            photo.picture,
            faces,
            models,
            chooser(options, noun="face"),
            batch=setup.batch(options.batch),
            upscaler=networks.upscaler(upscaling, setup.device),
        )
    assert isinstance(picture, Picture)  # enlarged too
    restored = _with_samples(photo, picture, options.upscale)
    with new_file(options.destination) as partial:
        write_photo(partial, restored, target)
        complete(partial)
    report = PhotoReport(
        output=options.destination,
        found=tuple(found),
        size=restored.size,
        lossless=is_lossless(photo, target),
        seconds=time.monotonic() - started,
        model=setup.model,
    )
    progress(1, report.faces)
    return report


def plan_photo(options: Options, kind: PhotoFormat) -> PhotoPlan:
    """Say what :func:`restore_photo` would do: the faces are found, and nothing is restored. The network is
    not used: if the detector would have to be downloaded, faces are not looked for. Raises VidrestoreError
    for what that would refuse."""
    target, photo = _opened(options, kind)
    lost = _losses(photo, target)
    if options.strict and lost:
        raise LossError(f"--strict: {options.input.name} loses {lost[0]}")
    upscaling = upscaler_of(options, steady=False, download=False)
    setup = _restorer_setup(options, download=False)
    detector = _detector(options, download=False)
    faces = None
    if detector is None or not detector.missing:
        with translate_out_of_memory(setup.device), float32_arithmetic(setup.device, setup.precision):
            faces = _faces(options, photo, Networks(), setup, detector)
    missing = [detector.name] if detector and detector.missing else []
    missing += [setup.model] if setup.missing else []
    missing += upscaling.missing if upscaling else ()
    width, height = photo.size
    samples = "grey" if photo.is_grey else "RGB"
    metadata = photo.metadata
    held = {"EXIF": metadata.exif, "XMP": metadata.xmp, "colour profile": metadata.icc}
    data = {
        "input": {
            "path": str(options.input),
            "format": kind.name,
            "width": width,
            "height": height,
            "bits": photo.bits,
            "samples": samples if photo.alpha is None else f"{samples} with alpha",
            "orientation": metadata.orientation,
            "metadata": [name for name, value in held.items() if value],
        },
        "output": {
            "path": str(options.destination),
            "format": target.name,
            "width": width * options.upscale,
            "height": height * options.upscale,
            "upscale": options.upscale,
            "lossless": is_lossless(photo, target),
        },
        "losses": list(lost),
        "detector": detector.name if detector else None,
        "faces": None if faces is None else [_described(face) for face in faces],
        "task": options.task,
        "mask": None if options.mask is None else str(options.mask),
        "model": str(setup.weights or setup.model),
        "fallback": setup.fallback,
        "w": options.w,
        "upscaler": str(upscaling) if upscaling else None,
        "device": str(setup.device),
        "precision": setup.precision,
        "downloads": [planned_download(name) for name in missing],
    }
    return PhotoPlan(data)


def _described_faces(plan: dict[str, Any]) -> list[str]:
    if plan["faces"] is None:
        return [f"faces are not looked for: {plan['detector']}, which finds them, is not in the cache"]
    return [f"face {face['number']}: {face['text']}" for face in plan["faces"]] or ["no faces were found"]


def _described(face: Face) -> dict[str, Any]:
    box = x0, y0, x1, y1 = [round(value) for value in face.box.tolist()]
    text = f"{x1 - x0}x{y1 - y0} pixels at {(x0 + x1) // 2},{(y0 + y1) // 2}"
    return {"number": face.track, "box": box, "text": text}


def _opened(options: Options, kind: PhotoFormat) -> tuple[PhotoFormat, Photo]:
    """The format of OUT, and the photo, once it is known that OUT can be written."""
    out = options.destination
    if is_stream(out):
        raise UsageError("a photo cannot be written to standard output, a pipe or a device; name a file")
    target = format_by_name(out)
    check_path(out, options.input, overwrite=options.overwrite)
    photo = read_photo(options.input, kind)
    if find_task(options.task).keeps_luma:
        photo = with_colour(photo)
    with_hole(options, photo.picture)
    width, height = photo.size
    check_photo_size(out, target, (width * options.upscale, height * options.upscale))
    if options.aligned and width != height:
        raise UsageError(
            f"--aligned is for square pictures of one face, and {options.input.name} is {width}x{height}; "
            "leave it out"
        )
    return target, photo


def _restorer_setup(options: Options, *, download: bool) -> RestorerSetup:
    # A photo has no tracks, for which a tracks file may name other models.
    return RestorerSetup.of(replace(options, tracks=None, person_w=()), download=download)


def _detector(options: Options, *, download: bool = True) -> DetectorChoice | None:
    """The detector that finds the faces; None: the photo is a face."""
    if options.aligned:
        return None
    return resolve_detector(options.detector, offline=options.offline, download=download)


def _faces(
    options: Options,
    photo: Photo,
    networks: Networks,
    setup: RestorerSetup,
    detector: DetectorChoice | None,
) -> list[Face]:
    """The faces that are to be restored if nothing speaks against it."""
    picture = photo.picture
    if detector is None:
        return [aligned_face(picture)]
    faces = find_faces(picture, networks.detector(detector.name, setup.device), mirrored=picture.is_mirrored)
    return chosen_faces(faces, options, picture.upright_size)


def _with_samples(photo: Photo, picture: Picture, factor: int) -> Photo:
    """``photo`` with other samples, ``factor`` times as wide and as high."""
    if factor == 1:
        return replace(photo, picture=picture)
    alpha = photo.alpha
    if alpha is not None:
        alpha = enlarged_plane(alpha, factor, bits=photo.bits)
    metadata = replace(photo.metadata, exif=enlarged_exif(photo.metadata.exif, factor))
    return replace(photo, picture=picture, alpha=alpha, metadata=metadata)


def _losses(photo: Photo, target: PhotoFormat) -> tuple[str, ...]:
    return photo.losses + losses(photo, target)


def _report_losses(photo: Photo, target: PhotoFormat, *, strict: bool) -> None:
    for what in _losses(photo, target):
        if strict:
            raise LossError(f"--strict: {photo.path.name} loses {what}")
        log.warning("%s loses %s", photo.path.name, what)
