"""Batches fill across items, and affect nothing but the size of the work."""

from __future__ import annotations

import logging
import random
import threading

import pytest
import torch

from tests.support.out_of_memory import ERRORS
from vidrestore.errors import DeviceError
from vidrestore.runtime import batching
from vidrestore.runtime.batching import (
    LARGEST,
    USUAL,
    BatchRunner,
    by_group,
    choose_batch,
    fill_batches,
    per_sample_on_cpu,
)


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


def test_batches_are_full_if_possible():
    assert run([1] * 10, 4, 100)[1] == [4, 4, 2]
    assert run([3, 3, 3], 4, 100)[1] == [4, 4, 1]


def test_batches_after_a_boundary_do_not_depend_on_earlier_items():
    def batches(first: int, boundary: int) -> list[list[str]]:
        """The batches of a run that starts with the item ``first``."""
        seen: list[list[str]] = []

        def work(parts):
            seen.append(parts)
            return parts

        items = [(i, [f"{i}.{k}" for k in range((i * i) % 4)]) for i in range(first, 40)]
        done = list(
            fill_batches(
                iter(items), work, batches=BatchRunner(4), max_held=5, starts_batch=lambda i: i == boundary
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


def test_items_without_parts_are_not_held():
    def items():
        yield 0, []
        raise AssertionError("the next item was requested before the first was yielded")

    assert next(fill_batches(items(), list, batches=BatchRunner(4), max_held=8)) == (0, [])


def test_at_most_max_held_items_wait():
    seen = []

    def items():
        for i in range(20):
            seen.append(i)
            yield i, ["face"] if i == 0 else []

    batches = fill_batches(items(), list, batches=BatchRunner(4), max_held=3)
    assert next(batches)[0] == 0
    assert len(seen) == 4


class Device:
    """Work that fails for more than ``room`` parts at once, and records the sizes of its batches."""

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
def test_batches_that_run_out_of_memory_are_halved(room, error, caplog):
    device, batches = Device(room, error), BatchRunner(8)
    items = [(i, [3 * i, 3 * i + 1, 3 * i + 2]) for i in range(20)]
    with caplog.at_level(logging.WARNING):
        results = list(fill_batches(iter(items), device, batches=batches, max_held=16))
    assert results == [(i, [-part for part in parts]) for i, parts in items]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "8 faces at once" in caplog.text
    assert batches.size <= room < 2 * batches.size + 1
    assert sum(size > room for size in device.given) <= 3  # larger batches are not tried again


def test_a_single_face_that_does_not_fit_is_an_error():
    with pytest.raises(DeviceError, match="cpu has no memory left for one face"):
        BatchRunner(4).run([1, 2, 3, 4], Device(0))


def test_other_errors_are_raised():
    device = Device(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1"):
        BatchRunner(4).run([1, 2, 3, 4], device)
    assert device.given == [4]


def test_memory_of_a_failed_batch_is_freed_before_the_next():
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
def test_the_batch_on_cuda_fits_half_of_the_free_memory(free, batch, monkeypatch):
    monkeypatch.setattr(batching, "free_memory", lambda device: int(free * 2**30))
    assert choose_batch(torch.device("cuda"), 2**30) == batch


def test_the_batch_on_other_devices(monkeypatch):
    monkeypatch.setattr(batching, "network_workers", lambda: 3)
    assert choose_batch(torch.device("cpu"), 2**30) == 3
    assert choose_batch(torch.device("mps"), 2**30) == USUAL


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("rows", [1, 5])
def test_a_step_per_sample_gives_the_same_result(rows, workers, monkeypatch):
    monkeypatch.setattr(batching, "network_workers", lambda: workers)
    parties = min(rows, workers)
    seen, threads, all_threads = [], set(), threading.Barrier(parties, timeout=60)

    def step(x, y):
        assert torch.is_inference_mode_enabled()
        seen.append((len(x), len(y)))
        threads.add(threading.get_ident())
        if len(seen) <= parties:
            all_threads.wait()  # until as many threads have taken a row each
        return [x * y, y]

    x, y = torch.rand(rows, 3, 4), torch.rand(rows, 1, 1)
    product, same = per_sample_on_cpu(step, "cpu")(x, y)
    assert seen == [(1, 1)] * rows
    assert len(threads) == parties
    torch.testing.assert_close(product, x * y, rtol=0, atol=0)
    torch.testing.assert_close(same, y, rtol=0, atol=0)


def test_an_error_in_one_sample_is_raised(monkeypatch):
    monkeypatch.setattr(batching, "network_workers", lambda: 2)

    def step(x):
        if x[0] == 2:
            raise ValueError("the third")
        return [x]

    with pytest.raises(ValueError, match="the third"):
        per_sample_on_cpu(step, "cpu")(torch.arange(4))


def test_parts_with_the_same_key_are_worked_on_together():
    calls = []

    def work(key, parts):
        calls.append((key, parts))
        return [part.upper() for part in parts]

    results = by_group(["a1", "b1", "a2", "c1", "b2"], lambda part: part[0], work)
    assert results == ["A1", "B1", "A2", "C1", "B2"]
    assert calls == [("a", ["a1", "a2"]), ("b", ["b1", "b2"]), ("c", ["c1"])]
    assert by_group([], len, work) == []


def test_messages_call_parts_what_they_are(caplog):
    with caplog.at_level(logging.WARNING):
        BatchRunner(4, noun="tile").run(list(range(4)), Device(2))
    assert caplog.messages == ["cpu has no memory for 4 tiles at once: continuing with 2"]
    with pytest.raises(DeviceError, match="no memory left for one tile"):
        BatchRunner(1, noun="tile").run([1], Device(0))
