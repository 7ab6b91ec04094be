"""Aligned faces on their way through restoration: which steps there are, and over which frames they look."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..faces.alignment.align import align
from ..faces.alignment.face_parser import FaceParser
from ..faces.alignment.paste import face_masks
from ..faces.face import Face, TrackSettings
from ..media.frames.frame import Frame
from ..options import Options, steady_parts
from ..restore.fidelity.face_quality import measure
from ..restore.fidelity.identity_guard import drift, guarded
from ..restore.load import load_restorer, resolve_model
from ..restore.temporal import code_averaging as codes
from ..restore.temporal import colour_transfer as colour
from ..restore.temporal import stabilise as steady
from ..restore.temporal import w_chooser as choice
from ..restore.temporal.blend import by_pixel
from ..restore.temporal.code_averaging import only_seen, steady_codes
from ..restore.temporal.colour_transfer import follow_colours, measure_tints, only_finite, steady_colour
from ..restore.temporal.face_crop import Portrait
from ..restore.temporal.motion import View
from ..restore.temporal.stabilise import compare, steady_input, steady_output
from ..restore.temporal.w_chooser import Chooser, Limits, is_wanted
from ..runtime.batching import BatchRunner, choose_batch, fill_batches
from ..runtime.device import find_device, find_precision
from ..runtime.host import background_workers, usable_cores
from ..runtime.profile import Profile
from ..runtime.scheduler import Stages
from ..runtime.windows import windowed
from ..weights.store import load_state, locate

#: A raise of ``w`` worth restoring a face again for.
_W_STEP = 0.02


#: What the published network takes for each face of a batch, in bytes, as measured on a CPU.
_FACE_BYTES = {"fp32": 512 << 20, "bf16": 264 << 20, "fp16": 264 << 20}

#: Frames to each side that have a part in what a face becomes: those of all steps that look across time.
CONTEXT = choice.REACH + steady.REACH + steady.INPUT_REACH + codes.REACH + steady.OUTPUT_REACH + colour.REACH
#: Of these, those before a frame that the networks' results have a part in.
_RENDERED = steady.OUTPUT_REACH + colour.REACH
_OBSERVED = codes.REACH + _RENDERED


class Models:
    """The networks that faces go through, loaded, and what is done with them to a batch: the restorer and,
    where its weights are here, the face parser."""

    def __init__(self, options: Options, profile: Profile) -> None:
        self.profile = profile
        self.device = find_device(options.device)
        self.precision = find_precision(options.precision, self.device)
        name = (
            options.model if options.weights else resolve_model(options.model, offline=options.offline).name
        )
        self.restorer = load_restorer(
            name, weights=options.weights, device=self.device, precision=self.precision
        )
        self.parser = (
            FaceParser(load_state("parsenet")[0], device=self.device, precision=self.precision)
            if locate("parsenet")
            else None
        )

    def align(self, frame: Frame, faces: Iterable[Face]) -> list[Portrait]:
        """Cut the faces out of their frame."""
        picture, size = frame.image(), self.restorer.spec.input_size
        crops = []
        for face in faces:
            with self.profile.section("align"):
                crops.append(align(picture, face, frame.upright, size, self.device))
        if not crops:
            return []
        conditions = measure(
            torch.stack([crop.image for crop in crops]),
            [float(np.sqrt(abs(np.linalg.det(crop.matrix[:2, :2])))) for crop in crops],
            [crop.landmarks for crop in crops],
        )
        return [
            Portrait(
                track=crop.face.track,
                # It waits for as long as a window is, so in half precision: a sixteenth of an 8-bit step.
                image=by_pixel(crop.image.half()),
                view=View.of(crop.image, crop.matrix),
                condition=condition,
                source=replace(crop, image=None),
            )
            for crop, condition in zip(crops, conditions, strict=True)
        ]

    def observe(self, portraits: list[Portrait]) -> list[Portrait]:
        """Let the restorer see them."""
        with self.profile.section("observe", len(portraits)):
            seen = self.restorer.observe(torch.stack([portrait.image for portrait in portraits]).float())
        return [replace(p, observation=observation) for p, observation in zip(portraits, seen, strict=True)]

    def restore(self, portraits: list[Portrait], *, options: Options) -> list[Portrait]:
        """Restore them, in the colours of their input, each with its mask."""
        images = torch.stack([portrait.image for portrait in portraits]).float()
        tints = measure_tints(images)
        with self.profile.section("render", len(portraits)):
            restored = self._render(portraits, images)
        if "colour" in steady_parts(options.steady):
            restored = follow_colours(restored, images)
        with self.profile.section("masks", len(portraits)):
            masks = face_masks([portrait.source for portrait in portraits], restored, self.parser)
        return [
            replace(
                portrait,
                # In half precision, a quarter of a 10-bit step, since it stays for as long as a window is.
                layers=by_pixel(torch.cat((image, (mask * portrait.strength)[None])).half()),
                tint=tint,
                # What has been used goes, for the same reason.
                image=None,
                view=None,
                observation=None,
            )
            for portrait, image, mask, tint in zip(portraits, restored, masks, tints.cpu(), strict=True)
        ]

    @torch.inference_mode()  # as the restorer has it: its results are written to
    def _render(self, portraits: list[Portrait], images: Tensor) -> Tensor:
        """The restored faces (N, 3, S, S), those that drift away from their input with a larger ``w``."""
        seen = [portrait.observation for portrait in portraits]
        w = torch.tensor([portrait.w for portrait in portraits])
        restored = only_finite(self.restorer.render(seen, w), images)
        raised = guarded(w, drift(restored, images).cpu())
        again = torch.nonzero(raised - w > _W_STEP).flatten().tolist()
        if again:
            restored[again] = only_finite(
                self.restorer.render([seen[i] for i in again], raised[again]), images[again]
            )
        return restored

    def __str__(self) -> str:
        return f"{self.restorer.spec.name} ({self.precision}) on {self.device}"


def restore_faces(
    aligned: Iterable[tuple[Frame, list[Portrait]]],
    models: Models,
    options: Options,
    settings: Callable[[int], TrackSettings],
    stage: Stages,
    *,
    segment_length: int,
) -> Iterator[tuple[Frame, list[Portrait]]]:
    """Every frame with its faces restored, and held steady over the frames around it.

    What comes before the network and the network become stages of ``stage``. From the first
    frame of each segment on, results do not depend on frames more than ``CONTEXT`` before it: batches are
    flushed at segment boundaries, every ``segment_length`` frames.
    """
    parts = steady_parts(options.steady)
    batches = BatchRunner(batch_size(options, models.device, models.precision), models.device)
    batched = partial(fill_batches, batches=batches, max_held=2 * batches.size)
    timed = models.profile.timed
    over_time = partial(windowed, key=lambda portrait: portrait.track)
    beside = partial(over_time, workers=background_workers(usable_cores()))

    def begins(before: int) -> Callable[[Frame], bool]:
        """Tests whether a frame lies ``before`` frames before a segment boundary."""
        return lambda frame: (frame.index + before) % segment_length == 0

    faces = over_time(aligned, chooser(options, settings), reach=choice.REACH)
    faces = ((frame, [portrait for portrait in some if is_wanted(portrait)]) for frame, some in faces)
    if parts & {"input", "output"}:
        faces = beside(faces, timed("compare", compare), reach=steady.REACH)
    if "input" in parts:
        faces = beside(faces, timed("steady", steady_input), reach=steady.INPUT_REACH)
    faces = batched(stage(faces, "align"), models.observe, starts_batch=begins(_OBSERVED))
    if "codes" in parts:
        faces = over_time(faces, steady_codes, reach=codes.REACH, keep=only_seen)
    faces = batched(faces, partial(models.restore, options=options), starts_batch=begins(_RENDERED))
    faces = stage(faces, "restore", urgent=False)
    if "output" in parts:
        faces = beside(faces, timed("steady", steady_output), reach=steady.OUTPUT_REACH)
    if "colour" in parts:
        faces = over_time(faces, steady_colour, reach=colour.REACH)
    return faces


def batch_size(options: Options, device: torch.device, precision: str) -> int:
    """How many faces are restored at once: ``--batch``, or as many as ``device`` has memory for."""
    return choose_batch(device, _FACE_BYTES[precision]) if options.batch == "auto" else options.batch


def chooser(options: Options, settings: Callable[[int], TrackSettings]) -> Chooser:
    """What chooses each track's ``w``: the command line for one track, then the tracks file, then ``--w``."""
    named = dict(options.track_w)
    return Chooser(
        w=None if options.w == "auto" else options.w,
        of_track=lambda track: named.get(track, settings(track).w),
        limits=Limits(
            min_size=options.min_face, max_sharpness=options.max_sharpness, max_yaw=options.max_yaw
        ),
        strength=options.strength,
    )
