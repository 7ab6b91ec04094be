"""What is done to faces, as data: they are restored, coloured, or their holes are filled.

Everything that differs between these tasks is a field of :class:`Task`, so that the stages read the same for
all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from ..errors import UsageError
from .colour import as_grey, coloured, finish_colours
from .fidelity.rules import MAX_COLOUR
from .finish import finish
from .guarded import Guarded, render_within_limits
from .holes import finish_holes, seam_matched, whitened
from .restorer import FaceRestorer
from .temporal import chroma, tint
from .temporal.chroma import measure_chroma, steady_chroma
from .temporal.colour_transfer import replace_non_finite
from .temporal.face_crop import ObservedFace, RestoredFace
from .temporal.tint import measure_tints, stabilise_colour

#: A step that looks at the same face in the frames around it, by offset.
Hold = Callable[[RestoredFace[Any], Sequence[tuple[int, RestoredFace[Any]]]], RestoredFace[Any]]
Holes = Sequence[np.ndarray | None]


class Render(Protocol):
    """Makes results of observed faces."""

    def __call__(
        self,
        restorer: FaceRestorer,
        faces: Sequence[ObservedFace[Any]],
        images: Tensor,
        landmarks: np.ndarray,
        *,
        keep_colours: bool,
    ) -> Guarded:
        """``images`` (N, 3, S, S), RGB in [0, 1], are those of ``faces``, on their device; ``landmarks``
        (N, 5, 2) lie in them. ``keep_colours`` gives each result the broad colours of its input."""
        ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task: which rules hold for it, and what its steps are."""

    name: str
    does: str  #: what its networks do, for messages
    done: str  #: what faces are then
    model: str | None  #: the model that ``auto`` stands for; None: the best one for restoring
    w: float | None  #: the fidelity weight of its networks; None: the user's
    adain: bool  #: whether the codes' features get the statistics of the input's
    spares_sharp: bool  #: whether a face that is sharp already is left alone
    max_colour: float  #: colour from which on a face is left alone; 0: none is
    fills: bool  #: whether what lies over a face is a hole to fill; else it is kept
    extent: Literal["face", "wide", "crop"]  #: where results are pasted
    keeps_luma: bool  #: whether only colours are written
    guarded: bool  #: whether results are held to their input, so that the restorer's limits matter
    see: Callable[[Tensor, Holes], Tensor]  #: what the network sees of images (N, 3, S, S) with these holes
    render: Render
    #: What is measured of images and results, (N, 3, S, S) each, so that ``hold`` can hold results to it.
    measure: Callable[[Tensor, Tensor], Tensor]
    measures_results: bool  #: whether it depends on the results
    hold: Hold
    reach: int  #: frames to each side that ``hold`` looks at: at what was measured of them alone
    finish: Callable[[RestoredFace[Any], Tensor], RestoredFace[Any]]  #: see :func:`.finish.finish`

    def wants(self, cover: np.ndarray | None) -> bool:
        """Whether there is anything to do for a face that ``cover`` lies over."""
        return cover is not None or not self.fills


def find_task(name: str) -> Task:
    """The task called ``name``. Raises UsageError."""
    try:
        return TASKS[name]
    except KeyError:
        raise UsageError(f"unknown task {name!r}; choose one of {', '.join(TASKS)}") from None


def _within_limits(
    restorer: FaceRestorer,
    faces: Sequence[ObservedFace[Any]],
    images: Tensor,
    landmarks: np.ndarray,
    *,
    keep_colours: bool,
) -> Guarded:
    return render_within_limits(
        restorer,
        [face.observation for face in faces],
        images,
        [face.w for face in faces],
        landmarks,
        [face.quality for face in faces],
        keep_colours=keep_colours,
    )


@torch.inference_mode()
def _colours(
    restorer: FaceRestorer,
    faces: Sequence[ObservedFace[Any]],
    images: Tensor,
    landmarks: np.ndarray,
    *,
    keep_colours: bool,
) -> Guarded:
    return Guarded(coloured(images, _rendered(restorer, faces, images)), None)


@torch.inference_mode()
def _filled(
    restorer: FaceRestorer,
    faces: Sequence[ObservedFace[Any]],
    images: Tensor,
    landmarks: np.ndarray,
    *,
    keep_colours: bool,
) -> Guarded:
    restored = _rendered(restorer, faces, images)
    if keep_colours:
        restored = seam_matched(images, restored, [face.cover for face in faces])
    return Guarded(restored, None)


def _rendered(restorer: FaceRestorer, faces: Sequence[ObservedFace[Any]], images: Tensor) -> Tensor:
    weights = torch.tensor([face.w for face in faces], dtype=torch.float32)
    return replace_non_finite(restorer.render([face.observation for face in faces], weights), images)


_RESTORE = Task(
    name="restore",
    does="restores faces",
    done="restored",
    model=None,
    w=None,
    adain=True,
    spares_sharp=True,
    max_colour=0.0,
    fills=False,
    extent="face",
    keeps_luma=False,
    guarded=True,
    see=lambda images, holes: images,
    render=_within_limits,
    measure=lambda images, restored: measure_tints(images),
    measures_results=False,
    hold=stabilise_colour,
    reach=tint.REACH,
    finish=finish,
)
_COLOUR = Task(
    name="colour",
    does="colours grey faces",
    done="coloured",
    model="codeformer_colorization",
    w=0.0,
    adain=True,
    spares_sharp=False,
    max_colour=MAX_COLOUR,
    fills=False,
    extent="wide",
    keeps_luma=True,
    guarded=False,
    see=lambda images, holes: as_grey(images),
    render=_colours,
    measure=measure_chroma,
    measures_results=True,
    hold=steady_chroma,
    reach=chroma.REACH,
    finish=finish_colours,
)
_INPAINT = Task(
    name="inpaint",
    does="fills holes in faces",
    done="filled",
    model="codeformer_inpainting",
    w=1.0,
    adain=False,
    spares_sharp=False,
    max_colour=0.0,
    fills=True,
    extent="crop",
    keeps_luma=False,
    guarded=False,
    see=whitened,
    render=_filled,
    measure=lambda images, restored: measure_tints(images),
    measures_results=False,
    hold=stabilise_colour,
    reach=tint.REACH,
    finish=finish_holes,
)
#: Every task by its name, the usual one first.
TASKS: Mapping[str, Task] = MappingProxyType({task.name: task for task in (_RESTORE, _COLOUR, _INPAINT)})
