"""What restorers without codes have in common: the network makes a whole face at once."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ...runtime.batching import Row, Step, map_rows, run_batched
from ..planes import enlarge, shrink
from ..restorer import FaceRestorer, Observation, RestorerSpec

log = logging.getLogger(__name__)

#: Side in cells at which the broad shapes of a face are blended towards its input: finer than eyes and mouth,
#: coarser than the detail that a network draws in them.
_CELLS = 64


class WholeFaceRestorer(FaceRestorer):
    """A restorer over a network that takes a face and, if it has one, a fidelity weight.

    A network without a fidelity weight runs once for each face, when it is observed; its ``w`` brings the
    broad shapes of the face towards the input, see :func:`towards_input`. A face is the same in any batch: on
    a CPU each is run by itself, in several threads.
    """

    def __init__(self, spec: RestorerSpec, device: torch.device, *, batched: bool) -> None:
        """``batched``: the network takes several faces at once, as is faster on devices other than a CPU."""
        self.spec = spec
        self._device = device
        self._run_rows = _row_runner(self._step, batched=batched and device.type != "cpu")
        if not spec.has_weight:
            log.info(
                "%s has no fidelity weight: w blends the broad shapes of its faces towards the input",
                spec.name,
            )

    @abstractmethod
    def _step(self, images: Tensor, w: Tensor) -> list[Tensor]:
        """Restore ``images`` (N, 3, S, S) float32 RGB in [0, 1], on the restorer's device, with fidelity
        weights ``w`` (N,), which a network without one ignores. Returns one tensor like ``images``."""

    @torch.inference_mode()
    def observe(self, faces: Tensor) -> list[Observation]:
        images = faces.to(self._device, torch.float32, copy=True).split(1)
        if self.spec.has_weight:
            return [Observation.without_codes((image,)) for image in images]
        unweighted = torch.zeros(1)
        restored = self._run_rows([(image, unweighted) for image in images])
        return [
            Observation.without_codes((image, result))
            for image, (result,) in zip(images, restored, strict=True)
        ]

    @torch.inference_mode()
    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        if self.spec.has_weight:
            rows = [(observed.rest[0], own) for observed, own in zip(observations, w.split(1), strict=True)]
            return torch.cat([result for (result,) in self._run_rows(rows)])
        images, restored = (torch.cat(parts) for parts in zip(*(o.rest for o in observations), strict=True))
        return towards_input(restored, images, w.to(self._device))


def towards_input(restored: Tensor, images: Tensor, w: Tensor) -> Tensor:
    """``restored`` (N, 3, S, S) with a share ``w`` (N,) in [0, 1] of its broad shapes replaced by those of
    ``images``, all RGB in [0, 1]. What is finer stays as the network drew it."""
    change = shrink(images - restored, _CELLS)
    change = enlarge(change * w[:, None, None, None], restored.shape[-2:])
    return change.add_(restored).clamp_(0, 1)


def _row_runner(step: Step, *, batched: bool) -> Callable[[Sequence[Row]], list[Row]]:
    return run_batched(step) if batched else map_rows(step)
