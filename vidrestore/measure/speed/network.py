"""Speed of a network alone, and its share of the device's peak arithmetic throughput."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from ...restoration.codeformer import CodeFormer, CodeFormerConfig
from ...restoration.restorer import FaceRestorer
from ...runtime.device import DTYPES
from .baseline_network import to_baseline

#: Sides of the square matrices whose products measure the peak of a device; the fastest counts.
_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192), "mps": (2048, 4096)}


@dataclass(frozen=True)
class NetworkSpeed:
    """The speed of a network in one configuration."""

    model: str
    device: str
    precision: str
    batch: int
    w: float
    faces_per_second: float
    gflop: float  #: 10^9 operations per face in this package; a multiply-add counts as two
    published_gflop: float  #: 10^9 operations per face of the network as published
    peak_tflops: float  #: of matrix products in the same process, 10^12 operations per second

    @property
    def tflops(self) -> float:
        """The achieved throughput, in 10^12 operations per second."""
        return self.faces_per_second * self.gflop / 1e3

    @property
    def share(self) -> float:
        """The achieved throughput relative to the peak."""
        return self.tflops / self.peak_tflops


def fastest(work: Callable[[], object], device: torch.device, seconds: float, min_runs: int = 2) -> float:
    """Return the shortest time of ``work`` in seconds, over at least ``min_runs`` runs and ``seconds``.

    The first run does not count, because it allocates memory and may compile.
    """
    best = float("inf")
    _finish(work, device)
    began, runs = time.perf_counter(), 0
    while runs < min_runs or time.perf_counter() - began < seconds:
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
    """Return the throughput of square matrix products, in 10^12 operations per second: the upper limit for
    networks. Products of float32 are computed in float32, not TF32."""
    rates = []
    for side in _SIDES[device.type]:
        a, b = (torch.randn(side, side, device=device, dtype=DTYPES[precision]) for _ in range(2))
        rates.append(2 * side**3 / fastest(lambda a=a, b=b: a @ b, device, seconds, min_runs=3) / 1e12)
    return max(rates)


def count_gflop(config: CodeFormerConfig, w: float, *, published: bool = False) -> float:
    """Count the operations per face of convolutions and matrix products, in 10^9, with PyTorch's counter."""
    with torch.device("meta"):
        network = CodeFormer(config).eval()
        if published:
            to_baseline(network)
        counter = FlopCounterMode(display=False)
        with counter, torch.no_grad():
            network(torch.empty(1, 3, config.image_size, config.image_size), w)
    return counter.get_total_flops() / 1e9


def measure_network(
    restorer: FaceRestorer,
    config: CodeFormerConfig,
    *,
    device: torch.device,
    precision: str,
    batch: int,
    w: float,
    peak: float,
    seconds: float = 3.0,
) -> NetworkSpeed:
    """Measure ``restorer`` on batches of ``batch`` faces that are on the device already.

    Args:
        restorer: The restorer to measure.
        config: The sizes of its network.
        device: The device of the restorer.
        precision: The precision of the restorer, for the result.
        batch: Faces per batch.
        w: The fidelity weight of all faces.
        peak: The throughput of :func:`matmul_peak`, for the result.
        seconds: Measure for at least this long.
    """
    size = restorer.spec.input_size
    faces = torch.rand(batch, 3, size, size, generator=torch.manual_seed(0)).to(device)
    weights = torch.full((batch,), w)
    duration = fastest(lambda: restorer(faces, weights), device, seconds)
    return NetworkSpeed(
        model=restorer.spec.name,
        device=str(device),
        precision=precision,
        batch=batch,
        w=w,
        faces_per_second=batch / duration,
        gflop=count_gflop(config, w),
        published_gflop=count_gflop(config, w, published=True),
        peak_tflops=peak,
    )
