"""Faces per second of a network alone, and what share of the device's arithmetic that is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ...restore.codeformer import CodeFormer, CodeFormerConfig
from ...restore.restorer import Restorer
from ...runtime.device import DTYPES
from .baseline_network import plain

#: Sides of the square matrices whose product is the measure of a device; the best of them counts.
_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192), "mps": (2048, 4096)}


@dataclass(frozen=True)
class NetworkSpeed:
    """One way to run a network, measured."""

    model: str
    device: str
    precision: str
    batch: int
    w: float
    faces_per_second: float
    gflop: float  #: for each face, a multiplication and an addition being two, as this package does it
    published_gflop: float  #: the same, as the network was published
    peak_tflops: float  #: of matrix products, in the same process

    @property
    def tflops(self) -> float:
        """What was done of what is needed, in 10^12 a second."""
        return self.faces_per_second * self.gflop / 1e3

    @property
    def share(self) -> float:
        """Of the peak."""
        return self.tflops / self.peak_tflops


def fastest(work: Callable[[], object], device: torch.device, seconds: float, least: int = 2) -> float:
    """Seconds that ``work`` takes at its fastest, over at least so many runs and ``seconds``.

    The first run is not counted: it allocates, and may compile.
    """
    best = float("inf")
    _finish(work, device)
    began, runs = time.perf_counter(), 0
    while runs < least or time.perf_counter() - began < seconds:
        best = min(best, _finish(work, device))
        runs += 1
    return best


def _finish(work: Callable[[], object], device: torch.device) -> float:
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - began


def matmul_peak(device: torch.device, precision: str, seconds: float = 1.0) -> float:
    """10^12 operations a second of square matrix products: what a network could reach at best.

    float32 products are true to float32: no TF32.
    """
    rates = []
    for side in _SIDES[device.type]:
        a, b = (torch.randn(side, side, device=device, dtype=DTYPES[precision]) for _ in range(2))
        rates.append(2 * side**3 / fastest(lambda a=a, b=b: a @ b, device, seconds, least=3) / 1e12)
    return max(rates)


def count_gflop(config: CodeFormerConfig, w: float, *, published: bool = False) -> float:
    """10^9 operations for a face: those of convolutions and matrix products, counted by PyTorch."""
    with torch.device("meta"):
        network = CodeFormer(config).eval()
        if published:
            plain(network)
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            network(torch.empty(1, 3, config.image_size, config.image_size), w)
    return counter.get_total_flops() / 1e9


def measure_network(
    restorer: Restorer,
    config: CodeFormerConfig,
    *,
    device: torch.device,
    precision: str,
    batch: int,
    w: float,
    peak: float,
    seconds: float = 3.0,
) -> NetworkSpeed:
    """``restorer`` over batches of ``batch`` faces that lie on the device already."""
    size = restorer.spec.input_size
    faces = torch.rand(batch, 3, size, size, generator=torch.manual_seed(0)).to(device)
    weights = torch.full((batch,), w)
    took = fastest(lambda: restorer(faces, weights), device, seconds)
    return NetworkSpeed(
        *(restorer.spec.name, str(device), precision, batch, w),
        faces_per_second=batch / took,
        gflop=count_gflop(config, w),
        published_gflop=count_gflop(config, w, published=True),
        peak_tflops=peak,
    )
