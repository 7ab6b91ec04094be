"""Contact sheets of a stage: the same few validation faces every time, to check progress by eye."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..degradation.degrade import LEVELS
from ..measure.face_set import FaceSet
from ..measure.sheet import contact_sheet, save_sheet
from ..restoration.codeformer import CodeFormer, CodeFormerConfig
from ..runtime.uninitialised import Uninitialised
from .data import degraded_face, to_network
from .stage import Stage

#: Number of faces, and the level of their degradation.
_FACES, _LEVEL = 4, "medium"
_LIMIT = 4_000_000  #: bytes


class Sheets:
    """Draws ``<run>/sheets/<stage>-<step>.png``.

    The faces are the first validation faces, or the first training faces if there are none.
    """

    def __init__(self, faces: FaceSet, stage: Stage, run: Path, *, form: str = "video") -> None:
        """``form`` is that of :class:`.data.Pairs`."""
        self.stage = stage
        self.folder = run / "sheets"
        chosen = faces.validation if len(faces.validation) else faces.training
        self.names = [faces.names[i] for i in chosen[:_FACES]]
        self.clean = torch.stack([faces.face(i) for i in chosen[:_FACES]])
        self.degraded = torch.stack(
            [degraded_face(f, LEVELS[_LEVEL], i, form=form) for i, f in enumerate(self.clean)]
        )

    @torch.no_grad()
    def draw(self, config: CodeFormerConfig, state: Mapping[str, Tensor], step: int) -> Path:
        """Draw what a network with the weights ``state`` makes of the faces; return the sheet's path.

        The weights, the trained network and the random state of training do not change.
        """
        with torch.device("meta"), Uninitialised():
            model = CodeFormer(config)
        model.load_state_dict(state, assign=True)
        device = next(iter(state.values())).device
        views: dict[str, list[np.ndarray]] = {}
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            for clean, degraded in zip(self.clean.split(1), self.degraded.split(1), strict=True):
                pair = (to_network(x.to(device)) for x in (clean, degraded))
                for name, image in self.stage.views(model.eval(), *pair).items():
                    views.setdefault(name, []).append(_to_pixels(image[0]))
        rows = list(zip(self.names, zip(*views.values(), strict=True), strict=True))
        path = self.folder / f"{self.stage.name}-{step:07}.png"
        self.folder.mkdir(exist_ok=True)
        save_sheet(path, contact_sheet(list(views), rows), limit=_LIMIT)
        return path


def _to_pixels(x: Tensor) -> np.ndarray:
    """Convert an image (3, S, S) in [-1, 1] to (S, S, 3) uint8."""
    return ((x.float() + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).cpu().numpy()
