"""The baseline program restores the faces of a clip, step by step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.support.clips import decode
from vidrestore.measure.speed.baseline_program import BaselineProgram
from vidrestore.measure.speed.models import find_model
from vidrestore.measure.speed.synthetic_clips import face_images, tiled, write_clip

SAMPLE = Path(__file__).parents[3] / "samples" / "portrait.mp4"


def test_faces_are_restored_and_every_step_is_timed(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", tiled(face_images(SAMPLE), 320, 240, 1), 3)
    network = find_model("lite", tmp_path).network()
    cpu = torch.device("cpu")
    program = BaselineProgram(network, detector="retinaface_mobile0.25", device=cpu, w=1.0)
    out = tmp_path / "out.mkv"
    run = program.run(clip, out, codec="ffv1", options={}, frames=2)
    assert (run.frames, run.faces) == (2, 2)
    assert set(run.steps) == {"decode", "detect", "align", "network", "paste", "encode"}
    assert sum(run.steps.values()) <= run.wall
    before, after = (decode(path)[0].to_ndarray(format="rgb24").astype(int) for path in (clip, out))
    assert after.shape == before.shape
    changed = np.abs(after - before).max(axis=2) > 8
    assert program.run(clip, out, codec="ffv1", options={}, frames=0).frames == 3  # all of them
    assert changed[60:180, 100:220].mean() > 0.05 > changed[:, :30].mean()
