"""How many of a face's codes change from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..restoration.restorer import FaceRestorer, Observation


class CodeWatch(FaceRestorer):
    """A restorer that notes the codes of the faces that another one renders, in their order.

    A face that is rendered again, with another ``w``, has the same codes and is noted once.
    """

    def __init__(self, restorer: FaceRestorer) -> None:
        self.spec = restorer.spec
        self._restorer = restorer
        # Their probabilities are kept too, since another tensor could take the place of one that is freed.
        self._seen: dict[int, tuple[Tensor, Tensor]] = {}

    def observe(self, faces: Tensor) -> list[Observation]:
        return self._restorer.observe(faces)

    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        for observation in observations:
            log_probs = observation.log_probs
            if observation.has_codes and id(log_probs) not in self._seen:
                self._seen[id(log_probs)] = (log_probs, log_probs.argmax(dim=-1).cpu())
        return self._restorer.render(observations, w)

    def figures(self, frames: int) -> dict[str, float]:
        """Return ``codes``, the percentage of the codes that differ from those of the frame before, of a clip
        of ``frames`` frames. It is omitted if faces have no codes, or there is not one face in each frame."""
        codes = [codes for _, codes in self._seen.values()]
        if len(codes) != frames or frames < 2:
            return {}
        return {"codes": 100 * float((torch.stack(codes[1:]) != torch.stack(codes[:-1])).float().mean())}
