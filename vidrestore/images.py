"""Restoring faces without a video around them: batches of aligned faces, and single frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from fractions import Fraction
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, overload

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange
from numpy.typing import NDArray
from torch import Tensor

from .errors import UsageError
from .faces.detection.detector import RetinaFaceDetector
from .faces.detection.load import load_detector, resolve_detector
from .media.frames.colour import Colour
from .media.photo.picture import picture_of
from .option_names import options_from
from .options import Options
from .restoration.fidelity.rules import Limits
from .restoration.temporal.w_chooser import Chooser
from .runtime.device import float32_arithmetic
from .runtime.memory import translate_out_of_memory
from .runtime.profile import Profile
from .stages.models import Models
from .stages.picture import restore_picture
from .stages.setup import RestorerSetup
from .stages.still_faces import find_faces
from .weights.registry import restorer_names

Pixels = NDArray[np.uint8]
#: Faces of a frame that go through the network at a time.
_BATCH = 4
#: One fidelity weight for all faces, or one for each.
Fidelity = float | Sequence[float] | NDArray[np.floating] | Tensor


@dataclass(frozen=True, slots=True)
class RestoredFrame:
    """A frame of a video with its faces restored."""

    index: int  #: from 0, counted from the start of the part that was asked for
    time: Fraction  #: presentation time in seconds
    faces: int  #: how many were restored
    video: av.VideoFrame = field(repr=False)  #: the samples, in a planar format of the input's bit depth
    colour: Colour = field(repr=False)  #: how they are converted to R'G'B', tagged or not

    def to_rgb(self) -> Pixels:
        """The frame as stored (before rotation): (height, width, 3) uint8 RGB."""
        full = self.colour.full_range or self.video.format.is_rgb
        rgb = self.video.reformat(
            format="rgb24",
            src_colorspace=self.colour.swscale_matrix,
            src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        )
        return np.asarray(rgb.to_ndarray(), np.uint8)


class Restorer:
    """Restores aligned faces, or the faces of single frames, with one network.

    Made by :func:`vidrestore.load_restorer`. It looks at each face by itself: for video, use
    :func:`vidrestore.restore`, which holds faces steady over time.
    """

    def __init__(self, setup: RestorerSetup) -> None:
        """Load the networks that ``setup`` names. Raises WeightsError."""
        self._setup = setup
        self._models = Models(setup, Profile(setup.device))
        self._detector: RetinaFaceDetector | None = None

    @classmethod
    def load(
        cls, name_or_path: str | PathLike[str], *, device: str = "auto", precision: str = "auto"
    ) -> Restorer:
        """See :func:`vidrestore.load_restorer`. Raises UsageError for what is no name or path and for unknown
        values, and what :meth:`.RestorerSetup.resolve` and :class:`.Models` raise."""
        if not isinstance(name_or_path, str | PathLike):
            raise UsageError(f"a model must be a name or the path of a weights file, not {name_or_path!r}")
        path = Path(fsdecode(name_or_path))
        given: dict[str, object] = {"device": str(device), "precision": precision}
        # Some names, such as gfpgan-1.4, look like files.
        named = isinstance(name_or_path, str) and name_or_path in restorer_names()
        if isinstance(name_or_path, PathLike) or (path.suffix and not named):
            given["weights"] = path
        else:
            given["model"] = name_or_path
        # As on the command line: the same names, the same errors.
        options = options_from({"input": "", **given})
        return cls(
            RestorerSetup.resolve(
                model=options.model,
                weights=options.weights,
                device=options.device,
                precision=options.precision,
            )
        )

    def __repr__(self) -> str:
        about = ", ".join(
            f"{name.replace(' ', '_')}={value}" for name, value in self._setup.summary().items()
        )
        return f"Restorer({about}, size={self.size}, device={self._setup.device})"

    @property
    def size(self) -> int:
        """Height and width of an aligned face in pixels."""
        return self._models.restorer.spec.input_size

    @property
    def licence(self) -> str:
        """Licence of the weights."""
        return self._models.restorer.spec.licence

    @overload
    def restore(self, faces: Pixels, w: Fidelity = 0.5) -> Pixels: ...
    @overload
    def restore(self, faces: Tensor, w: Fidelity = 0.5) -> Tensor: ...
    def restore(self, faces: Pixels | Tensor, w: Fidelity = 0.5) -> Pixels | Tensor:
        """Restore a batch of aligned faces.

        Args:
            faces: (N, S, S, 3) uint8 RGB array, or (N, 3, S, S) float tensor RGB in [0, 1] on any device; S
                is :attr:`size`. Aligned to the FFHQ five-point template.
            w: Fidelity weight in [0, 1], one for all faces or one for each.

        Returns:
            The restored faces, like ``faces``: an array for an array, a float32 tensor on the same device for
            a tensor.

        Raises:
            UsageError: Wrong shape, type or range.
            DeviceError: The device is out of memory.
        """
        if isinstance(faces, Tensor):
            weights = _weights(faces.shape, (3, self.size, self.size), w)
            if not faces.is_floating_point():
                raise UsageError(f"a tensor of faces must be floating point in [0, 1], not {faces.dtype}")
            return self._restore(faces.float(), weights).to(faces.device)
        faces = _pixels(faces, "faces")
        weights = _weights(faces.shape, (self.size, self.size, 3), w)
        images = torch.from_numpy(faces.copy()).permute(0, 3, 1, 2).float().div(255)
        restored = self._restore(images, weights)
        return restored.mul(255).round().byte().permute(0, 2, 3, 1).cpu().numpy()

    def restore_frame(self, frame: Pixels, w: float = 0.5) -> Pixels:
        """Find the faces of one frame, restore them, and paste them back.

        Faces that are too small, too sharp already or turned too far aside are left as they are, as in a run
        with default options. Pixels outside faces do not change.

        Args:
            frame: (height, width, 3) uint8 RGB.
            w: Fidelity weight in [0, 1].

        Returns:
            A new frame of the same shape.

        Raises:
            UsageError: Wrong shape, type or range.
            DeviceError: The device is out of memory.
        """
        frame = _pixels(frame, "a frame")
        if frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
            raise UsageError(f"a frame must be (height, width, 3) uint8 RGB, not {frame.shape}")
        if np.ndim(w):
            raise UsageError(f"w of a frame must be one number, not {w}")
        weight = _weights((1,), (), w)
        picture = picture_of(frame)
        with self._running():
            faces = find_faces(picture, self._load_detector())
            restore_picture(picture, faces, self._models, _chooser(float(weight)), batch=_BATCH)
        green, blue, red = picture.image().planes
        return np.dstack((red, green, blue))

    def _load_detector(self) -> RetinaFaceDetector:
        if self._detector is None:
            self._detector = load_detector(resolve_detector("auto").name, self._setup.device, hints=True)
        return self._detector

    def _restore(self, faces: Tensor, w: Tensor) -> Tensor:
        if not len(faces):
            return faces.clone()
        with self._running():
            restored = self._models.restorer(faces, w)
        # Outside of inference mode: the caller may compute gradients with it, or change it in place.
        return restored.clone()

    @contextmanager
    def _running(self) -> Iterator[None]:
        device, precision = self._setup.device, self._setup.precision
        with translate_out_of_memory(device), float32_arithmetic(device, precision):
            yield


def _pixels(value: object, what: str) -> Pixels:
    """``value`` as an array of uint8. Raises UsageError for anything else."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8:
        kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise UsageError(f"{what} must be a uint8 array, not {kind}")
    return value


