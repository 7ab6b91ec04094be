"""What only a CUDA device shows: the same answer as the CPU's, in either precision."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from tests.clips import decode, write
from tests.test_pipeline import portrait, run
from vidrestore.media.pixels import plane_views
from vidrestore.restore.models import load_restorer

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize(("precision", "decibels"), [("fp32", 60), ("bf16", 40)])
def test_the_restorer_agrees_with_the_cpu(precision, decibels):
    faces = torch.rand(5, 3, 512, 512, generator=torch.manual_seed(0))
    w = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0])
    reference = load_restorer("lite", weights=None, device=torch.device("cpu"), precision="fp32")
    restorer = load_restorer("lite", weights=None, device=torch.device("cuda"), precision=precision)
    error = (restorer(faces, w).cpu() - reference(faces, w)).square().mean()
    assert -10 * error.log10() > decibels


def test_the_pipeline_agrees_with_the_cpu(tmp_path):
    frames = [portrait(320, 240, "yuv420p", shift=2 * i) for i in range(10)]
    source = write(tmp_path / "in.mp4", frames, rate=Fraction(25))
    outs = [tmp_path / f"{device}.mkv" for device in ("cpu", "cuda")]
    for out in outs:
        assert run(source, out, codec="ffv1", device=out.stem, precision="fp32").faces == 10
    for a, b in zip(*map(decode, outs), strict=True):
        for x, y in zip(plane_views(a), plane_views(b), strict=True):
            assert np.abs(x.astype(int) - y).mean() < 0.05
