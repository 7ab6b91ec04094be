"""Pictures enlarged by a network in whole runs: steady, the same wherever a run is cut, told in reports."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image

from tests.support import photos, reader, upscalers
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.errors import UsageError
from vidrestore.one_file import plan_file, restore_file
from vidrestore.options import Options
from vidrestore.photo import PhotoReport
from vidrestore.pipeline import restore_video
from vidrestore.report import Report

pytest.importorskip("spandrel")
FRAMES = 7
SCHEMA = Path(__file__).parents[1] / "docs" / "report.schema.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A still clip with noise, a photo, a quick restorer, and a network that amplifies noise."""
    folder, random = tmp_path_factory.mktemp("enlargement"), np.random.default_rng(0)
    still = face_frame(160, 120, "rgb24").to_ndarray().astype(float)
    with av.open(str(folder / "in.mkv"), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 160, 120, "yuv420p"
        for number in range(FRAMES):
            noisy = (still + random.normal(0, 5, still.shape)).clip(0, 255).round().astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    photos.save(folder / "in.png", photos.face(96))
    save_weights(folder / "tiny.safetensors")
    upscalers.save(upscalers.sharpening(), folder / "own.pth")
    return folder


def options(folder: Path, source: str, out: Path, **given) -> Options:
    shared = {"weights": folder / "tiny.safetensors", "device": "cpu", "precision": "fp32", "upscale": 2}
    shared |= {"min_face": 0, "max_sharpness": 0, "background": str(folder / "own.pth"), "overwrite": True}
    return Options(input=folder / source, output=out, **shared | given)


def luma(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="gray").astype(float) for f in container.decode(video=0)])


def test_a_still_video_flickers_little_more_than_resampled(folder, tmp_path):
    made = {}
    for name in ("lanczos", str(folder / "own.pth")):
        out = tmp_path / f"{Path(name).stem}.mkv"
        restore_video(options(folder, "in.mkv", out, background=name, codec="ffv1", strength=0))
        made[name] = luma(out)
    resampled, learned = made.values()
    assert learned.shape == (FRAMES, 240, 320)
    flicker = learned.std(axis=0).mean() / resampled.std(axis=0).mean()
    assert 1.02 < flicker < 1.2
    sharpness = [np.abs(np.diff(x.mean(axis=0))).mean() for x in (resampled, learned)]
    assert sharpness[1] > 1.02 * sharpness[0]


def test_no_frame_depends_on_where_a_run_is_cut(folder, tmp_path):
    for name, length in (("whole", 50), ("cut", 3)):
        out = tmp_path / f"{name}.mkv"
        report = restore_video(
            options(folder, "in.mkv", out, codec="ffv1", face_upsample=True, report_json=tmp_path / "r.json"),
            segment_length=length,
        )
        assert report.faces
    assert reader.frames(tmp_path / "whole.mkv") == reader.frames(tmp_path / "cut.mkv")
    record = json.loads((tmp_path / "r.json").read_text())
    jsonschema.validate(record, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert record["setup"]["upscaler"] == "own.pth, 2 times, faces too"
    used = [weights for weights in record["weights"] if weights["role"] == "upscaler"]
    assert [(weights["name"], len(weights["sha256"])) for weights in used] == [("own.pth", 64)]


@pytest.mark.slow
def test_an_interrupted_run_is_resumed_and_a_kept_one_is_used_again(folder, tmp_path):
    given = {"codec": "ffv1", "background": "lanczos"}
    kept = {"keep": tmp_path / "store", **given}

    def render(name: str, progress=lambda frames, faces: None, **settings) -> Report:
        return restore_video(
            options(folder, "in.mkv", tmp_path / name, **settings), progress, segment_length=2
        )

    def stop(frames: int, faces: int) -> None:
        if frames >= 5:
            raise KeyboardInterrupt

    assert render("whole.mkv", **given).faces
    with pytest.raises(KeyboardInterrupt):
        render("cut.mkv", stop, **given)
    assert render("cut.mkv", **given).resumed >= 2
    assert reader.frames(tmp_path / "cut.mkv") == reader.frames(tmp_path / "whole.mkv")

    render("kept.mkv", **kept)
    # Frames of another size are of no use.
    assert render("kept.mkv", **kept | {"upscale": 3}).resumed == 0
    assert render("kept.mkv", **kept).resumed == FRAMES
    assert reader.frames(tmp_path / "kept.mkv") == reader.frames(tmp_path / "whole.mkv")
    with av.open(str(tmp_path / "kept.mkv")) as container:
        assert container.streams.video[0].width == 320


def test_a_photo_shows_all_of_the_networks_detail(folder, tmp_path):
    """As one picture cannot flicker."""
    out = tmp_path / "out.png"
    report = restore_file(options(folder, "in.png", out, strength=0))
    assert isinstance(report, PhotoReport)
    with Image.open(folder / "in.png") as image:
        given = np.asarray(image.convert("RGB")).astype(np.float32) / 255
    network = upscalers.enlarging(upscalers.sharpening())
    expected = network.whole(torch.from_numpy(given).permute(2, 0, 1)).permute(1, 2, 0).numpy() * 255
    with Image.open(out) as image:
        made = np.asarray(image.convert("RGB")).astype(float)
    assert np.abs(made - expected).mean() < 0.5


@pytest.mark.parametrize(("source", "out"), [("in.mkv", "out.mkv"), ("in.png", "out.png")])
def test_a_dry_run_says_what_enlarges(folder, tmp_path, source, out):
    plan = plan_file(options(folder, source, tmp_path / out, face_upsample=True))
    assert "upscaler: own.pth, 2 times, faces too" in str(plan)
    assert plan.data["upscaler"] == "own.pth, 2 times, faces too"
    resampled = plan_file(options(folder, source, tmp_path / out, background="lanczos"))
    assert "upscaler: lanczos, 2 times" in str(resampled)
    plain = plan_file(options(folder, source, tmp_path / out, background="lanczos", upscale=1))
    assert plain.data["upscaler"] is None
    assert "upscaler" not in str(plain)
    with pytest.raises(UsageError, match=r"own.pth enlarges; give --upscale 2, 3 or 4 with it"):
        plan_file(options(folder, source, tmp_path / out, upscale=1))