def _weights(shape: Sequence[int], wanted: Sequence[int], w: Fidelity) -> Tensor:
    """``w`` for each face, (N,) float32. Raises UsageError for a batch of another shape, or a bad w."""
    if len(shape) != len(wanted) + 1 or tuple(shape[1:]) != tuple(wanted):
        raise UsageError(f"faces must be (N, {', '.join(map(str, wanted))}), not {tuple(shape)}")
    try:
        weights = torch.as_tensor(w, dtype=torch.float32).cpu()
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"w must be a number between 0 and 1, or one for each face, not {w!r}") from None
    if weights.dim() and weights.shape != shape[:1]:
        raise UsageError(f"w must be one number, or one for each of {shape[0]} faces, not {len(weights)}")
    if not bool(((weights >= 0) & (weights <= 1)).all()):
        raise UsageError(f"w must be between 0 and 1, not {w}")
    return weights.expand(shape[0])


def _chooser(w: float) -> Chooser:
    """Decides which faces are restored, by the default options of a run."""
    default: dict[str, Any] = {option.name: option.default for option in fields(Options)}
    return Chooser(
        w=w,
        of_track={},
        limits=Limits(
            min_size=default["min_face"],
            max_sharpness=default["max_sharpness"],
            max_yaw=default["max_yaw"],
        ),
        strength=1.0,
    )
