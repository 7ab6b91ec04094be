"""A streaming decoder feeds frames through batched face detection with Kalman-smoothed tracking, batched
CodeFormer restoration with per-track fidelity, temporally blended paste-back, and re-encoding with the
original audio."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch

from .errors import DeviceError
from .faces.align import align
from .faces.detect import working_size
from .faces.detectors import choose_detector, load_detector
from .faces.face import Face
from .faces.live import LiveSource
from .faces.parse import FaceParser
from .faces.paste import face_masks, paste_back
from .media.copy import StreamCopier
from .media.decode import Decoder, Frame, Thumbnails
from .media.encode import EncoderSettings, choose_encoder
from .media.mux import Writer
from .media.output import MUXERS, check_output
from .media.probe import probe
from .media.timeline import Span
from .options import Options, steady_parts
from .restore import codes, steady
from .restore.codes import steady_codes
from .restore.colour import follow_colours, measure_tint, only_finite, steady_colour
from .restore.models import choose_model, load_restorer, planned_model
from .restore.motion import View
from .restore.portrait import Portrait
from .restore.steady import compare, steady_input, steady_output
from .runtime.ahead import ahead
from .runtime.batching import fill_batches
from .runtime.device import find_device, find_precision
from .runtime.windows import windowed
from .weights import load_state, locate

log = logging.getLogger(__name__)

#: Frames in each queue between two stages: enough to even out their pace.
_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    frames: int
    faces: int
    tracks: int
    seconds: float
    model: str


class Models:
    """The networks of a run, loaded, and what is done with them to a batch: detector, restorer and, where
    its weights are here, face parser."""

    def __init__(self, options: Options) -> None:
        self.device = find_device(options.device)
        self.precision = find_precision(options.precision, self.device)
        self.detector_name = choose_detector(options.detector, offline=options.offline)
        name = options.model if options.weights else choose_model(options.model, offline=options.offline)
        self.restorer = load_restorer(
            name, weights=options.weights, device=self.device, precision=self.precision
        )
        self.detector = load_detector(self.detector_name, self.device)
        self.parser = (
            FaceParser(load_state("parsenet")[0], device=self.device, precision=self.precision)
            if locate("parsenet")
            else None
        )

    def detection_batch(self, faces: int) -> int:
        """Frames for the detector at once: on a CPU more than one only costs memory."""
        return 1 if self.device.type == "cpu" else faces

    def align(self, frame: Frame, faces: Iterable[Face]) -> list[Portrait]:
        """Cut the faces out of their frame."""
        picture, size = frame.picture(), self.restorer.spec.input_size
        crops = [align(picture, face, frame.upright, size, self.device) for face in faces]
        return [
            Portrait(track=crop.face.track, image=crop.image, view=View.of(crop.image), source=crop)
            for crop in crops
        ]

    def observe(self, portraits: list[Portrait]) -> list[Portrait]:
        """Let the restorer see them."""
        with self._memory(len(portraits)):
            seen = self.restorer.observe(torch.stack([portrait.image for portrait in portraits]))
        return [replace(p, observation=observation) for p, observation in zip(portraits, seen, strict=True)]

    def restore(self, portraits: list[Portrait], *, options: Options) -> list[Portrait]:
        """Restore them, in the colours of their input, each with its mask."""
        images = torch.stack([portrait.image for portrait in portraits])
        with self._memory(len(portraits)):
            seen = [portrait.observation for portrait in portraits]
            restored = self.restorer.render(seen, torch.full((len(seen),), options.w))
            restored = only_finite(restored, images)
            if "colour" in steady_parts(options.steady):
                restored = follow_colours(restored, images)
            masks = face_masks([portrait.source for portrait in portraits], restored, self.parser)
        return [
            replace(
                portrait,
                restored=image,
                mask=mask * options.strength,
                tint=measure_tint(portrait.image),
                observation=None,
            )
            for portrait, image, mask in zip(portraits, restored, masks, strict=True)
        ]

    @contextmanager
    def _memory(self, faces: int) -> Iterator[None]:
        try:
            yield
        except torch.OutOfMemoryError:
            raise DeviceError(
                f"{self.device} has no memory left for {faces} faces at once; give a smaller --batch"
            ) from None

    def __str__(self) -> str:
        return f"{self.restorer.spec.name} ({self.precision}) on {self.device}"


def restore_video(
    options: Options, progress: Callable[[int, int], None] = lambda frames, faces: None
) -> Report:
    """Restore the faces of ``options.input`` into ``options.output``.

    ``progress`` is called after each frame with how many frames and faces are done. Raises
    VidrestoreError, and leaves no OUT behind then.
    """
    started = time.monotonic()
    check_output(options.output, options.input, overwrite=options.overwrite)
    with ExitStack() as stack:
        decoder = stack.enter_context(Decoder(options.input, Span(options.start, options.stop)))
        writer = stack.enter_context(Writer(options.output, decoder, encoder_settings(options)))
        models = Models(options)

        def stage(items: Iterable[Any], name: str) -> Iterator[Any]:
            return stack.enter_context(closing(ahead(items, _DEPTH, name)))

        size = working_size(*decoder.first.upright_size)
        scale = tuple(full / small for full, small in zip(decoder.first.upright_size, size, strict=True))
        thumbnail = Thumbnails(*size)
        source = LiveSource(models.detector, batch=models.detection_batch(options.batch))
        log.debug("%s at %dx%d, %s", models.detector_name, *size, models)
        log.debug("encoder: %s", writer.encoder)

        decoded = stage(((frame, thumbnail(frame)) for frame in decoder), "decode")
        tracked = stage(source.stream(decoded, scale), "detect")
        aligned = ((frame, models.align(frame, faces)) for frame, faces in tracked)
        restored = restore_faces(aligned, models, options)
        faces = 0
        for frame, portraits in stage(restored, "restore"):
            for portrait in portraits:
                paste_back(frame.picture(editable=True), portrait.source, portrait.restored, portrait.mask)
            writer.write(frame)
            faces += len(portraits)
            progress(writer.frames, faces)
    return Report(writer.frames, faces, source.tracks, time.monotonic() - started, models.restorer.spec.name)


def restore_faces(
    aligned: Iterable[tuple[Frame, list[Portrait]]], models: Models, options: Options
) -> Iterator[tuple[Frame, list[Portrait]]]:
    """Every frame with its faces restored, and held steady over the frames around it."""
    parts = steady_parts(options.steady)
    batched = partial(fill_batches, size=options.batch, hold=2 * options.batch)
    over_time = partial(windowed, key=lambda portrait: portrait.track)

    faces = aligned
    if parts & {"input", "output"}:
        faces = over_time(faces, compare, reach=steady.REACH)
    if "input" in parts:
        faces = over_time(faces, steady_input, reach=steady.REACH)
    faces = batched(faces, models.observe)
    if "codes" in parts:
        faces = over_time(faces, steady_codes, reach=codes.REACH)
    faces = batched(faces, partial(models.restore, options=options))
    if "output" in parts:
        faces = over_time(faces, steady_output, reach=steady.REACH)
    if "colour" in parts:
        faces = over_time(faces, steady_colour, reach=steady.REACH)
    return faces


def plan(options: Options) -> str:
    """What :func:`restore_video` would do, in words. Raises VidrestoreError for what it would refuse."""
    check_output(options.output, options.input, overwrite=options.overwrite)
    info = probe(options.input)
    device = find_device(options.device)
    with Decoder(options.input, Span(options.start, options.stop)) as decoder:
        muxer = MUXERS[options.output.suffix.lower()]
        encoder = choose_encoder(decoder.stream, muxer, encoder_settings(options))
        frame = decoder.first
        lost = StreamCopier.refused(decoder.path, muxer, decoder.stream.index)
    size = working_size(*frame.upright_size)
    colour = frame.colour
    lines = [
        str(info),
        f"colour: K_R {colour.kr}, K_B {colour.kb}{' (guessed from the size)' if colour.guessed else ''}, "
        f"{'full' if colour.full_range else 'limited'} range",
        f"detector: {choose_detector(options.detector, offline=True)} at {size[0]}x{size[1]}",
        f"model: {options.weights or planned_model(options.model, offline=options.offline)}, w {options.w:g}",
        f"device: {device}, {find_precision(options.precision, device)}, batches of {options.batch}",
        f"encoder: {encoder}",
        f"would write {options.output}",
    ]
    lines += [f"would leave out {stream}: {muxer} cannot hold it" for stream in lost]
    return "\n".join(lines)


def encoder_settings(options: Options) -> EncoderSettings:
    """The part of the options that is the encoder's."""
    return EncoderSettings(options.codec, options.crf, options.preset, options.pix_fmt)
