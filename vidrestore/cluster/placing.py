"""How many workers a cluster has room for, and what of a machine each gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DeviceError

#: Share of a GPU that a worker gets, and the rest, in which faces are found.
WORKER_GPU, ANALYST_GPU = 0.8, 0.2


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine of the cluster has."""

    cores: int
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Placing:
    """Workers, all alike."""

    workers: int
    cores: int  #: of each
    on_gpus: bool  #: each has a GPU

    @property
    def needs(self) -> str:
        """What a machine must have free for a worker, in words."""
        cores = "1 free core" if self.cores == 1 else f"{self.cores} free cores"
        return f"a machine with {'a free GPU and ' if self.on_gpus else ''}{cores}"


def place(machines: Sequence[Machine], *, workers: int | None = None, gpus: bool = True) -> Placing:
    """How to use ``machines``: a worker for each GPU, or without any a worker for each machine; or so many
    ``workers``, which share the cores. ``gpus``: those may be used. Raises DeviceError if there is no room.

    >>> place([Machine(8), Machine(16)])
    Placing(workers=2, cores=8, on_gpus=False)
    >>> place([Machine(8), Machine(16)], workers=6)
    Placing(workers=6, cores=4, on_gpus=False)
    >>> place([Machine(32, 4), Machine(4)])
    Placing(workers=4, cores=8, on_gpus=True)
    """
    found = [machine for machine in machines if machine.cores]
    with_gpus = [machine for machine in found if machine.gpus] if gpus else []
    if with_gpus:
        most = sum(machine.gpus for machine in with_gpus)
        cores = max(1, min(machine.cores // machine.gpus for machine in with_gpus))
        return Placing(min(workers or most, most), cores, on_gpus=True)
    if not found:
        raise DeviceError("the cluster has no machine with a free core; add one to it")
    wanted = workers or len(found)
    cores = max(machine.cores for machine in found)
    while cores > 1 and sum(machine.cores // cores for machine in found) < wanted:
        cores -= 1
    room = sum(machine.cores // cores for machine in found)
    return Placing(min(wanted, room), cores, on_gpus=False)
