"""Other restorers than CodeFormer in whole runs: from a file, for one track only, and held steady."""

from __future__ import annotations

import json
import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from tests.support import reader
from tests.support.onnx_files import save_restorer
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.analysis import analyze_video
from vidrestore.errors import InputError, UsageError
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.report import Report

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
SAMPLE = Path(__file__).parents[1] / "samples" / "scenes.mkv"
#: Frames of two shots of the sample that show another person each.
FRAMES = (*range(24, 30), *range(30, 36))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A short clip of two persons, one after the other, with its tracks file, and a quick network."""
    folder = tmp_path_factory.mktemp("restorers")
    with av.open(str(SAMPLE)) as source, av.open(str(folder / "in.mkv"), "w") as clip:
        video = clip.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 480, 360, "yuv420p"
        pictures = [picture for number, picture in enumerate(source.decode(video=0)) if number in FRAMES]
        for number, picture in enumerate(pictures):
            picture.pts, picture.pict_type, picture.time_base = number, 0, Fraction(1, 25)
            clip.mux(video.encode(picture))
        clip.mux(video.encode(None))
    save_weights(folder / "tiny.safetensors")
    analyze_video(Options(input=folder / "in.mkv", output=folder / "tracks.json"))
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of weights with a network in the place of one that is published."""
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    save_restorer(tmp_path / "cache" / "GPEN-BFR-256.onnx", side=128)
    return tmp_path / "cache"


def run(folder: Path, out: Path, **options) -> Report:
    given = {"weights": folder / "tiny.safetensors", "codec": "ffv1", "precision": "fp32", "device": "cpu"}
    given |= {"min_face": 0, "max_sharpness": 0, "overwrite": True}
    return restore_video(Options(input=folder / "in.mkv", output=out, **given | options), segment_length=4)


def set_restorer(folder: Path, to: Path, name: str) -> Path:
    """The tracks file with a restorer for the first of its two tracks."""
    tracks = json.loads((folder / "tracks.json").read_text())
    assert len(tracks["tracks"]) == 2
    tracks["tracks"][0]["restorer"] = name
    to.write_text(json.dumps(tracks))
    return to


def test_a_file_of_another_kind_restores_a_video(folder, tmp_path, caplog):
    weights = save_restorer(tmp_path / "own.onnx", side=256)
    with caplog.at_level(logging.INFO):
        report = run(folder, tmp_path / "out.mkv", weights=weights, report_json=tmp_path / "r.json")
    assert (report.faces, report.frames, report.model) == (12, 12, "own.onnx")
    assert caplog.text.count("own.onnx has no fidelity weight") == 1
    [used] = [w for w in json.loads((tmp_path / "r.json").read_text())["weights"] if w["role"] == "restorer"]
    assert (used["name"], used["licence"]) == ("own.onnx", "that of its author")
    changed = [
        a != b
        for a, b in zip(reader.frames(folder / "in.mkv"), reader.frames(tmp_path / "out.mkv"), strict=True)
    ]
    assert all(changed)


def test_a_restorer_for_one_track(folder, cache, tmp_path, caplog):
    """Of another size. The other track comes out as without, and the store renders only what has changed."""
    plain, mixed, again = (tmp_path / f"{name}.mkv" for name in ("plain", "mixed", "again"))
    run(folder, plain, tracks=folder / "tracks.json", keep=tmp_path / "store")
    tracks = set_restorer(folder, tmp_path / "tracks.json", "gpen-256")
    report = run(folder, mixed, tracks=tracks, report_json=tmp_path / "r.json")
    changed = [a != b for a, b in zip(reader.frames(plain), reader.frames(mixed), strict=True)]
    assert changed == [True] * 6 + [False] * 6
    assert report.faces == 12
    record = json.loads((tmp_path / "r.json").read_text())
    used = {w["name"]: w["licence"] for w in record["weights"] if w["role"] == "restorer"}
    assert used["gpen-256"].startswith("academic and non-commercial")
    assert record["setup"]["other models"] == "gpen-256"
    kept = run(folder, again, tracks=tracks, keep=tmp_path / "store")
    assert kept.resumed == 4  # the last segment, which has none of its faces
    assert reader.frames(again) == reader.frames(mixed)


def test_the_restorers_of_a_tracks_file_are_checked_before_any_work(folder, cache, tmp_path):
    unknown = set_restorer(folder, tmp_path / "tracks.json", "gpen-9000")
    with pytest.raises(InputError, match="has the restorer 'gpen-9000', which is not known; choose one of"):
        run(folder, tmp_path / "out.mkv", tracks=unknown)
    forbidden = set_restorer(folder, tmp_path / "tracks.json", "gpen-256")
    with pytest.raises(UsageError, match="--commercial: the licence of gpen-256"):
        run(folder, tmp_path / "out.mkv", tracks=forbidden, commercial=True)
    assert not (tmp_path / "out.mkv").exists()


class _Random(torch.nn.Module):
    """A network with random but fixed weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 16, 5, padding=2), torch.nn.Tanh(), torch.nn.Conv2d(16, 3, 5, padding=2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0.5 * self.layers(2 * x)


#: Rows and columns of the eyes and the nose in the first frame of the clips below, where the mask is whole.
#: Beside it the frame's own noise shows.
ROWS, LEFT, RIGHT = slice(64, 96), 151, 183


def save_noisy(path: Path, step: int, count: int = 32) -> Path:
    """A face that moves ``step`` pixels to the left in each frame, with other noise in each."""
    random = np.random.default_rng(0)
    still = face_frame(352, 240, "gray").to_ndarray().astype(np.float64)
    with av.open(str(path), "w") as out:
        video = out.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 320, 240, "yuv420p"
        for number in range(count):
            seen = still[:, step * number : step * number + 320]
            noisy = (seen + random.normal(0, 6, seen.shape)).clip(0, 255).round().astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="gray").reformat(format="yuv420p")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the exporter
@pytest.mark.parametrize("step", [0, 1])
def test_another_restorer_is_held_steady(tmp_path, step):
    """Flicker and warping, what changes over time of a face that stands still or moves evenly, are at most
    half of those per frame: about a quarter to two fifths of them."""
    weights = tmp_path / "random.onnx"
    torch.onnx.export(_Random(), (torch.rand(1, 3, 256, 256),), str(weights), opset_version=17, dynamo=False)
    clip, changes, sharpness = save_noisy(tmp_path / "in.mkv", step), {}, {}
    for steady in ("none", "all"):
        made = tmp_path / f"{steady}.mkv"
        options = {"steady": steady, "w": 0, "min_face": 0, "max_sharpness": 0, "codec": "ffv1"}
        restore_video(Options(input=clip, output=made, device="cpu", weights=weights, **options))
        with av.open(str(made)) as result:
            luma = [frame.to_ndarray(format="gray").astype(float) for frame in result.decode(video=0)]
        followed = np.stack(
            [luma[n][ROWS, LEFT - step * n : RIGHT - step * n] for n in range(10, 22)],
        )
        changes[steady] = followed.std(axis=0).mean(), np.abs(np.diff(followed, axis=0)).mean()
        sharpness[steady] = np.abs(np.diff(followed.mean(axis=0), axis=1)).mean()
    for held, alone in zip(changes["all"], changes["none"], strict=True):
        assert held < 0.5 * alone, changes
    # And its edges are no softer than those of the mean of all frames.
    assert sharpness["all"] > 0.9 * sharpness["none"], sharpness
