"""Streams per stage, ordered by events, on a simulated device or a real one."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.simulated_cuda import DEVICES, SimulatedError, simulated_cuda
from vidrestore.runtime.batching import map_rows
from vidrestore.runtime.cuda_streams import on_current_stream, own_stream, record_event, upload, wait_event

CPU = torch.device("cpu")


@dataclass
class Item:
    tensors: list[Tensor]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("nest", [lambda x: x, lambda x: {"a": (1, [x])}, lambda x: Item([x])])
def test_another_stream_waits_for_what_it_is_given(device, nest):
    with device():
        cuda = torch.device("cuda")
        with own_stream(cuda, urgent=False):
            made = torch.ones(1000, device=cuda) * 2
            item, event = nest(made), record_event(cuda)
        with own_stream(cuda, urgent=True):
            wait_event(item, event, cuda)
            doubled = made * 2
            assert doubled.cpu().sum() == 4000


def test_without_waiting_it_is_a_race():
    with simulated_cuda():
        cuda = torch.device("cuda")
        with own_stream(cuda, urgent=False):
            made = torch.ones(10, device=cuda) * 2
        with own_stream(cuda, urgent=True), pytest.raises(SimulatedError, match="another stream"):
            made * 2
        torch.cuda.synchronize()


@pytest.mark.parametrize("device", DEVICES)
def test_uploads_do_not_wait(device):
    with device():
        array = np.arange(6, dtype=np.uint8).reshape(2, 3)
        sent = upload(array, "cuda")
        assert sent.device.type == "cuda"
        np.testing.assert_array_equal(sent.cpu(), array)


@pytest.mark.parametrize("device", DEVICES)
def test_work_in_another_thread_uses_the_stream_of_this_one(device):
    with device():
        cuda, used = torch.device("cuda"), []
        torch.zeros(1, device=cuda)
        with own_stream(cuda, urgent=False):
            here = torch.cuda.current_stream(cuda)
            work = on_current_stream(lambda: used.append(torch.cuda.current_stream(cuda)))
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        assert used == [here]


@pytest.mark.parametrize("device", DEVICES)
def test_rows_that_run_in_threads_use_the_stream_of_their_caller(device):
    with device():
        cuda, used = torch.device("cuda"), []

        def step(x):
            used.append(torch.cuda.current_stream(cuda))
            return [x]

        torch.zeros(1, device=cuda)
        with own_stream(cuda, urgent=False):
            here = torch.cuda.current_stream(cuda)
            map_rows(step)([(torch.zeros(1),), (torch.ones(1),)])
        assert used == [here, here]


def test_nothing_of_this_happens_on_a_cpu():
    with own_stream(CPU, urgent=True):
        assert record_event(CPU) is None
        wait_event([torch.zeros(1)], None, CPU)
    np.testing.assert_array_equal(upload(np.arange(3), CPU), np.arange(3))
