"""The networks that faces go through, loaded once for a run."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from operator import attrgetter

import numpy as np
import torch
from torch import Tensor

from ..faces.alignment.align import Placement, align
from ..faces.alignment.face_parser import FaceParser
from ..faces.alignment.paste import face_masks, paste_back
from ..faces.face import Face
from ..faces.geometry import fit
from ..media.frames.crop import Blended, occupied
from ..media.frames.frame import Frame
from ..restoration.fidelity.uncover import uncover
from ..restoration.finish import SIDE
from ..restoration.holes import find_holes
from ..restoration.load import load_restorer
from ..restoration.restorer import FaceRestorer
from ..restoration.tasks import find_task
from ..restoration.temporal.blend import channels_last
from ..restoration.temporal.face_crop import ComparedFace, FaceCrop, ObservedFace, RestoredFace
from ..restoration.temporal.motion import View
from ..runtime.batching import by_group
from ..runtime.profile import Profile
from ..weights.store import load_state
from .holes import hole_map
from .setup import RestorerSetup

log = logging.getLogger(__name__)

#: Faces go through the networks in groups that have the same restorer, and hence the same size.
_RESTORER = attrgetter("restorer")
_SHOWN_RESTORER = attrgetter("is_shown", "restorer")
#: A range of sharpness from which on faces are readable that every face is beyond.
_EVERY_FACE = (-2.0, -1.0)


class Models:
    """The restorer and, if its weights are in the cache, the face parser, each applied to batches of faces.

    The time that each step takes is added to ``profile``.
    """

    def __init__(self, setup: RestorerSetup, profile: Profile) -> None:
        """Load the networks. Raises WeightsError."""
        self.profile = profile
        self.device = setup.device
        self._unfit = set[int]()  # tracks whose landmarks did not fit in a frame, which is said once
        self.task = find_task(setup.task)
        load = partial(load_restorer, device=setup.device, precision=setup.precision, task=setup.task)
        self._model = setup.model
        self.restorer = load(setup.weights or setup.model)
        self._others = {name: load(name) for name in setup.others}
        self.parser = (
            FaceParser(load_state(setup.face_parser)[0], device=setup.device, precision=setup.precision)
            if setup.face_parser
            else None
        )

    def again(self, profile: Profile) -> Models:
        """The same networks, for another run, whose times are added to ``profile``."""
        models = copy(self)
        models.profile, models._unfit = profile, set()
        return models

    @property
    def has_codes(self) -> bool:
        """Whether any restorer has codes."""
        return any(restorer.spec.has_codes for restorer in (self.restorer, *self._others.values()))

    def restorer_of(self, name: str | None) -> FaceRestorer:
        """The restorer called ``name``, which a person chose; None: the one of the run."""
        return self.restorer if name is None else self._others[name]

    def readable(self, name: str | None) -> tuple[float, float]:
        """What the restorer called ``name`` declares, see ``RestorerSpec``; if its faces are not held to
        their inputs, that every face is readable."""
        return self.restorer_of(name).spec.readable if self.task.guarded else _EVERY_FACE

    def align(self, frame: Frame, faces: Iterable[Face]) -> list[FaceCrop[Placement]]:
        """Cut the faces out of their frame, fill what is covered, and measure their quality. Faces whose
        landmarks do not fit are left out."""
        fitted = list(filter(None, map(self._fitted, faces)))
        return by_group(fitted, self._chosen, partial(self._align, frame))

    def _align(self, frame: Frame, name: str | None, faces: Sequence[Face]) -> list[FaceCrop[Placement]]:
        image, size = frame.image(), self.restorer_of(name).spec.input_size
        crops = []
        for face in faces:
            with self.profile.section("align"):
                aspect = frame.upright_aspect
                crops.append(align(image, face, frame.upright, size, self.device, aspect=aspect))
        placements = [crop.placement for crop in crops]
        scales = [placement.scale for placement in placements]
        landmarks = [placement.landmarks for placement in placements]
        with self.profile.section("covers", len(crops)):
            images, covers = torch.stack([crop.image for crop in crops]), None
            if frame.hole is not None:
                covers = [hole_map(frame.hole, placement.matrix, size) for placement in placements]
            elif self.task.fills:
                covers = find_holes(images, scales, landmarks)
            # From here on everything sees the face, and not what lies over it.
            width, height = frame.video.width, frame.video.height
            inside = [placement.inside(width, height, size) for placement in placements]
            uncovered = uncover(images, scales, landmarks, covers, inside)
        return [
            FaceCrop(
                track=placement.face.track,
                source=placement,
                # Kept for the length of a window, hence float16: an error of 1/16 of an 8-bit step.
                image=channels_last(face.image.half()),
                view=View.from_image(face.image, placement.matrix),
                quality=face.quality,
                time=None if frame.video.pts is None else frame.time,
                cover=face.cover,
                set_w=placement.face.adjustment.w if self.task.w is None else None,
                set_strength=placement.face.adjustment.strength,
                restorer=name,
            )
            for placement, face in zip(placements, uncovered, strict=True)
        ]

    def _chosen(self, face: Face) -> str | None:
        """The name of the restorer that a person chose for ``face``; None: the one of the run."""
        name = face.adjustment.restorer
        return None if name == self._model else name

    def _fitted(self, face: Face) -> Face | None:
        """``face`` as strong as its landmarks fit its box and each other, or None if they do not."""
        fitting = fit(face.box, face.landmarks)
        if fitting < 1 and face.track not in self._unfit:
            self._unfit.add(face.track)
            log.info("track %d: its landmarks do not fit a face in some frames: left alone there", face.track)
        return replace(face, strength=face.strength * fitting) if fitting > 0 else None

    def observe(self, faces: Sequence[ComparedFace[Placement]]) -> list[ObservedFace[Placement]]:
        """Encode a batch of faces."""
        return by_group(faces, _RESTORER, self._observe)

    def _observe(
        self, name: str | None, faces: Sequence[ComparedFace[Placement]]
    ) -> list[ObservedFace[Placement]]:
        with self.profile.section("observe", len(faces)):
            images = torch.stack([face.image for face in faces]).float()
            seen = self.task.see(images, [face.cover for face in faces])
            observations = self.restorer_of(name).observe(seen)
        return [
            ObservedFace(
                track=face.track,
                source=face.source,
                image=face.image,
                quality=face.quality,
                w=face.w,
                strength=face.strength,
                comparison=face.comparison,
                observation=observation,
                cover=face.cover,
                likeness=face.likeness,
                restorer=name,
            )
            for face, observation in zip(faces, observations, strict=True)
        ]

    def restore(
        self, faces: Sequence[ObservedFace[Placement]], *, keep_colours: bool
    ) -> list[RestoredFace[Placement]]:
        """Restore a batch of observed faces and make their masks; of those that are not shown, measure the
        colours. ``keep_colours`` gives each result the low-frequency colours of its input."""

        def work(
            group: tuple[bool, str | None], faces: Sequence[ObservedFace[Placement]]
        ) -> list[RestoredFace[Placement]]:
            shown, name = group
            return self._restore(name, faces, keep_colours=keep_colours) if shown else self._measured(faces)

        return by_group(faces, _SHOWN_RESTORER, work)

    def _measured(self, faces: Sequence[ObservedFace[Placement]]) -> list[RestoredFace[Placement]]:
        images = torch.stack([face.image for face in faces]).float()
        return [
            RestoredFace(
                track=face.track,
                source=face.source,
                layers=images.new_empty((4, 0, 0)),
                tint=tint,
                comparison=face.comparison,
            )
            for face, tint in zip(faces, self.task.measure(images, images).cpu(), strict=True)
        ]

    def _restore(
        self, name: str | None, faces: Sequence[ObservedFace[Placement]], *, keep_colours: bool
    ) -> list[RestoredFace[Placement]]:
        images = torch.stack([face.image for face in faces]).float()
        with self.profile.section("render", len(faces)):
            landmarks = np.stack([face.source.landmarks for face in faces])
            restored, guards = self.task.render(
                self.restorer_of(name), faces, images, landmarks, keep_colours=keep_colours
            )
        tints = self.task.measure(images, restored)
        with self.profile.section("masks", len(faces)):
            placements = [face.source for face in faces]
            masks = face_masks(placements, restored, self.parser, extent=self.task.extent)
        measured, guarded = _on_cpu(tints, guards)
        return [
            RestoredFace(
                track=face.track,
                source=face.source,
                # Kept for the length of a window, hence float16: an error of 1/4 of a 10-bit step.
                layers=channels_last(torch.cat((image, mask[None])).half()),
                tint=tint,
                comparison=face.comparison,
                opacity=face.strength * face.source.face.strength,
                w=face.w,
                restorer=face.restorer,
                window=occupied(mask),
                cover=face.cover,
                likeness=face.likeness,
                guards=found,
            )
            for face, image, mask, tint, found in zip(faces, restored, masks, measured, guarded, strict=True)
        ]

    def finish(self, frame: Frame, faces: Sequence[RestoredFace[Placement]]) -> list[RestoredFace[Placement]]:
        """Finish the faces of a frame, into which none has been pasted yet: each is given the crop of its own
        frame, which is read once more instead of being kept for the length of a window."""
        image, finished = frame.image(), []
        for face in faces:
            with self.profile.section("finish"):
                size = face.layers.shape[-1]
                scale = min(SIDE, size) / size
                matrix = np.diag((scale, scale, 1.0)) @ face.source.matrix
                own = image.read(matrix, min(SIDE, size), face.layers.device)
                done = self.task.finish(face, own)
                done.mask.mul_(face.opacity)
                finished.append(done)
        return finished

    def paste(
        self, frame: Frame, faces: Sequence[RestoredFace[Placement]]
    ) -> list[tuple[RestoredFace[Placement], Blended | None]]:
        """Finish the faces of a frame and paste them into it. With each comes what was written."""
        pasted = []
        for face in self.finish(frame, faces):
            with self.profile.section("paste"):
                image = frame.image(editable=True, keeps_luma=self.task.keeps_luma)
                written = paste_back(image, face.source, face.restored, face.mask)
            pasted.append((face, written))
        return pasted


def _on_cpu(tints: Tensor, guards: Tensor | None) -> tuple[Tensor, Sequence[Tensor | None]]:
    """Both as they are, in one copy, since a GPU is waited for."""
    if guards is None:
        return tints.cpu(), [None] * len(tints)
    both, count = torch.cat((tints.flatten(1), guards), dim=1).cpu(), guards.shape[1]
    return both[:, :-count].view(tints.shape), list(both[:, -count:])
