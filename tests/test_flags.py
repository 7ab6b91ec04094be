"""Faults planted in runs are flagged at their frames, and the record says the truth about them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support import reader
from tests.support.clips import write
from tests.support.runs import face_frame, run
from tests.support.tiny import save_weights
from vidrestore.restoration.codeformer import CodeFormerRestorer
from vidrestore.restoration.tasks import TASKS, Task
from vidrestore.stages import models

COUNT = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("flags")
    frames = [face_frame(160, 120, "yuv420p", shift=2 * i) for i in range(COUNT)]
    write(folder / "in.mkv", frames, codec="ffv1")
    save_weights(folder / "tiny.safetensors")
    return folder


def flags_of(folder: Path, out: Path, **options: Any) -> list[dict[str, Any]]:
    given = {"w": 1.0, "weights": folder / "tiny.safetensors", "precision": "fp32", "codec": "ffv1"}
    run(folder / "in.mkv", out, report_json=out.with_suffix(".json"), **given | options)
    return json.loads(out.with_suffix(".json").read_text(encoding="utf-8"))["flags"]


def brighter(levels: dict[int, float]) -> Task:
    """Restoring as the program does, but with faces that are finished lighter by these levels in these
    calls."""
    calls, restore = iter(range(10**6)), TASKS["restore"]

    def finish(face, own):
        done = restore.finish(face, own)
        step = levels.get(next(calls), 0.0) / 255
        return replace(done, layers=torch.cat(((done.restored + step).clamp(0, 1), done.mask[None])))

    return replace(restore, finish=finish)


def test_a_face_left_alone_has_the_samples_of_the_input(folder, tmp_path):
    [flag] = flags_of(folder, tmp_path / "out.mkv", min_face=400)
    assert (flag["kind"], flag["first"], flag["last"]) == ("tiny", 0, COUNT - 1)
    assert flag["done"] == "left alone: its samples are the input's"
    before, after = (reader.frames(path) for path in (folder / "in.mkv", tmp_path / "out.mkv"))
    assert [frame.digest for frame in before] == [frame.digest for frame in after]


def test_light_that_is_off_is_flagged_in_its_frames(folder, tmp_path, monkeypatch):
    task = brighter(dict.fromkeys((3, 4, 5), 12.0))
    monkeypatch.setattr(models, "find_task", lambda name: task)
    found = {flag["kind"]: flag for flag in flags_of(folder, tmp_path / "out.mkv")}
    assert (found["light"]["first"], found["light"]["last"], found["light"]["frames"]) == (3, 5, 3)
    assert found["light"]["value"] > 5
    assert found["flicker"]["first"] == 3  # it comes and goes at once


def test_flicker_is_flagged_where_it_is(folder, tmp_path, monkeypatch):
    task = brighter({4: 4.0, 5: -4.0, 6: 4.0})
    monkeypatch.setattr(models, "find_task", lambda name: task)
    found = {flag["kind"]: flag for flag in flags_of(folder, tmp_path / "out.mkv")}
    assert (found["flicker"]["first"], found["flicker"]["last"]) == (4, 7)


def test_someone_else_is_flagged_and_has_given_way(folder, tmp_path, monkeypatch):
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    def render(self, observations, w):
        return noise.expand(len(observations), -1, -1, -1).clone()

    monkeypatch.setattr(CodeFormerRestorer, "render", render)
    found = {flag["kind"]: flag for flag in flags_of(folder, tmp_path / "out.mkv", steady="none")}
    assert (found["identity"]["first"], found["identity"]["last"]) == (0, COUNT - 1)
    assert "the input took the place of 100% of the face" in found["identity"]["done"]
    assert "guard" in found
    # But for the network's resolution, which is low.
    paths = folder / "in.mkv", tmp_path / "out.mkv"
    before, after = (list(reader.planes(path, "yuv420p", (160, 120))) for path in paths)
    for a, b in zip(before, after, strict=True):
        off = np.abs(np.frombuffer(a, np.uint8).astype(int) - np.frombuffer(b, np.uint8))
        assert off.mean() < 1
    assert len(before) == COUNT


def test_a_clean_run_has_no_flag_of_restoration(folder, tmp_path):
    """The network is an untrained one, whose faces w = 1 does not make worse than that."""
    kinds = {flag["kind"] for flag in flags_of(folder, tmp_path / "out.mkv", steady="none", strength=0.1)}
    assert not kinds & {"light", "flicker", "tiny", "turned", "in front", "gap", "score"}
