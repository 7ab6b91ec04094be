"""Stand-ins for networks that colour faces and fill holes, which answer without having learned anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.support import tiny
from vidrestore.restoration.restorer import FaceRestorer, Observation, RestorerSpec
from vidrestore.stages import models

#: The colour of skin: R, G and B less luma, of 1, at full brightness.
SKIN = torch.tensor([0.13, -0.025, -0.10])


class _Answers(FaceRestorer):
    """Answers each face by itself; remembers what it saw."""

    def __init__(self, size: int = 64) -> None:
        self.spec = RestorerSpec(
            name="oracle",
            input_size=size,
            precisions=("fp32",),
            licence="none",
            readable=(0.04, 0.1),
            has_codes=False,
        )
        self.seen: list[Tensor] = []
        self.weights: list[float] = []

    def observe(self, faces: Tensor) -> list[Observation]:
        self.seen += faces
        return [Observation.without_codes(face) for face in faces]

    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        self.weights += w.tolist()
        return torch.stack([self.answer(each.rest) for each in observations])

    def answer(self, face: Tensor) -> Tensor:
        """The result for one face (3, S, S)."""
        raise NotImplementedError


class Colourist(_Answers):
    """Gives faces the colour of skin, and other luma; each by ``noise`` another broad tint than the last."""

    def __init__(self, noise: float = 0.0) -> None:
        super().__init__()
        self._noise, self._generator = noise, torch.Generator().manual_seed(1)

    def answer(self, face: Tensor) -> Tensor:
        brightness = face.mean(0)
        tint = F.interpolate(
            self._noise * torch.randn((1, 3, 2, 2), generator=self._generator),
            face.shape[-2:],
            mode="bilinear",
        )[0]
        return (0.8 * brightness + 0.1 + SKIN[:, None, None] * brightness + tint - tint.mean(0)).clamp(0, 1)


class Filler(_Answers):
    """Fills what is white with one colour, each time by ``noise`` another, and inverts everything else."""

    def __init__(self, *, noise: float = 0.0, size: int = 64) -> None:
        super().__init__(size)
        self._colour = torch.tensor([0.6, 0.45, 0.35])[:, None, None]
        self._noise, self._generator = noise, torch.Generator().manual_seed(1)

    def answer(self, face: Tensor) -> Tensor:
        noise = self._noise * torch.randn((1, 8, 8), generator=self._generator)
        fill = self._colour + F.interpolate(noise[None], face.shape[-2:], mode="nearest")[0]
        return torch.where((face == 1).all(0), fill, 1 - face).clamp(0, 1)


def install(monkeypatch: pytest.MonkeyPatch, oracle: FaceRestorer, folder: Path) -> Path:
    """Let runs restore with ``oracle``, whatever weights they are given. Returns a file of weights."""
    monkeypatch.setattr(models, "load_restorer", lambda *_, **__: oracle)
    return tiny.save_weights(folder / "oracle.safetensors")
