"""Batches fill across items, and change nothing but the size of the work."""

from __future__ import annotations

import logging
import random
import threading
import time

import pytest
import torch

from vidrestore.errors import DeviceError
from vidrestore.runtime import batching
from vidrestore.runtime.batching import (
    LARGEST,
    USUAL,
    BatchRunner,
    choose_batch,
    fill_batches,
    per_sample_on_cpu,
)
from vidrestore.runtime.memory import is_out_of_memory


def run(counts: list[int], size: int, hold: int) -> tuple[list, list[int]]:
    sizes: list[int] = []

    def work(parts):
        sizes.append(len(parts))
        return [f"done {part}" for part in parts]

    items = [(i, [f"{i}.{k}" for k in range(count)]) for i, count in enumerate(counts)]
    return list(fill_batches(iter(items), work, batches=BatchRunner(size), max_held=hold)), sizes


@pytest.mark.parametrize("size", [1, 2, 4, 7])
@pytest.mark.parametrize("hold", [1, 4, 100])
def test_every_item_once_in_order_with_its_own_results(size, hold):
    rng = random.Random(size * 100 + hold)
    counts = [rng.choice([0, 0, 1, 1, 2, 5]) for _ in range(60)]
    results, sizes = run(counts, size, hold)
    assert [item for item, _ in results] == list(range(60))
    for (item, its), count in zip(results, counts, strict=True):
        assert its == [f"done {item}.{k}" for k in range(count)]
    assert max(sizes) <= size
    assert sum(sizes) == sum(counts)


def test_batches_are_full_where_they_can_be():
    assert run([1] * 10, 4, 100)[1] == [4, 4, 2]
    assert run([3, 3, 3], 4, 100)[1] == [4, 4, 1]


def test_from_a_fresh_batch_on_nothing_depends_on_what_was_before():
    def batches(first: int, fresh: int) -> list[list[str]]:
        """What is worked on together, of items from ``first`` on."""
        seen: list[list[str]] = []

        def work(parts):
            seen.append(parts)
            return parts

        items = [(i, [f"{i}.{k}" for k in range((i * i) % 4)]) for i in range(first, 40)]
        done = list(
            fill_batches(
                iter(items), work, batches=BatchRunner(4), max_held=5, starts_batch=lambda i: i == fresh
            )
        )
        assert done == items
        return seen

    whole = batches(0, 20)
    for first in (11, 14, 19, 20):
        later = batches(first, 20)
        tail = next(i for i, parts in enumerate(later) if parts[0].startswith("21."))
        assert later[tail:] == whole[len(whole) - len(later) + tail :]
    assert batches(11, -1)[-3:] != batches(0, -1)[-3:]


def test_items_without_parts_do_not_wait():
    def items():
        yield 0, []
        raise AssertionError("the next item was asked for before the first came out")

    assert next(fill_batches(items(), list, batches=BatchRunner(4), max_held=8)) == (0, [])


def test_no_more_than_hold_items_wait():
    seen = []

    def items():
        for i in range(20):
            seen.append(i)
            yield i, ["face"] if i == 0 else []

    batches = fill_batches(items(), list, batches=BatchRunner(4), max_held=3)
    assert next(batches)[0] == 0
    assert len(seen) == 4


ERRORS = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    "python": MemoryError(),
}


class Device:
    """Work that fails above ``room`` parts at once, and notes what it was given."""

    def __init__(self, room: int, error: Exception = ERRORS["cuda"]) -> None:
        self.room, self.error = room, error
        self.given: list[int] = []

    def __call__(self, parts: list[int]) -> list[int]:
        self.given.append(len(parts))
        if len(parts) > self.room:
            raise self.error
        return [-part for part in parts]


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("room", [1, 2, 3, 5])
def test_what_runs_out_of_memory_is_done_in_halves(room, error, caplog):
    device, batches = Device(room, error), BatchRunner(8)
    items = [(i, [3 * i, 3 * i + 1, 3 * i + 2]) for i in range(20)]
    with caplog.at_level(logging.WARNING):
        results = list(fill_batches(iter(items), device, batches=batches, max_held=16))
    assert results == [(i, [-part for part in parts]) for i, parts in items]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "8 faces at once" in caplog.text
    assert batches.size <= room < 2 * batches.size + 1
    assert sum(size > room for size in device.given) <= 3  # it is not tried again with as many


def test_a_single_face_that_does_not_fit_is_an_error():
    with pytest.raises(DeviceError, match="cpu has no memory left for one face"):
        BatchRunner(4).run([1, 2, 3, 4], Device(0))


def test_other_errors_are_no_matter_of_memory():
    device = Device(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        BatchRunner(4).run([1, 2, 3, 4], device)
    assert device.given == [4]


def test_a_real_allocation_that_fails_is_known_for_what_it_is():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_what_the_failed_attempt_held_is_freed_before_the_next():
    alive = []

    class Tensor:
        def __del__(self) -> None:
            alive.remove(id(self))

    def work(parts):
        if len(parts) == 1:
            assert alive == []
            return parts
        big = Tensor()
        alive.append(id(big))
        raise MemoryError

    assert BatchRunner(2).run([1, 2], work) == [1, 2]


@pytest.mark.parametrize(
    ("free", "batch"), [(0, 1), (1.9, 1), (2, 1), (4, 2), (7.9, 2), (8, 4), (63, 16), (1000, LARGEST)]
)
def test_the_batch_is_what_half_of_the_free_memory_holds(free, batch, monkeypatch):
    monkeypatch.setattr(batching, "free_memory", lambda device: int(free * 2**30))
    assert choose_batch(torch.device("cuda"), 2**30) == batch


def test_the_batch_where_memory_does_not_say(monkeypatch):
    monkeypatch.setattr(batching, "network_workers", lambda: 3)
    assert choose_batch(torch.device("cpu"), 2**30) == 3
    assert choose_batch(torch.device("mps"), 2**30) == USUAL


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("rows", [1, 5])
def test_a_step_one_by_one_is_the_step(rows, workers, monkeypatch):
    monkeypatch.setattr(batching, "network_workers", lambda: workers)
    seen, threads = [], set()

    def step(x, y):
        assert torch.is_inference_mode_enabled()
        seen.append((len(x), len(y)))
        threads.add(threading.get_ident())
        if len(seen) == 1:
            time.sleep(0.05)  # so that another thread has its turn
        return [x * y, y]

    x, y = torch.rand(rows, 3, 4), torch.rand(rows, 1, 1)
    product, same = per_sample_on_cpu(step, "cpu")(x, y)
    assert seen == [(1, 1)] * rows
    assert len(threads) == min(rows, workers)
    torch.testing.assert_close(product, x * y, rtol=0, atol=0)
    torch.testing.assert_close(same, y, rtol=0, atol=0)


def test_what_goes_wrong_with_one_of_them_is_raised(monkeypatch):
    monkeypatch.setattr(batching, "network_workers", lambda: 2)

    def step(x):
        if x[0] == 2:
            raise ValueError("the third")
        return [x]

    with pytest.raises(ValueError, match="the third"):
        per_sample_on_cpu(step, "cpu")(torch.arange(4))
