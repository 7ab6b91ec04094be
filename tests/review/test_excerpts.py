"""Parts restored by themselves have the frames of a run over the whole video."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from tests.support.clips import decode, write
from tests.support.drifting import drifting_face, quick_options
from tests.support.moving import detection
from tests.support.oracles import Colourist, Filler, install
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.analysis import analyze_video
from vidrestore.faces.face import Detection
from vidrestore.faces.recorded.tracks_file import read_recording
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.review.excerpts import record_part, restore_part
from vidrestore.runtime.profile import Profile
from vidrestore.runtime.scheduler import Stages
from vidrestore.stages.face_source import timestamp, track_faces
from vidrestore.stages.models import Models
from vidrestore.stages.networks import Networks
from vidrestore.stages.setup import Setup, open_video
from vidrestore.upscale.lanczos import Lanczos

COUNT = 110


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("excerpts")
    drifting_face(folder, COUNT)
    analyze_video(quick_options(folder, output=folder / "tracks.json"))
    return folder


def planes(video) -> list[np.ndarray]:
    return [view.copy() for view in plane_views(video)]


def whole(folder: Path, out: Path, **settings) -> list[list[np.ndarray]]:
    restore_video(quick_options(folder, output=out, **settings))
    return [planes(video) for video in decode(out)]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(
    ("recorded", "weights", "parts"),
    [
        pytest.param(True, (0.0, 1.0), (0, 60), id="from a tracks file", marks=pytest.mark.slow),
        pytest.param(False, (0.5,), (0, COUNT - 2), id="found for each part"),
    ],
)
def test_a_part_has_the_frames_of_the_whole_run(folder, tmp_path, recorded, weights, parts):
    settings = {"tracks": folder / "tracks.json"} if recorded else {}
    expected = {w: whole(folder, tmp_path / f"{w}.mkv", w=w, **settings) for w in weights}
    before = [planes(video) for video in decode(folder / "in.mp4")]
    options = quick_options(folder, **settings)
    setup = Setup.resolve(options)
    models = Models(setup.restorer, Profile())
    for first in parts:
        start = Fraction(first, 25)
        recording = (
            read_recording(folder / "tracks.json")
            if recorded
            else record_part(
                options, setup, Networks(), start=start, frames=2, rate=Fraction(25), first=Fraction(0)
            )
        )
        shown = list(restore_part(options, setup, models, recording, start=start, frames=2, weights=weights))
        assert [moment.frame.index for moment in shown] == [0, 1]
        for number, moment in enumerate(shown, first):
            assert len(moment.faces) == 1
            assert same(planes(moment.frame.video), before[number])
            for w, video in zip(weights, moment.restored, strict=True):
                assert same(planes(video), expected[w][number])
                assert not same(planes(video), before[number])
            assert len({b"".join(p.tobytes() for p in planes(v)) for v in moment.restored}) == len(weights)


@pytest.mark.parametrize(
    ("made", "settings"),
    [
        (Colourist, {"task": "colour"}),
        (Filler, {"task": "inpaint", "mask": "mask.png", "upscale": 2}),
    ],
    ids=["colours", "enlarged holes"],
)
def test_a_part_of_another_task_has_the_frames_of_the_whole_run(tmp_path, monkeypatch, made, settings):
    monkeypatch.chdir(tmp_path)
    pictures = [face_frame(160, 120, "gray", shift=2 * i).reformat(format="yuv420p") for i in range(6)]
    write(tmp_path / "in.mp4", pictures, codec="ffv1")
    mask = np.zeros((120, 160), np.uint8)
    mask[20:60, 70:76] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    settings = settings | {"weights": install(monkeypatch, made(), tmp_path)}
    analyze_video(quick_options(tmp_path, output=tmp_path / "tracks.json"))
    settings["tracks"] = tmp_path / "tracks.json"
    expected = whole(tmp_path, tmp_path / "out.mkv", **settings)
    options = quick_options(tmp_path, **settings)
    setup = Setup.resolve(options)
    factor = settings.get("upscale", 1)
    [shown] = restore_part(
        options,
        setup,
        Models(setup.restorer, Profile()),
        read_recording(tmp_path / "tracks.json"),
        start=Fraction(2, 25),
        frames=1,
        upscaler=Lanczos(factor) if factor > 1 else None,
    )
    assert same(planes(shown.restored[0]), expected[2])
    assert not same(planes(shown.enlarged), expected[2])


def test_a_part_stops_at_the_cuts_around_it(tmp_path):
    """Of another shot no face is aligned, and after the part none is found."""
    pictures = [face_frame(160, 120, "rgb24", shift=i).to_ndarray() for i in range(50)]
    pictures += [np.ascontiguousarray(picture[:, ::-1]) for picture in pictures] + pictures
    frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in pictures]
    write(tmp_path / "in.mp4", [frame.reformat(format="yuv420p") for frame in frames], codec="ffv1")
    save_weights(tmp_path / "tiny.safetensors")
    options = quick_options(tmp_path)
    setup, start = Setup.resolve(options), Fraction(90, 25)
    recording = record_part(
        options, setup, Networks(), start=start, frames=2, rate=Fraction(25), first=Fraction(0)
    )
    assert recording.timestamps[-1] * recording.origin.time_base == Fraction(99, 25)
    aligned = []

    class Counted(Models):
        def align(self, frame, faces):
            aligned.extend(frame.time for _ in faces)
            return super().align(frame, faces)

    models = Counted(setup.restorer, Profile())
    shown = list(restore_part(options, setup, models, recording, start=start, frames=2))
    assert min(aligned) == 2
    assert max(aligned) == Fraction(99, 25)
    expected = whole(tmp_path, tmp_path / "out.mkv")
    for number, moment in enumerate(shown, 90):
        assert same(planes(moment.restored[0]), expected[number])
        assert not same(planes(moment.restored[0]), planes(moment.frame.video))


class Spotted(Networks):
    """Its detector finds a bright spot."""

    def detector(self, name, device):
        return lambda pictures: [found(picture[..., 1] > 200) for picture in pictures]


def found(bright: np.ndarray) -> list[Detection]:
    if not bright.any():
        return []
    y, x = (float(places.mean()) for places in np.nonzero(bright))
    return [detection(x, y, 60)]


def spotted(index: int) -> av.VideoFrame:
    """A spot that moves unsteadily, and is missing now and then, on a ground without cuts."""
    picture = np.full((64, 96, 3), 40, np.uint8)
    picture[:20], picture[44:], picture[:, :20] = 150, 90, 0
    x = 40 + 10 * np.sin(index / 9) + index % 3
    if index % 11:
        picture[24:40, int(x) : int(x) + 12] = 250
    return av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")


@pytest.mark.parametrize("spread", [False, True], ids=["evenly", "further apart where the part is"])
def test_the_faces_of_a_part_are_those_of_the_whole_video(tmp_path, spread):
    """All that it depends on are found, however far apart in time; few frames beyond them are looked at."""
    count, first = 230, 184
    times = [2 * min(i, 145) + 8 * max(i - 145, 0) if spread else 4 * i for i in range(count)]
    pictures = list(map(spotted, range(count)))
    clip = write(tmp_path / "in.mkv", pictures, codec="ffv1", times=times, time_base=Fraction(1, 100))
    options = Options(input=clip, model="lite")
    setup = Setup.resolve(options)
    with open_video(options) as decoder, Stages() as stage:
        rate = decoder.source.rate
        _, tracked = track_faces(options, setup, decoder, stage, networks=Spotted())
        whole = [(timestamp(frame), frame.time, faces) for frame, faces in tracked]
    part = record_part(
        options, setup, Spotted(), start=whole[first][1], frames=2, rate=rate, first=Fraction(0)
    )
    for pts, _, faces in whole[first - 42 : first + 44]:
        there = part.faces_at(pts)
        assert there is not None
        assert [face.strength for face in faces] == [face.strength for face in there]
        assert all(np.array_equal(a.landmarks, b.landmarks) for a, b in zip(faces, there, strict=True))
    assert spread or part.frames < 125
