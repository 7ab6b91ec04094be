"""How many workers a cluster has room for."""

from __future__ import annotations

import pytest

from vidrestore.cluster.placing import ANALYST_GPU, WORKER_GPU, Machine, Placing, place
from vidrestore.errors import DeviceError

LAPTOP, WORKSTATION, HEAD = Machine(8), Machine(32, 4), Machine(4)


@pytest.mark.parametrize(
    ("machines", "given", "expected"),
    [
        ([LAPTOP], {}, Placing(1, 8, on_gpus=False)),
        ([LAPTOP], {"workers": 3}, Placing(3, 2, on_gpus=False)),
        ([LAPTOP], {"workers": 100}, Placing(8, 1, on_gpus=False)),
        ([Machine(1)] * 3, {}, Placing(3, 1, on_gpus=False)),
        ([Machine(1)] * 3, {"workers": 2}, Placing(2, 1, on_gpus=False)),
        ([WORKSTATION], {}, Placing(4, 8, on_gpus=True)),
        ([WORKSTATION, HEAD], {}, Placing(4, 8, on_gpus=True)),
        ([WORKSTATION, Machine(8, 8)], {}, Placing(12, 1, on_gpus=True)),
        ([WORKSTATION], {"workers": 2}, Placing(2, 8, on_gpus=True)),
        ([WORKSTATION], {"workers": 9}, Placing(4, 8, on_gpus=True)),
        ([WORKSTATION], {"gpus": False}, Placing(1, 32, on_gpus=False)),
        ([Machine(0), LAPTOP], {}, Placing(1, 8, on_gpus=False)),
    ],
    ids=str,
)
def test_each_gpu_or_machine_has_a_worker(machines, given, expected):
    assert place(machines, **given) == expected


@pytest.mark.parametrize(
    ("placing", "expected"),
    [
        (Placing(4, 8, on_gpus=True), "a machine with a free GPU and 8 free cores"),
        (Placing(4, 1, on_gpus=False), "a machine with 1 free core"),
    ],
    ids=str,
)
def test_what_a_worker_needs_is_said(placing, expected):
    assert placing.needs == expected


def test_a_cluster_without_cores_is_refused():
    with pytest.raises(DeviceError, match="no machine with a free core"):
        place([Machine(0)])


def test_faces_are_found_beside_a_worker():
    assert WORKER_GPU + ANALYST_GPU == 1
