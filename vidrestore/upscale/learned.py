"""Enlarging frames with a network: what it adds to the resampled frame, written plane by plane.

A network takes RGB from black to white with 8 bits in mind. A frame may have more: samples beyond black and
white, HDR, subsampled chroma, deeper samples. So each plane is resampled as it is, and what the network makes
of the picture beyond resampling the same RGB is added to it. Where RGB holds all of a frame, the sum is the
network's picture; what RGB cannot hold is resampled, and nothing is added well beyond black and white.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..media.frames.crop import PlanarImage
from ..media.frames.dither import round_samples
from ..media.frames.frame import Frame
from ..media.frames.pixel_format import plane_views
from ..runtime.cuda_streams import upload
from .lanczos import enlarge_plane, enlarged_canvas
from .network import TILE, EnlargingNetwork
from .resample import reach, resample, thin

#: Rows beyond those that are written, for the steps after the network. A multiple of all chroma subsampling.
_MARGIN = 4


@dataclass(frozen=True)
class Learned:
    """Enlarges frames with a network."""

    factor: int  #: 2, 3 or 4
    name: str
    network: EnlargingNetwork
    share: float = 1.0  #: of the network's detail that is shown, in [0, 1]
    faces: bool = False  #: whether faces that are larger than a restorer's are enlarged by it, too
    band: int = TILE  #: rows of a frame that are worked on at a time

    def __call__(self, frame: Frame) -> Frame:
        """See ``Upscaler.__call__``."""
        image = frame.image()
        enlarged = enlarged_canvas(frame, self.factor)
        targets = plane_views(enlarged)
        height = frame.video.height
        with torch.inference_mode():
            for top in range(0, height, self.band):
                self._fill(image, targets, top, min(top + self.band, height), height)
        if image.format.has_alpha:
            enlarge_plane(image.planes[-1], targets[-1], self.factor, bits=image.format.bits)
        return frame.like(enlarged)

    def enlarge_face(self, face: Tensor) -> Tensor | None:
        """A restored ``face`` (3, S, S) RGB in [0, 1] enlarged as many times as the network enlarges; None if
        faces are pasted as the restorer made them."""
        if not self.faces:
            return None
        face = face.float()
        with torch.inference_mode():
            learned, base = self.network.whole(face), resample(face, self.network.factor)
            return base.lerp(learned, self.share).clamp_(0, 1)

    def _fill(
        self,
        image: PlanarImage,
        targets: list[np.ndarray],
        first: int,
        end: int,
        height: int,
    ) -> None:
        """Write the rows of the enlarged planes that show the rows of ``image``, which has ``height``, from
        ``first`` to before ``end``."""
        factor, bits = self.factor, image.format.bits
        top, bottom = max(0, first - _MARGIN), min(height, end + _MARGIN)
        detail = self._detail(image, top, bottom, height)
        shadows, done = image.colour.shadows(bits), 0
        for planes, to_plane in image.plane_groups():
            own = detail[done : done + len(planes)]
            across, down = (round(1 / to_plane[axis, axis]) for axis in (0, 1))
            if done:
                own = thin(own, (across, down), image.colour.chroma_offset)
            begin, stop = top // down, -(-bottom // down)
            base = self._resampled(planes, begin, stop, to_plane, detail.device)
            # The samples of an odd row or column of chroma reach beyond the picture.
            rows, columns = min(base.shape[1], own.shape[1]), min(base.shape[2], own.shape[2])
            values = base[:, :rows, :columns] + self.share * own[:, :rows, :columns]
            dithered = shadows if bits == 8 and not done else None
            whole = round_samples(values, (0, begin * factor), dithered).clamp_(0, (1 << bits) - 1).cpu()
            offset = begin * factor
            written = slice(first // down * factor, min(-(-end // down) * factor, targets[done].shape[0]))
            for target, plane in zip(targets[done : done + len(planes)], whole.numpy(), strict=True):
                target[written] = plane[written.start - offset : written.stop - offset, : target.shape[1]]
            done += len(planes)

    def _detail(self, image: PlanarImage, top: int, bottom: int, height: int) -> Tensor:
        """What the network adds to the rows from ``top`` to before ``bottom``, as sample values:
        (C, (bottom - top) factor, W factor)."""
        scale, factor, device = self.network.factor, self.factor, self.network.device

        def read(above: int, below: int) -> Tensor:
            return image.read_rows(above, below, device)

        taps = -(-reach(factor, scale) // scale)
        above, below = max(0, top - taps), min(height, bottom + taps)
        learned = resample(self.network.rows(read, height, above, below), factor, scale)
        base = resample(read(max(0, top - reach(factor)), min(height, bottom + reach(factor))), factor)
        learned = _rows(learned, above, top, bottom, factor)
        base = _rows(base, max(0, top - reach(factor)), top, bottom, factor)
        colour = image.colour
        if colour.transfer:
            learned, base = colour.from_sdr(learned.clamp(0, 1)), colour.from_sdr(base.clamp(0, 1))
        learned, base = (colour.rgb_to_samples(rgb, image.format) for rgb in (learned, base))
        detail = learned - base
        first = max(0, top - reach(factor))
        kept = image.kept_rows(first, min(height, bottom + reach(factor)), device)
        if kept is not None:
            detail *= 1 - _rows(resample(kept[None], factor), first, top, bottom, factor).clamp(0, 1)
        return detail

    def _resampled(
        self, planes: list[np.ndarray], begin: int, stop: int, to_plane: np.ndarray, device: torch.device
    ) -> Tensor:
        """The rows of ``planes`` from ``begin`` to before ``stop``, resampled: (C, ...) sample values."""
        factor, taps = self.factor, reach(self.factor)
        above = max(0, begin - taps)
        samples = np.stack([plane[above : stop + taps] for plane in planes]).astype(np.float32)
        # A sample of chroma may lie beside the centre of the pixels that it belongs to, by so much of its own
        # width; in the enlarged plane it lies so much beside the centre of others.
        x, y = to_plane[:2, 2] * (1 - 1 / factor)
        resampled = resample(upload(samples, device), factor, shift=(float(x), float(y)))
        return _rows(resampled, above, begin, stop, factor)


def _rows(enlarged: Tensor, above: int, top: int, bottom: int, factor: int) -> Tensor:
    """The rows of what was ``enlarged`` from row ``above`` on that show those from ``top`` to before
    ``bottom``."""
    return enlarged[:, (top - above) * factor : (bottom - above) * factor]
