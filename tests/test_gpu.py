"""A CUDA device, real or simulated, gives the results of the CPU, and stages do not wait for each other."""

from __future__ import annotations

import threading
from fractions import Fraction

import numpy as np
import pytest
import torch
from facexlib.parsing.parsenet import ParseNet

from tests.support.clips import decode, write
from tests.support.runs import face_frame, run
from tests.support.simulated_cuda import DEVICES, SimulatedError, simulated_cuda
from tests.support.small_networks import AT_IMAGE, SMALL
from vidrestore.faces.alignment.face_parser import FaceParser
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerRestorer
from vidrestore.restoration.load import load_restorer
from vidrestore.stages import restoration


@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "decibels"), [("fp32", 60), ("bf16", 40)])
def test_the_restorer_agrees_with_the_cpu(precision, decibels):
    faces = torch.rand(5, 3, 512, 512, generator=torch.manual_seed(0))
    w = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
    reference = load_restorer("lite", device=torch.device("cpu"), precision="fp32")
    restorer = load_restorer("lite", device=torch.device("cuda"), precision=precision)
    error = (restorer(faces, w).cpu() - reference(faces, w)).square().mean()
    assert -10 * error.log10() > decibels


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("config", [SMALL, AT_IMAGE], ids=["CFT at levels", "CFT at the image"])
def test_batches_of_any_size_agree_with_the_cpu(device, config, caplog):
    def small(where):
        torch.manual_seed(0)
        return CodeFormerRestorer(CodeFormer(config), name="small", licence="none", device=where)

    w = torch.tensor([0.0, 0.7, 0.0, 0.2, 1.0])
    batches = [torch.rand(count, 3, 64, 64) for count in (5, 2, 4, 5, 1)]
    on_cpu = small("cpu")
    expected = [on_cpu(faces, w[: len(faces)]) for faces in batches]
    with device():
        restorer = small("cuda")
        found = [restorer(faces, w[: len(faces)]) for faces in batches]
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a.cpu(), b, atol=1e-3, rtol=0)
    assert "without" not in caplog.text


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = [face_frame(320, 240, "yuv420p", shift=2 * i) for i in range(10)]
    path = tmp_path_factory.mktemp("gpu") / "in.mkv"
    return write(
        path, [frame.reformat(format="yuv420p10le") for frame in frames], rate=Fraction(25), codec="ffv1"
    )


@pytest.mark.parametrize("device", DEVICES)
def test_the_pipeline_agrees_with_the_cpu(device, clip, tmp_path, monkeypatch):
    """With two background workers, as on a machine with a GPU."""
    monkeypatch.setattr(restoration, "background_workers", lambda cores: 2)
    outs = [tmp_path / f"{name}.mkv" for name in ("cpu", "cuda")]
    assert run(clip, outs[0], codec="ffv1", device="cpu", precision="fp32").faces == 10
    with device() as simulated:
        report = run(clip, outs[1], codec="ffv1", device="cuda", precision="fp32", batch=4)
    assert report.faces == 10
    assert "GPU" in report.profile.table()
    for a, b in zip(*map(decode, outs), strict=True):
        for x, y in zip(plane_views(a), plane_views(b), strict=True):
            assert np.abs(x.astype(int) - y).mean() < 0.2  # of 1023
    if simulated:
        waits = simulated.waits
        # Synchronisations: per batch in restore, for drift and tints; per face in align, for its quality,
        # covers and view; per face in paste, for luma and chroma; per batch of frames in detect, for the
        # anchors that are faces and four properties of these.
        assert simulated.replays > 0
        assert waits["restore"] <= 2 * 3
        assert waits["align"] <= 3 * 10
        assert waits["paste"] <= 2 * 10
        assert waits["detect"] <= 5 * (3 + 1)  # and one look at the new face, turned


@pytest.mark.parametrize("device", DEVICES)
def test_the_parser_runs(device):
    precision = "bf16" if torch.cuda.is_available() else "fp32"  # of which many CPUs know nothing
    torch.manual_seed(0)
    state = ParseNet(in_size=512, out_size=512, parsing_ch=19).state_dict()
    with device():
        [mask] = FaceParser(state, device="cuda", precision=precision)(
            torch.rand(1, 3, 512, 512, device="cuda")
        )
        assert mask.is_cuda
        assert mask.shape == (512, 512)
        assert 0 <= mask.min() <= mask.max() <= 1


# The simulation itself: what would be an error or undefined on a device must fail on it.


def mixed(x):
    return x + torch.ones(4)


def unordered(x):
    with torch.cuda.stream(torch.cuda.Stream()):
        return x + 1


def overwritten(x):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        x.sum()
    x.zero_()


def recorded(x):
    graph, stream = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    with torch.cuda.graph(graph, torch.cuda.graph_pool_handle(), stream):
        return (x + 1).tolist()


@pytest.mark.parametrize("wrong", [mixed, unordered, overwritten, recorded])
def test_the_simulation_refuses(wrong):
    with pytest.raises(SimulatedError), simulated_cuda():
        wrong(torch.zeros(4, device="cuda"))


def test_the_simulation_refuses_to_free_what_is_in_use():
    def freed(*, recorded):
        x, stream = torch.zeros(4, device="cuda"), torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            x.sum()
        if recorded:
            x.record_stream(stream)

    with simulated_cuda():
        freed(recorded=True)
    with pytest.raises(AssertionError, match="freed"), simulated_cuda():
        freed(recorded=False)


def test_the_simulation_replays_recorded_graphs():
    with simulated_cuda():
        x, pool, stream = torch.zeros(4, device="cuda"), torch.cuda.graph_pool_handle(), torch.cuda.Stream()
        graphs = [torch.cuda.CUDAGraph() for _ in range(2)]
        results = []
        for graph in graphs:
            with torch.cuda.graph(graph, pool, stream):
                results.append((x + 1) * 2)
        x.fill_(3)
        graphs[0].replay()
        assert results[0].tolist() == [8.0] * 4
        graphs[1].replay()  # in the same memory
        assert np.isnan(results[0].tolist()).all()


def test_the_simulation_ends():
    with simulated_cuda():
        pass
    assert torch.zeros(2).tolist() == [0, 0]
    assert torch.cuda.Event.__module__.startswith("torch")
    assert threading.Thread.run.__module__ == "threading"
