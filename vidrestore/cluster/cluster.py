"""A cluster that restores films: connected once, used for one file after another or for several at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from ..errors import DeviceError, UsageError
from ..media.source_video import SourceVideo
from ..options import Options
from ..stages.setup import Setup
from .connect import connected, load_ray, machines
from .crew import Crew
from .engine import Engine
from .film import worker_key
from .placing import Placing, place

log = logging.getLogger(__name__)


class Cluster:
    """Workers that are ready for films."""

    def __init__(self, ray: Any, placing: Placing) -> None:
        self.engine = Engine(ray, placing)
        self.crew = Crew(self.engine.hire, placing.workers, needs=placing.needs)
        self._on_gpus = placing.on_gpus

    def decide(self, options: Options, source: SourceVideo) -> tuple[Options, Setup, dict[str, str]]:
        """The options of a film on the devices of this cluster, what they mean there, and what its frames
        depend on. Raises VidrestoreError."""
        options = replace(options, device="cuda" if self._on_gpus else "cpu")
        if not self._on_gpus or torch.cuda.is_available():
            return options, *_decide(options, source)
        return options, *self.engine.ask(options.input.name, "decisions", _decide, options, source)


def _decide(options: Options, source: SourceVideo) -> tuple[Setup, dict[str, str]]:
    setup = Setup.resolve(options, source)
    return setup, worker_key(options, setup)


@contextmanager
def opened(options: Options) -> Iterator[Cluster | None]:
    """The cluster that ``options`` ask for; None, which is said, if a run by itself is as fast. Raises
    UsageError or DeviceError."""
    if options.device == "mps":
        raise UsageError("--ray is for CUDA devices and CPUs; leave it out with --device mps")
    if options.device.startswith("cuda:"):
        raise UsageError(
            f"--ray chooses the devices of workers itself; give --device cuda, or leave --ray out to use "
            f"{options.device}"
        )
    where, usable = options.ray or "auto", options.device != "cpu"
    here = torch.cuda.device_count() if usable else 0
    if where == "local" and here < 2 and options.workers is None:
        load_ray()
        _say_that_it_gains_nothing(here)
        yield None
        return
    with connected(where, cores=options.workers if where == "local" else None) as ray:
        found = machines(ray)
        placing = place(found, workers=options.workers, gpus=usable)
        if options.device == "cuda" and not placing.on_gpus:
            raise DeviceError("no machine of the cluster has a CUDA device; leave out --device cuda")
        if len(found) == 1 and (placing.workers == 1 or not placing.on_gpus):
            _say_that_it_gains_nothing(found[0].gpus)
            # Others may still join a cluster that was asked for by its address.
            if options.workers is None and where in ("auto", "local"):
                yield None
                return
        cluster = Cluster(ray, placing)
        devices = "on a GPU each" if placing.on_gpus else f"with {placing.cores} cores each"
        log.info("%d workers %s, on %d machines", placing.workers, devices, len(found))
        try:
            yield cluster
        finally:
            cluster.crew.close()


def _say_that_it_gains_nothing(gpus: int) -> None:
    what = "GPU" if gpus == 1 else "machine without GPUs"
    log.warning("--ray gains nothing on one %s: a run by itself uses all of it", what)
