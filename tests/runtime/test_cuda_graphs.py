"""Padded batches, compiled code, and what happens without either; on a simulated device, or a real one."""

from __future__ import annotations

import logging

import pytest
import torch

from tests.support.simulated_cuda import DEVICES
from vidrestore.runtime import cuda_graphs as graphs
from vidrestore.runtime.cuda_graphs import AcceleratedStep


def step(x, y):
    return [x * 2 + y[:, None], y + 1]


class Recorder:
    """Stands in for CUDA graphs: each step accepts one batch size only."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, step, inputs):
        size = len(inputs[0])
        self.sizes.append(size)

        def replay(*given):
            assert all(len(x) == size for x in given)
            return step(*given)

        return replay


@pytest.fixture(autouse=True)
def _warn_again():
    graphs._warn_without.cache_clear()


def run(accelerated, count):
    x, y = torch.rand(count, 3), torch.rand(count)
    for found, expected in zip(accelerated(x, y), step(x, y), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("counts", "sizes"),
    [
        ([4, 3, 1, 4, 2], [4, 1, 2]),
        ([1, 2, 3, 4], [1, 2, 4]),
        ([8, 3], [8, 4]),
        ([3], [4]),
        ([6, 8, 9], [8, 16]),
    ],
    ids=["padded", "growing", "as by itself", "by itself", "the next power"],
)
def test_batches_are_padded_to_few_sizes(counts, sizes):
    recorder = Recorder()
    accelerated = AcceleratedStep(step, recorder=recorder, compiler=None)
    for count in counts:
        run(accelerated, count)
    assert recorder.sizes == sizes


def test_long_runs_are_compiled_and_captured_again(caplog):
    caplog.set_level(logging.INFO)
    recorder, compiled = Recorder(), []

    def compiler(step):
        compiled.append(step)
        return lambda *inputs: step(*inputs)

    accelerated = AcceleratedStep(step, recorder=recorder, compiler=compiler, compile_after=10)
    for count in (4, 4, 3, 4, 4):
        run(accelerated, count)
    assert compiled == [step]
    assert recorder.sizes == [4, 4]
    assert "compiling" in caplog.text


def _impossible(*_):
    raise RuntimeError("no compiler was found\nin a hundred places")


@pytest.mark.parametrize("when", ["when compiling", "when first called"])
def test_without_a_compiler_the_step_runs_uncompiled(when, caplog):
    compiler = _impossible if when == "when compiling" else lambda step: _impossible
    recorder = Recorder()
    for _ in range(2):  # two steps of one network cause one warning
        accelerated = AcceleratedStep(step, recorder=recorder, compiler=compiler, compile_after=1)
        for count in (2, 2, 2):
            run(accelerated, count)
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert warnings == ["continuing without compiled code: no compiler was found"]
    assert recorder.sizes == [2, 2]


def test_without_cuda_graphs_the_step_runs_as_it_is(caplog):
    accelerated = AcceleratedStep(step, recorder=_impossible, compiler=None)
    for count in (2, 3, 1):
        run(accelerated, count)
    assert caplog.text.count("continuing without CUDA graphs: no compiler was found") == 1


@pytest.mark.parametrize("where", ["step", "recorder", "compiler"])
def test_out_of_memory_errors_are_raised(where):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    accelerated = AcceleratedStep(
        full if where == "step" else step,
        recorder=full if where == "recorder" else Recorder(),
        compiler=full if where == "compiler" else None,
        compile_after=0,
    )
    with pytest.raises(torch.OutOfMemoryError):
        accelerated(torch.rand(2, 3), torch.rand(2))


@pytest.mark.parametrize("device", DEVICES)
def test_a_cuda_graph_gives_the_result_of_the_step(device, caplog):
    with device():
        recorder, kept = graphs.GraphRecorder(), []
        steps = [AcceleratedStep(step, recorder=recorder, compiler=None) for _ in range(2)]
        for count in (4, 3, 4, 1, 4):
            for accelerated in steps:
                x, y = torch.rand(count, 3, device="cuda"), torch.rand(count, device="cuda")
                kept.append((accelerated(x, y), step(x, y)))
        for found, expected in kept:  # later results do not overwrite earlier ones
            for a, b in zip(found, expected, strict=True):
                torch.testing.assert_close(a.cpu(), b.cpu())
    assert "without" not in caplog.text


@pytest.mark.parametrize("device", DEVICES)
def test_steps_that_wait_for_the_device_are_not_captured(device, caplog):
    def waiting(x):
        return [x * 2 if x.sum() > 0 else x]

    with device():
        accelerated = AcceleratedStep(waiting, recorder=graphs.GraphRecorder(), compiler=None)
        before = torch.cuda.current_stream()
        for _ in range(2):
            x = torch.rand(2, 3, device="cuda")
            torch.testing.assert_close(accelerated(x)[0].cpu(), 2 * x.cpu())
        assert torch.cuda.current_stream() == before
    assert caplog.text.count("continuing without CUDA graphs") == 1


@pytest.mark.gpu
@pytest.mark.slow
def test_compiled_code_gives_the_result_of_the_step():
    accelerated = AcceleratedStep(step, recorder=graphs.GraphRecorder(), compile_after=3)
    for count in (4, 4, 2):
        x, y = torch.rand(count, 3, device="cuda"), torch.rand(count, device="cuda")
        torch.testing.assert_close(accelerated(x, y), step(x, y))
