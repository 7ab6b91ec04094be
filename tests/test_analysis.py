"""Faces written down and played back: the command, and that a recorded run has the live run's faces."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest
import torch

from tests.support.clips import pattern, write
from vidrestore.__main__ import main
from vidrestore.analysis import Analysis, analyze_video
from vidrestore.errors import DeviceError, InputError, UsageError
from vidrestore.faces.detection.load import load_detector
from vidrestore.faces.detection.working_size import working_size
from vidrestore.faces.face import Face
from vidrestore.faces.recorded.recording import TrackSummary
from vidrestore.faces.recorded.tracks_file import read_recording
from vidrestore.faces.tracking.live_source import LiveSource
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.thumbnails import Thumbnails
from vidrestore.media.timeline import Span
from vidrestore.options import Options
from vidrestore.stages.face_source import recorded_source
from vidrestore.stages.setup import AnalysisSetup

SCENES = Path(__file__).parents[1] / "samples" / "scenes.mkv"
PART = {"start": Fraction(2), "end": Fraction(14, 5)}  # one face, from 2.4 s on two others

Found = list[tuple[Fraction, tuple[Face, ...]]]


@pytest.fixture(scope="module")
def tracks_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("scenes") / "tracks.json"
    assert main(["analyze", str(SCENES), "-ss", "2", "-to", "2.8", "-o", str(path), "-q"]) == 0
    return path


def live() -> Found:
    with Decoder(SCENES, Span(**PART)) as decoder:
        size = decoder.first.upright_size
        small = working_size(*size)
        thumbnail = Thumbnails(*small)
        source = LiveSource(load_detector("retinaface_mobile0.25", "cpu"))
        scale = (size[0] / small[0], size[1] / small[1])
        frames = source.stream(((frame, thumbnail(frame)) for frame in decoder), scale)
        return [(frame.time, faces) for frame, faces in frames]


def recorded(path: Path, video: Path = SCENES, **options: object) -> Found:
    given = Options(input=video, output=Path("none.mkv"), tracks=path, **(PART | options))
    with Decoder(video, Span(given.start, given.stop)) as decoder:
        source = recorded_source(given, decoder)
        return [(frame.time, faces) for frame, faces in source.stream((frame, None) for frame in decoder)]


def edited(path: Path, folder: Path, track: int, **settings: object) -> Path:
    content = json.loads(path.read_text())
    next(entry for entry in content["tracks"] if entry["id"] == track).update(settings)
    (folder / "edited.json").write_text(json.dumps(content))
    return folder / "edited.json"


def assert_same(found: Found, expected: Found, tolerance: float) -> None:
    for (time, faces), (expected_time, expected_faces) in zip(found, expected, strict=True):
        assert time == expected_time
        assert [face.track for face in faces] == [face.track for face in expected_faces]
        for face, other in zip(faces, expected_faces, strict=True):
            np.testing.assert_allclose(face.box, other.box, rtol=0, atol=tolerance)
            np.testing.assert_allclose(face.landmarks, other.landmarks, rtol=0, atol=tolerance)
            assert face.strength == pytest.approx(other.strength, abs=tolerance / 100)


def test_a_recorded_run_has_the_faces_of_a_live_one(tracks_file):
    found = live()
    assert sum(len(faces) for _, faces in found) == 30
    assert_same(recorded(tracks_file), found, 0.0051)


def test_a_part_has_the_faces_of_its_frames(tracks_file):
    start, end = Fraction(11, 5), Fraction(13, 5)
    part = recorded(tracks_file, start=start, end=end)
    assert part[0][0] == start
    assert [len(faces) for _, faces in part] == [1] * 5 + [2] * 5
    assert_same(part, [(time, faces) for time, faces in recorded(tracks_file) if start <= time < end], 0)


def test_shots_and_persons_are_found(tracks_file):
    content = json.loads(tracks_file.read_text())
    assert content["shots"] == [2000, 2400]
    assert [person["id"] for person in content["persons"]] == [1, 2]
    assert [track["person"] for track in content["tracks"]] == [1, 2, 1]
    assert all(track["condition"]["size"] > 100 for track in content["tracks"])


def test_settings_reach_the_run(tracks_file, tmp_path):
    path = edited(tracks_file, tmp_path, 2, skip=True, name="Eileen")
    found = recorded(path, track_w=((1, 0.25), (1, 0.8), (2, 0.0)))
    assert {(face.track, face.adjustment.w) for _, faces in found for face in faces} == {(1, 0.8), (3, None)}
    with pytest.raises(UsageError, match=r"edited\.json has no track 9; it has 1, 2, 3"):
        recorded(path, track_w=((9, 0.5),))


@pytest.mark.parametrize(
    "part", [{"start": Fraction(0)}, {"end": None}, {"start": Fraction(19, 10)}], ids=str
)
def test_more_than_was_analyzed(tracks_file, part):
    with pytest.raises(InputError, match=r"tracks\.json covers scenes\.mkv only from 2 s to 2\.8 s"):
        recorded(tracks_file, **part)


def test_another_video_is_refused(tracks_file, tmp_path):
    other = write(tmp_path / "other.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(5)])
    with pytest.raises(InputError, match=r"for a 480x360 video \(scenes\.mkv\), but other\.mp4 is 64x48"):
        recorded(tracks_file, other, start=Fraction(0))
    late = write(
        tmp_path / "late.mkv",
        [pattern(0, 480, 360, "yuv420p") for _ in range(60)],
        times=[7 + 40 * i for i in range(60)],
        time_base=Fraction(1, 1000),
    )
    with pytest.raises(InputError, match=r"tracks\.json, made from scenes\.mkv, has no frame at"):
        recorded(tracks_file, late)


def test_a_video_that_lies_on_its_side(tmp_path):
    """Sizes are those of the upright picture, and times those of a stream that does not begin at zero."""
    turned = write(
        tmp_path / "turned.mkv",
        [pattern(i, 64, 48, "yuv420p") for i in range(5)],
        times=[500 + 40 * i for i in range(5)],
        time_base=Fraction(1, 1000),
        rotation=90,
    )
    path = tmp_path / "tracks.json"
    analyze_video(Options(input=turned, output=path))
    origin = json.loads(path.read_text())["input"]
    assert (origin["width"], origin["height"]) == (48, 64)
    assert len(recorded(path, turned, start=Fraction(0), end=None)) == 5
    assert len(recorded(path, turned, start=Fraction(2, 25), end=None)) == 3


def test_the_command_tells_who_is_who(tmp_path, capsys):
    path = tmp_path / "tracks.json"
    assert main(["analyze", str(SCENES), "-ss", "2.2", "-t", "0.4", "-o", str(path)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()[-5:]
    assert f"{path}: 10 frames, 15 faces, 3 tracks, 2 persons by their faces in " in lines[0]
    assert [line.split()[:5] for line in lines[1:]] == [
        ["person", "track", "from", "to", "frames"],
        ["1", "1", "0:00:02.20", "0:00:02.36", "5"],
        ["2", "2", "0:00:02.40", "0:00:02.56", "5"],
        ["1", "3", "0:00:02.40", "0:00:02.56", "5"],
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["tracks.json"]


def test_a_sheet_of_all_persons(tmp_path):
    path, sheet = tmp_path / "tracks.json", tmp_path / "tracks.png"
    words = ["analyze", str(SCENES), "-ss", "2.2", "-t", "0.4", "-o", str(path), "--sheet", str(sheet), "-q"]
    assert main(words) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tracks.json", "tracks.png"]
    assert cv2.imread(str(sheet)).std() > 40, "faces"
    assert main(words) == 1
    assert main([*words, "-y"]) == 0


def test_the_record_of_an_analysis(tmp_path):
    given = ["analyze", str(SCENES), "-o", str(tmp_path / "t.json"), "-t", "0.4", "-q"]
    page = tmp_path / "r.html"
    assert main([*given, "--report-json", str(tmp_path / "r.json"), "--report", str(page)]) == 0
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert (told["job"], told["restored"], told["flags"]) == ("analyze", 0, [])
    assert told["frames"] == len(told["record"]) == read_recording(tmp_path / "t.json").frames
    faces = [face for frame in told["record"] for face in frame["faces"]]
    assert faces
    assert all(face["size"] > 50 and face["score"] > 0.9 and face["region"] is None for face in faces)
    assert [person["tracks"] for person in told["persons"]] == [[1]]
    text = page.read_text(encoding="utf-8")
    assert "analysed    by vidrestore" in text
    assert "<dt>restored</dt>" not in text
    assert text.count("person 1 at ") == 6  # a strip of faces, read from the input


def test_a_table_of_many_tracks_is_short():
    tracks = {track: TrackSummary(0.0, 3661.5, 100 + track, 80) for track in range(1, 31)}
    setup = AnalysisSetup.resolve(Options(input=SCENES))
    lines = Analysis(
        output=Path("t.json"),
        frames=999,
        faces=999,
        tracks=tracks,
        persons={track: 1 + track % 2 for track in tracks},
        recognised_by="faces",
        seconds=1.0,
        setup=setup,
    ).table.splitlines()
    assert len(lines) == 22
    assert lines[1].split() == ["2", "11", "0:00:00.00", "1:01:01.50", "111", "80", "px"]
    assert lines[-1] == "and 10 shorter ones"


BAD = {
    "no input": (["gone.mp4", "-o", "t.json"], 1, "gone.mp4 does not exist"),
    "no output": (["clip.mp4"], 2, "required: -o/--output"),
    "it exists": (["clip.mp4", "-o", "mine.json"], 1, "mine.json exists; give -y to replace it"),
    "it is the input": (["clip.mp4", "-o", "clip.mp4", "-y"], 1, "clip.mp4 is the input itself"),
    "its folder is missing": (["clip.mp4", "-o", "no/t.json"], 1, "does not exist"),
    "a part beyond the end": (["clip.mp4", "-o", "t.json", "-ss", "9"], 1, "no frame in the selected part"),
    "a sheet that exists": (
        ["clip.mp4", "-o", "t.json", "--sheet", "mine.png"],
        1,
        "mine.png exists; give -y",
    ),
    "a sheet that is none": (["clip.mp4", "-o", "t.json", "--sheet", "t.txt"], 2, "use .png or .jpg"),
    "an option of restoring": (["clip.mp4", "-o", "t.json", "--crf", "9"], 2, "unrecognized arguments"),
}


@pytest.mark.parametrize(("argv", "code", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, capsys, argv, code, words):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "clip.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(5)])
    (tmp_path / "mine.json").write_text("mine")
    (tmp_path / "mine.png").write_text("mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert main(["analyze", *argv]) == code
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("error: ") == 1
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_yes_replaces_and_quiet_says_nothing(tmp_path, capsys):
    clip = write(tmp_path / "clip.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(5)])
    (tmp_path / "t.json").write_text("old")
    assert main(["analyze", str(clip), "-o", str(tmp_path / "t.json"), "-y", "-q"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert json.loads((tmp_path / "t.json").read_text())["frames"] == 5


def test_what_goes_wrong_while_writing_leaves_the_old_file(tmp_path, monkeypatch, capsys):
    clip = write(tmp_path / "clip.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(5)])
    (tmp_path / "t.json").write_text("old")

    def full(recording, file):
        file.write("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vidrestore.analysis.write_recording", full)
    assert main(["analyze", str(clip), "-o", str(tmp_path / "t.json"), "-y"]) == 1
    assert "t.json cannot be written: No space left on device" in capsys.readouterr().err
    assert (tmp_path / "t.json").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "t.json"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("1=2", "--track-w 1=2 is out of range"),
        ("1=-0.1", "--track-w 1=-0.1 is out of range"),
        ("1=nan", "--track-w 1=nan is out of range"),
        ("0=0.5", "--track-w 0=0.5 is out of range"),
        ("0.5", "--track-w cannot be '0.5'"),
        ("one=0.5", "--track-w cannot be 'one=0.5'"),
        ("1=0.5=", "--track-w cannot be '1=0.5='"),
    ],
)
def test_a_bad_track_w(words, said, capsys):
    assert main([str(SCENES), "o.mkv", "--track-w", words]) == 2
    assert said in capsys.readouterr().err


def test_an_analysis_tells_programs_how_far_it_is(tmp_path, capsys):
    clip = str(Path(__file__).parents[1] / "samples" / "portrait.mp4")
    tracks = str(tmp_path / "tracks.json")
    assert main(["analyze", clip, "-o", tracks, "-t", "0.1", "-q", "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [done] = [event for event in events if event["event"] == "done"]
    schema = json.loads((Path(__file__).parents[1] / "docs" / "progress.schema.json").read_text())
    for event in events:
        jsonschema.validate(event, schema)
    assert (done["frames"], done["tracks"], done["model"]) == (3, 1, "retinaface_mobile0.25")


def test_a_device_without_memory_is_one_sentence(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("vidrestore.analysis.track_faces", full)
    with pytest.raises(DeviceError, match="cpu has no memory left"):
        analyze_video(Options(input=SCENES, output=tmp_path / "tracks.json"))
    assert list(tmp_path.iterdir()) == []
