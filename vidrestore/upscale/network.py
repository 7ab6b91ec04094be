"""A network that enlarges RGB pictures, piece by piece: tiles that join without seams."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from ..errors import WeightsError
from ..runtime.batching import BatchRunner, by_group, map_rows, run_batched
from ..weights.architecture import recognise

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

log = logging.getLogger(__name__)

#: Side in pixels of the part of a picture that a tile makes.
TILE = 256
#: Tiles begin at multiples of so many pixels.
_ALIGNED = 16
#: Tiles that go through a network at once on devices other than a CPU.
_BATCH = 4
#: Pixels beyond a tile up to which a network is given all that it looks at. Most look less far.
_FAR = 64
#: The largest change of the result, by what lies further away than a tile shows, for which a network needs
#: no wider tiles: a quarter of an 8-bit step. Wider than ``_WIDEST`` pixels beyond a tile none is.
_CHANGE, _WIDEST = 0.25 / 255, 160
#: What rounding changes, at most.
_ROUNDING = 2e-6
#: Height of the strip on which it is measured how far a network looks.
_STRIP = 48


class EnlargingNetwork:
    """A network that enlarges RGB pictures ``factor`` times, in float32.

    It is run on tiles, each with the pixels around it that matter, so that the result is that of a run on the
    whole picture, and memory does not grow with the picture. On a CPU each tile is run by itself.
    """

    def __init__(self, network: ImageModelDescriptor[Any]) -> None:
        """``network``, on the CPU, is changed in place for inference. How far it looks is measured here, so
        that it is the same on any device."""
        self.factor = network.scale
        self._network = network
        _settle(network.model.eval().requires_grad_(False))
        self._aligned = math.lcm(_ALIGNED, network.size_requirements.multiple_of)
        self._run = map_rows(self._step)
        #: Pixels around a tile that it is run with.
        self.overlap = self._looks_far()
        self.device = torch.device("cpu")
        self._batches: BatchRunner | None = None

    def to(self, device: torch.device) -> Self:
        """Move it to ``device``, and return it."""
        if device.type != "cpu":
            self._network.model.to(device)
            self._run, self._batches = run_batched(self._step), BatchRunner(_BATCH, device, noun="tile")
            self.device = device
        return self

    def rows(
        self, read: Callable[[int, int], Tensor], height: int, top: int, bottom: int, *, tile: int = TILE
    ) -> Tensor:
        """Rows of an enlarged picture.

        Args:
            read: Returns the rows of the picture from one to before another: (3, rows, W) float32 RGB in
                [0, 1].
            height: Rows of the picture.
            top: The first row that is enlarged.
            bottom: The row after the last one.
            tile: Width of what a tile makes; no result depends on it.

        Returns:
            (3, (bottom - top) factor, W factor) float32 in [0, 1], on the network's device.
        """
        above, below = self._around(top, bottom, height)
        strip = read(above, below).to(self.device)
        width, factor = strip.shape[-1], self.factor
        places = [(left, min(left + tile, width)) for left in range(0, width, tile)]
        spans = [self._around(left, right, width) for left, right in places]
        results = self._enlarged([strip[None, :, :, left:right] for left, right in spans])
        kept = slice((top - above) * factor, (bottom - above) * factor)
        parts = [
            result[0, :, kept, (left - start) * factor : (right - start) * factor]
            for result, (left, right), (start, _) in zip(results, places, spans, strict=True)
        ]
        return torch.cat(parts, dim=-1)

    def whole(self, picture: Tensor) -> Tensor:
        """``picture`` (3, H, W) float32 RGB in [0, 1], enlarged, ``TILE`` rows at a time."""
        height = picture.shape[1]
        bands = [(top, min(top + TILE, height)) for top in range(0, height, TILE)]
        return torch.cat([self.rows(lambda a, b: picture[:, a:b], height, *band) for band in bands], dim=1)

    def _around(self, first: int, end: int, size: int) -> tuple[int, int]:
        """What a tile from ``first`` to ``end`` is run on, of ``size`` pixels. The network sees the edges of
        the picture, and no other, as edges."""
        aligned = self._aligned
        start = max(0, (first - self.overlap) // aligned * aligned)
        return start, min(size, -(-(end + self.overlap) // aligned) * aligned)

    def _enlarged(self, tiles: Sequence[Tensor]) -> list[Tensor]:
        """``tiles`` (1, 3, h, w), those of one size together."""

        def run(same: list[Tensor]) -> list[Tensor]:
            return [result for (result,) in self._run([(x,) for x in same])]

        def of_one_size(size: torch.Size, same: list[Tensor]) -> list[Tensor]:
            return self._batches.run(same, run) if self._batches else run(same)

        return by_group(tiles, lambda x: x.shape, of_one_size)

    def _step(self, tiles: Tensor) -> list[Tensor]:
        return [self._network(tiles)]

    @torch.inference_mode()
    def _looks_far(self) -> int:
        """How many pixels beyond a tile something may be that changes it. If that is very far, as in networks
        of hundreds of layers: beyond which nothing changes it visibly.

        A strip is enlarged whole and from a column on, as a tile is, and the two are compared.
        """
        generator = torch.Generator().manual_seed(0)
        width, height = (-(-least // self._aligned) * self._aligned for least in (_WIDEST, _STRIP))
        strip = torch.rand(2, 3, height, 2 * width, generator=generator)
        strip[1] = 0.4 + 0.2 * strip[1]  # where results are not clipped
        whole = self._network(strip)[..., width * self.factor :]
        change = (whole - self._network(strip[..., width:].contiguous())).abs()
        change = change.amax(dim=(0, 1, 2)).view(-1, self.factor).amax(dim=1)
        anything = _last(change > _ROUNDING)
        if anything <= _FAR:
            return anything
        visible = max(_FAR, _last(change > _CHANGE))
        if visible > _WIDEST - self._aligned:
            log.warning("the network looks further than its tiles show: seams may be seen between them")
        return min(visible, _WIDEST)


def build_enlarger(states: Sequence[Mapping[str, Tensor]], share: float, source: str) -> ImageModelDescriptor:
    """The network that enlarges pictures whose weights are the first of ``states``; with a second one, which
    has the same tensors, ``share`` of the first and the rest of the second.

    Raises WeightsError, naming ``source``, for weights of another network.
    """
    state = dict(states[0])
    if len(states) > 1:
        partner = states[1]
        if {key: x.shape for key, x in partner.items()} != {key: x.shape for key, x in state.items()}:
            raise WeightsError(f"{source} and its partner have other tensors, and cannot be blended")
        state = {key: partner[key].float().lerp(x.float(), share) for key, x in state.items()}
    network = recognise(
        state, source, wanted="those of a network that enlarges pictures, such as Real-ESRGAN or SPAN"
    )
    kind = network.architecture.name
    if network.purpose != "SR" or network.scale < 2:
        other = "; a face restorer is given by --weights" if network.purpose == "FaceSR" else ""
        raise WeightsError(f"{source} is {kind}, which does not enlarge pictures{other}")
    if (network.input_channels, network.output_channels) != (3, 3):
        raise WeightsError(f"{source} is a {kind} that does not take and give RGB pictures")
    requirements = network.size_requirements
    if network.tiling.name == "INTERNAL" or requirements.square or requirements.minimum > TILE:
        raise WeightsError(f"{source} is a {kind} that cannot enlarge a picture piece by piece")
    return network


def _settle(model: torch.nn.Module) -> None:
    """Let layers that are trained as several convolutions become one now. They would do so anew at each call,
    in each thread."""
    for layer in model.modules():
        if callable(update := getattr(layer, "update_params", None)):
            update()
            vars(layer)["update_params"] = lambda: None


def _last(found: Tensor) -> int:
    """One more than the index of the last true element of ``found`` (N,); 0: there is none."""
    places = found.nonzero()
    return int(places[-1]) + 1 if len(places) else 0
