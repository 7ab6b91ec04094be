"""What a crop in R'G'B' from 0 to 1 cannot hold of its frame, so that it can be kept.

Cameras and film scans write samples below black and above white, and colours outside the range of R'G'B'; an
HDR picture has colours that SDR has not. Reading a crop clips them. A restored face replaces what was read;
what reading has lost is added to it again, and samples well outside the nominal range keep their value: the
network knows nothing about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .pixel_format import PixelFormat

if TYPE_CHECKING:
    from .colour import Colour

#: Steps of 8-bit samples beyond the nominal range from which on, and at which fully, a sample keeps its
#: value: noise and a codec's ringing go that far beyond black and white, and are to be restored.
_FREE, _FULL = 2.0, 6.0
#: The smallest loss that counts, in R'G'B' from 0 to 1: a tenth of a 10-bit step.
_NOTHING = 1e-4
#: Steps of 8-bit samples between black and white.
_STEPS = 219.0


@dataclass(frozen=True, slots=True)
class Headroom:
    """What a crop of a frame cannot hold."""

    lost: Tensor  #: (C, H, W) sample values: those of the frame's colour planes minus those of the crop
    kept: Tensor  #: (H, W) in [0, 1]: how far the frame's samples keep their value


def measure_headroom(signal: Tensor, rgb: Tensor, colour: Colour, fmt: PixelFormat) -> Headroom | None:
    """What ``rgb`` (3, H, W), in [0, 1], lacks of ``signal`` (3, H, W), the R'G'B' of the frame's samples, of
    which it was made; None if that is nothing."""
    on_cpu = rgb.device.type == "cpu"
    if on_cpu and not colour.transfer and _is_held(signal):
        return None
    lost = signal - colour.from_sdr(rgb)
    weights = torch.tensor((colour.kr, 1 - colour.kr - colour.kb, colour.kb), device=signal.device)
    half = (colour.transfer.white if colour.transfer else 1.0) / 2
    luma = torch.tensordot(weights, signal, 1)
    beyond = luma.sub_(half).abs_().sub_(half).mul_(_STEPS)
    if on_cpu and max(float(lost.abs().max()), float(beyond.max()) / _STEPS) < _NOTHING:
        return None
    samples = colour.rgb_to_samples(lost, fmt).sub_(colour.rgb_to_samples(lost.new_zeros(3, 1, 1), fmt))
    return Headroom(samples, beyond.sub_(_FREE).div_(_FULL - _FREE).clamp_(0, 1))


def _is_held(signal: Tensor) -> bool:
    """Whether R'G'B' from 0 to 1 holds an SDR ``signal``."""
    low, high = signal.aminmax()
    return float(low) > -_NOTHING and float(high) < 1 + _NOTHING
