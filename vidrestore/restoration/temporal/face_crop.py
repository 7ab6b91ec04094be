"""The states of one aligned face on its way through restoration.

    FaceCrop -> PlannedFace -> ComparedFace -> ObservedFace -> RestoredFace

Each step takes one state and returns the next, or the same one with other values. A state holds what later
steps need and nothing else, since windows keep faces for dozens of frames: what has been used is freed.

``Source`` is whatever the caller needs to put the face back; nothing in this package looks into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from torch import Tensor

from ..fidelity.face_quality import FaceQuality
from ..restorer import Observation
from .motion import Comparison, View

Source = TypeVar("Source")


class Likeness(NamedTuple):
    """How like a photograph of its person a face is, and what follows. Distances are those of embeddings."""

    before: float  #: distance of the input from the photograph
    after: float  #: distance of the restored face, as it was planned
    raised: float  #: how far ``w`` is raised to 1, in [0, 1]
    kept: float  #: share of its strength that is left, in [0, 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCrop(Generic[Source]):
    """An aligned face, cut out of its frame and measured."""

    track: int
    source: Source
    image: Tensor  #: (3, S, S) RGB in [0, 1], float16
    view: View  #: the same at the size at which faces are compared
    quality: FaceQuality
    time: Fraction | None = None  #: presentation time of its frame in seconds, None if unknown
    set_w: float | None = None  #: fidelity weight that a person set for it
    set_strength: float | None = None  #: strength that a person set for it
    restorer: str | None = None  #: name of the model that restores it; None: the one of the run
    #: What lies over the face, a map (see :mod:`..fidelity.covers`); None: nothing.
    cover: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFace(Generic[Source]):
    """A crop for which it is decided how much it is restored."""

    track: int
    source: Source
    image: Tensor  #: (3, S, S) RGB in [0, 1], float16
    view: View
    quality: FaceQuality  #: the median over the frames around it
    w: float  #: fidelity weight in [0, 1]
    strength: float  #: share of the restoration that is blended into the frame, in [0, 1]
    #: What lies over the face, a map (see :mod:`..fidelity.covers`); None: nothing.
    cover: np.ndarray | None = None
    restorer: str | None = None  #: name of the model that restores it; None: the one of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFace(Generic[Source]):
    """A crop compared with the same face in the frames around it; its image may be stabilised."""

    track: int
    source: Source
    image: Tensor  #: (3, S, S) RGB in [0, 1], float16
    quality: FaceQuality
    w: float
    strength: float
    comparison: Comparison
    #: What lies over the face, a map (see :mod:`..fidelity.covers`); None: nothing.
    cover: np.ndarray | None = None
    likeness: Likeness | None = None  #: None: not measured
    restorer: str | None = None  #: name of the model that restores it; None: the one of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedFace(Generic[Source]):
    """A crop that the restorer has encoded."""

    track: int
    source: Source
    image: Tensor  #: (3, S, S) RGB in [0, 1], float16: what was encoded
    quality: FaceQuality
    w: float
    strength: float
    comparison: Comparison
    observation: Observation
    is_shown: bool = True  #: whether its result matters; if not, only what is measured of its colours
    #: What lies over the face, a map (see :mod:`..fidelity.covers`); None: nothing.
    cover: np.ndarray | None = None
    likeness: Likeness | None = None  #: None: not measured
    restorer: str | None = None  #: name of the model that restores it; None: the one of the run


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredFace(Generic[Source]):
    """A restored face and the mask under which it is pasted back."""

    track: int
    source: Source
    #: (4, S, S) float16 in [0, 1]: RGB and the mask, in one tensor since both are blended alike; (4, 0, 0) of
    #: a face that was measured and not rendered.
    layers: Tensor
    #: float32 on the CPU, what was measured of its colours: (2, 112), how the crop's depend on its luma, see
    #: :mod:`.tint`; of one that is coloured (4, 16, 16), see :mod:`.chroma`.
    tint: Tensor
    comparison: Comparison
    #: With what opacity it is pasted, in [0, 1]: that of its own frame, while masks are blended over time.
    opacity: float = 1.0
    w: float = 0.5  #: fidelity weight in [0, 1]
    restorer: str | None = None  #: name of the model that restored it; None: the one of the run
    #: Rows and columns that hold all of its mask; None: any may.
    window: tuple[slice, slice] | None = None
    #: What the frames around it say of its colours, if the face is to be kept to it.
    hue: Tensor | None = None
    #: (6,) float32 on the CPU: the values of :class:`~..guarded.Guards`; None if no guard looked at it.
    guards: Tensor | None = None
    #: What lies over the face, a map (see :mod:`..fidelity.covers`); None: nothing.
    cover: np.ndarray | None = None
    likeness: Likeness | None = None  #: None: not measured

    @property
    def restored(self) -> Tensor:
        """(3, S, S) RGB in [0, 1]."""
        return self.layers[:3]

    @property
    def mask(self) -> Tensor:
        """(S, S) in [0, 1], the weight of the restored face against the frame; until it is finished without
        ``opacity``."""
        return self.layers[3]
