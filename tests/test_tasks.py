"""Whole runs of the other tasks, with stand-ins for networks: what is written, and what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support import tiny
from tests.support.clips import decode, write
from tests.support.oracles import SKIN, Colourist, Filler, install
from tests.support.runs import face_frame, run
from vidrestore.errors import InputError, UsageError
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.one_file import plan_file, restore_file
from vidrestore.options import Options
from vidrestore.stages.resume import run_key
from vidrestore.stages.setup import Setup

WIDTH, HEIGHT, FRAMES = 320, 240, 8


def grey_clip(path: Path, frames: int = FRAMES, pix_fmt: str = "yuv420p") -> Path:
    """A face that moves a little, without colours."""
    made = [face_frame(WIDTH, HEIGHT, "gray", shift=2 * i).reformat(format=pix_fmt) for i in range(frames)]
    return write(path, made, codec="ffv1")


def holed_clip(folder: Path, frames: int = FRAMES, speed: int = 1) -> tuple[Path, Path, np.ndarray]:
    """A clip whose soft face has a white scratch that moves by ``speed``, its mask, and the holes, (N, H,
    W)."""
    made, masks, holes = [], [], []
    for number in range(frames):
        soft = face_frame(WIDTH // 3, HEIGHT // 3, "yuv444p")
        frame, mask = soft.reformat(WIDTH, HEIGHT), face_frame(WIDTH, HEIGHT, "gray")
        hole = np.zeros((HEIGHT, WIDTH), bool)
        hole[10:140, 150 + speed * number : 156 + speed * number] = True
        for plane, value in zip(plane_views(frame), (235, 128, 128), strict=True):
            plane[...] = np.clip(plane, 16, 225)
            plane[hole] = value
        plane_views(mask)[0][...] = 255 * hole
        made.append(frame)
        masks.append(mask)
        holes.append(hole)
    source = write(folder / "holed.mkv", made, codec="ffv1")
    return source, write(folder / "mask.mkv", masks, codec="ffv1"), np.stack(holes)


def planes(path: Path) -> list[list[np.ndarray]]:
    return [[plane.astype(np.int64) for plane in plane_views(frame)] for frame in decode(path)]


def test_a_grey_face_gets_colours_and_keeps_its_luma(tmp_path, monkeypatch):
    source, oracle = grey_clip(tmp_path / "in.mkv"), Colourist()
    weights = install(monkeypatch, oracle, tmp_path)
    report = run(
        source, tmp_path / "out.mkv", task="colour", weights=weights, codec="ffv1", max_sharpness=0.95
    )
    assert report.faces == FRAMES
    assert set(oracle.weights) == {0.0}
    assert all((face[0] == face[1]).all() for face in oracle.seen)
    for before, after in zip(planes(source), planes(tmp_path / "out.mkv"), strict=True):
        assert np.array_equal(before[0], after[0])
        changed = before[2] != after[2]
        assert 0.02 < changed.mean() < 0.4
        assert np.abs(after[1] - 128)[~changed].max() <= np.abs(before[1] - 128).max()
        y, x = np.argwhere(changed).mean(axis=0).astype(int)
        red, blue = after[2][y, x] - 128, after[1][y, x] - 128
        level = after[0][2 * y, 2 * x] / 235
        assert red == pytest.approx(float(SKIN[0]) * 224 / 1.5 * level, rel=0.5)
        assert blue < -3


def test_colours_are_steady(tmp_path, monkeypatch):
    """Where a network gives each frame another tint, they change by less than a third as much."""
    source, changes = grey_clip(tmp_path / "in.mkv", 16), {}
    for steady in ("none", "all"):
        weights = install(monkeypatch, Colourist(noise=0.08), tmp_path)
        out = tmp_path / f"{steady}.mkv"
        run(source, out, task="colour", weights=weights, codec="ffv1", steady=steady)
        chroma = np.stack([np.stack(frame[1:]) for frame in planes(out)])
        face = (np.abs(chroma - 128).max(axis=1) > 3).all(axis=0)
        changes[steady] = np.abs(np.diff(chroma, axis=0))[..., face].mean()
    assert changes["all"] < changes["none"] / 3


def test_a_face_in_colour_is_left_alone_and_that_is_said(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    source = write(tmp_path / "in.mkv", [face_frame(WIDTH, HEIGHT, "yuv420p")] * 3, codec="ffv1")
    weights = install(monkeypatch, Colourist(), tmp_path)
    record = tmp_path / "record.json"
    report = run(
        source, tmp_path / "out.mkv", task="colour", weights=weights, codec="ffv1", report_json=record
    )
    assert report.faces == 0
    assert "in colour: left alone" in caplog.text
    [face] = json.loads(record.read_text())["record"][1]["faces"]
    assert face["acted"]["in colour"] == 1
    for before, after in zip(planes(source), planes(tmp_path / "out.mkv"), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize("given", ["mask", "white"])
def test_the_hole_alone_is_written(tmp_path, monkeypatch, given):
    source, mask, holes = holed_clip(tmp_path)
    oracle = Filler()
    weights = install(monkeypatch, oracle, tmp_path)
    chosen = {"mask": mask} if given == "mask" else {}
    record = tmp_path / "record.json"
    more: dict[str, Any] = {"weights": weights, "codec": "ffv1", "report_json": record} | chosen
    report = run(source, tmp_path / "out.mkv", task="inpaint", **more)
    assert report.faces == FRAMES
    noted = json.loads(record.read_text())
    assert {flag["kind"] for flag in noted["flags"]} <= {"in front", "score"}
    assert all("was filled" in flag["done"] for flag in noted["flags"] if flag["kind"] == "in front")
    assert noted["options"]["--task"] == "inpaint"
    assert set(oracle.weights) == {1.0}
    assert all((face == 1).all(dim=0).any() for face in oracle.seen)
    for before, after, hole in zip(planes(source), planes(tmp_path / "out.mkv"), holes, strict=True):
        for old, new in zip(before, after, strict=True):
            assert np.array_equal(old[~hole], new[~hole])
        filled = after[0][hole]
        assert (filled < 215).mean() > 0.6  # not all of the hole is near the face


def test_what_is_filled_is_steady(tmp_path, monkeypatch):
    source, mask, [hole, *_] = holed_clip(tmp_path, 12, speed=0)
    changes = {}
    for steady in ("none", "all"):
        weights = install(monkeypatch, Filler(noise=0.1), tmp_path)
        out = tmp_path / f"{steady}.mkv"
        run(source, out, task="inpaint", mask=mask, weights=weights, codec="ffv1", steady=steady)
        luma = np.stack([frame[0] for frame in planes(out)])
        changes[steady] = np.abs(np.diff(luma, axis=0))[:, hole & (luma < 220).all(axis=0)].mean()
    assert changes["all"] < changes["none"] / 2


def test_scratches_that_are_found_can_be_filled(tmp_path, monkeypatch):
    source, _, holes = holed_clip(tmp_path, 3)
    weights = install(monkeypatch, Filler(size=512), tmp_path)
    report = run(source, tmp_path / "out.mkv", task="inpaint", mask="found", weights=weights, codec="ffv1")
    assert report.faces == 3
    for before, after, hole in zip(planes(source), planes(tmp_path / "out.mkv"), holes, strict=True):
        face = np.zeros_like(hole)
        face[50:100] = True
        assert (after[0] != before[0])[hole & face].mean() > 0.9
        far = np.abs(np.arange(WIDTH) - 153) > 60
        assert np.array_equal(before[0][:, far], after[0][:, far])


def test_a_photo_and_an_aligned_face(tmp_path, monkeypatch):
    rgb = face_frame(256, 256, "rgb24").to_ndarray(format="rgb24")
    Image.fromarray(rgb).convert("L").save(tmp_path / "grey.png")
    weights = install(monkeypatch, Colourist(), tmp_path)
    for more in ({}, {"aligned": True}):
        given: dict[str, Any] = {
            "task": "colour",
            "weights": weights,
            "min_face": 0,
            "overwrite": True,
        } | more
        report = restore_file(Options(input=tmp_path / "grey.png", output=tmp_path / "out.png", **given))
        assert report.faces == 1
        before = np.asarray(Image.open(tmp_path / "grey.png")).astype(float)
        after = np.asarray(Image.open(tmp_path / "out.png")).astype(float)
        assert after.shape == (256, 256, 3)
        assert np.abs(after @ (0.2126, 0.7152, 0.0722) - before).max() <= 0.52
        assert (after[..., 0] - after[..., 2]).max() > 15

    holed = rgb.copy()
    holed[60:80, 100:160] = 255
    Image.fromarray(holed).save(tmp_path / "holed.png")
    weights = install(monkeypatch, Filler(), tmp_path)
    given = {"task": "inpaint", "weights": weights, "min_face": 0, "aligned": True}
    report = restore_file(Options(input=tmp_path / "holed.png", output=tmp_path / "filled.png", **given))
    assert report.faces == 1
    filled = np.asarray(Image.open(tmp_path / "filled.png"))
    changed = (filled != holed).any(axis=2)
    assert changed[62:78, 102:158].all()
    assert not changed[:59].any()


def test_grey_samples_have_no_room_for_colours(tmp_path):
    source = grey_clip(tmp_path / "in.mkv", 1, "gray")
    with pytest.raises(InputError, match="no room for colours; convert it first"):
        run(
            source, tmp_path / "out.mkv", task="colour", weights=tiny.save_weights(tmp_path / "w.safetensors")
        )


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"mask": "m.png"}, "--mask says what --task inpaint is to fill"),
        ({"task": "colour", "mask": "m.png"}, "--mask says what --task inpaint is to fill"),
        ({"task": "colour", "w": 0.3}, "fidelity weights are for --task restore"),
        ({"task": "inpaint", "track_w": {1: 0.3}}, "fidelity weights are for --task restore"),
        ({"task": "animate"}, "--task must be one of restore, colour, inpaint"),
    ],
)
def test_options_that_do_not_go_together(given, problem):
    with pytest.raises(UsageError, match=problem):
        Options(input="in.mkv", **given)


def test_a_run_resumes_with_the_same_mask_alone(tmp_path):
    """By its content: on another machine the same file has another time."""
    source, weights = grey_clip(tmp_path / "in.mkv", 1), tiny.save_weights(tmp_path / "w.safetensors")
    keys = []
    for name, value in (("a.png", 0), ("b.png", 0), ("c.png", 255)):
        Image.fromarray(np.full((HEIGHT, WIDTH), value, np.uint8)).save(tmp_path / name)
        options = Options(
            input=source, output=tmp_path / "o.mkv", task="inpaint", mask=tmp_path / name, weights=weights
        )
        keys.append(run_key(options, Setup.resolve(options), length=125))
    assert keys[0] == keys[1]
    assert keys[0] != keys[2]
    colour = Options(input=source, output=tmp_path / "o.mkv", task="colour", weights=weights)
    other = run_key(colour, Setup.resolve(colour), length=125)
    assert (keys[0]["--task"], other["--task"]) == ("inpaint", "colour")


def test_a_dry_run_says_the_task_and_what_would_be_downloaded(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VIDRESTORE_OFFLINE", "")
    source = grey_clip(tmp_path / "in.mkv", 1)
    planned = plan_file(Options(input=source, output=tmp_path / "out.mkv", task="colour"))
    assert "task: colour" in str(planned)
    assert "would download codeformer_colorization (size not known" in str(planned)
    planned = plan_file(Options(input=source, output=tmp_path / "out.mkv", task="inpaint", mask="found"))
    assert (planned.data["task"], planned.data["mask"]) == ("inpaint", "found")
    assert "holes: what is found over faces" in str(planned)
    with pytest.raises(InputError, match=r"the mask m\.png does not exist"):
        plan_file(Options(input=source, output=tmp_path / "out.mkv", task="inpaint", mask="m.png"))
