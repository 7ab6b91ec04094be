"""Tone mapping of HDR to SDR, for networks trained on SDR photographs, and back.

A PQ or HLG signal is decoded to light, converted to BT.709 primaries and coded with the SDR gamma, relative
to HDR reference white (203 cd/m2, ITU-R BT.2408). A shoulder compresses what is brighter than half of that,
up to the signal's peak, into the range below SDR white; reference white becomes 0.85 of PQ and 0.87 of HLG.
Every step has an inverse, so that pixels which a network leaves alone return unchanged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

_WHITE = 203.0  #: HDR reference white, cd/m2
_GAMMA = 2.4  #: gamma of an SDR display (ITU-R BT.1886)
_KNEE = 0.75  #: the SDR value at which the shoulder begins: 102 cd/m2

#: SMPTE ST 2084, equations 4.1 to 4.3.
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32

#: ITU-R BT.2100, table 5: the OETF of HLG, and the system gamma of a display with a peak of 1000 cd/m2.
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_LUMA_2020 = (0.2627, 0.6780, 0.0593)

#: Linear light from BT.2020 to BT.709 primaries (ITU-R BT.2407, clause 2).
_TO_709 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))

_TRC_PQ, _TRC_HLG = 16, 18
_PRIMARIES_2020 = 9


@dataclass(frozen=True)
class Transfer:
    """An HDR transfer function and the primaries that it comes with."""

    name: str  #: ``PQ`` or ``HLG``
    wide_gamut: bool = True  #: the primaries are those of BT.2020; any others are treated as BT.709

    @classmethod
    def from_tags(cls, transfer: int, primaries: int) -> Transfer | None:
        """From FFmpeg's numbers (H.273, tables 2 and 3); None if the signal is not HDR."""
        name = {_TRC_PQ: "PQ", _TRC_HLG: "HLG"}.get(transfer)
        return cls(name, primaries == _PRIMARIES_2020) if name else None

    def to_sdr(self, signal: Tensor) -> Tensor:
        """Convert R'G'B' (..., 3, H, W) in [0, 1] to SDR R'G'B', in [0, 1] except for colours outside
        BT.709."""
        light = self._to_light(signal.clamp(0, 1)) / _WHITE
        if self.wide_gamut:
            light = _mix(light, torch.tensor(_TO_709))
        return self._shoulder(light.clamp(min=0) ** (1 / _GAMMA))

    def from_sdr(self, rgb: Tensor) -> Tensor:
        """Inverse of :meth:`to_sdr`."""
        light = self._inverse_shoulder(rgb) ** _GAMMA
        if self.wide_gamut:
            light = _mix(light, torch.linalg.inv(torch.tensor(_TO_709)))
        return self._from_light(light.clamp(min=0) * _WHITE)

    @cached_property
    def white(self) -> float:
        """The signal of HDR reference white, in [0, 1]: what is brighter lies above SDR's white."""
        return float(self._from_light(torch.full((3, 1, 1), _WHITE))[0])

    @cached_property
    def lookup_table(self) -> np.ndarray:
        """(256,) uint8: maps each 8-bit grey to SDR. Applied to each channel, it is exact for greys only."""
        grey = torch.arange(256).expand(3, 1, -1) / 255
        return (self.to_sdr(grey)[0, 0] * 255).round().clamp(0, 255).numpy().astype(np.uint8)

    @property
    def _peak(self) -> float:
        """The brightest light that the signal can code, cd/m2."""
        return 10000.0 if self.name == "PQ" else _HLG_PEAK

    @cached_property
    def _curvature(self) -> float:
        """``c`` of the shoulder ``k + c ln(1 + (x - k) / c)``, which has slope 1 at the knee ``k``, chosen by
        bisection so that the peak is mapped to 1."""
        top = (self._peak / _WHITE) ** (1 / _GAMMA) - _KNEE
        low, high = 1e-6, 1.0
        c = high
        for _ in range(60):
            c = (low + high) / 2
            low, high = (c, high) if c * math.log1p(top / c) < 1 - _KNEE else (low, c)
        return c

    def _shoulder(self, x: Tensor) -> Tensor:
        above = (x - _KNEE).clamp(min=0)
        return x.clamp(max=_KNEE) + self._curvature * torch.log1p(above / self._curvature)

    def _inverse_shoulder(self, y: Tensor) -> Tensor:
        above = (y - _KNEE).clamp(min=0)
        return y.clamp(0, _KNEE) + self._curvature * torch.expm1(above / self._curvature)

    def _to_light(self, signal: Tensor) -> Tensor:
        if self.name == "PQ":
            power = signal ** (1 / _M2)
            return self._peak * ((power - _C1).clamp(min=0) / (_C2 - _C3 * power)) ** (1 / _M1)
        scene = torch.where(signal <= 0.5, signal**2 / 3, (torch.exp((signal - _C) / _A) + _B) / 12)
        return self._peak * scene * _luminance(scene) ** (_HLG_GAMMA - 1)

    def _from_light(self, light: Tensor) -> Tensor:
        light = light / self._peak
        if self.name == "PQ":
            power = light**_M1
            return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
        scene = light * _luminance(light) ** (1 / _HLG_GAMMA - 1)
        upper = _A * torch.log((12 * scene - _B).clamp(min=1e-6)) + _C
        return torch.where(scene <= 1 / 12, (3 * scene) ** 0.5, upper)


def _luminance(light: Tensor) -> Tensor:
    """(..., 1, H, W), at least 1e-6, so that negative powers of it stay finite."""
    return _mix(light, torch.tensor([_LUMA_2020])).clamp(min=1e-6)


def _mix(rgb: Tensor, weights: Tensor) -> Tensor:
    return torch.einsum("oc,...chw->...ohw", weights.to(rgb), rgb)
