"""Rendering again after an edit: only what has changed is restored, and OUT is that of a run from scratch."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from tests.support import reader
from tests.support.clips import pattern
from tests.support.tiny import save_weights
from vidrestore.analysis import analyze_video
from vidrestore.errors import InputError, UsageError
from vidrestore.media.output import segment_writer
from vidrestore.options import Options
from vidrestore.pipeline import restore_video
from vidrestore.report import Report
from vidrestore.stages import segment_keys

SAMPLE = Path(__file__).parents[1] / "samples" / "scenes.mkv"
LENGTH = 5  #: frames per segment
#: Frames of the short clip: one person, another one, both of them, and nobody.
SHOTS = (8, 7, 8, 7)
COUNT = sum(SHOTS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fourth frame of the sample of two persons, then a scene without faces; who is in it; and the
    weights of a quick network."""
    folder = tmp_path_factory.mktemp("reuse")
    with av.open(SAMPLE) as source, av.open(folder / "in.mkv", "w") as clip:
        sound, video = source.streams.audio[0], clip.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 480, 360, "yuv420p"
        copied = clip.add_stream_from_template(sound)
        for packet in source.demux(sound):
            if packet.dts is not None and packet.pts * packet.time_base < COUNT / 25:
                packet.stream = copied
                clip.mux(packet)
        source.seek(0)
        pictures = [*source.decode(video=0)][::4]
        pictures += [pattern(i, 480, 360, "yuv420p") for i in range(SHOTS[-1])]
        for number, picture in enumerate(pictures):
            picture.pts, picture.pict_type = number, 0
            picture.time_base = video.codec_context.time_base
            clip.mux(video.encode(picture))
        clip.mux(video.encode(None))
    save_weights(folder / "tiny.safetensors")
    analyze_video(Options(input=folder / "in.mkv", output=folder / "tracks.json"))
    return folder


def render(folder: Path, out: Path, length: int = LENGTH, **settings: Any) -> Report:
    given = {"input": folder / "in.mkv", "weights": folder / "tiny.safetensors", "precision": "fp32"}
    given |= {"codec": "ffv1", "steady": "codes", "min_face": 0, "max_sharpness": 0, "overwrite": True}
    return restore_video(Options(output=out, **given | settings), segment_length=length)


def content(out: Path) -> list[reader.Line]:
    """Every frame, and every packet of the other streams, with their times."""
    return [*reader.frames(out), *reader.packets(out, "0:a"), *reader.packets(out, "0:s?")]


def record(path: Path) -> list[Any]:
    """What was done to each face in each frame, as the record says."""
    return json.loads(path.read_text())["frames"]


@pytest.fixture(scope="module")
def kept(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with all segments of a run, and its OUT beside it."""
    kept = tmp_path_factory.mktemp("kept") / "store"
    report = render(folder, kept.with_name("out.mkv"), tracks=folder / "tracks.json", keep=kept)
    assert (report.frames, report.resumed) == (COUNT, 0)
    given = {"tracks": folder / "tracks.json", "report_json": kept.with_name("scratch.json")}
    render(folder, kept.with_name("scratch.mkv"), **given)
    assert content(kept.with_name("out.mkv")) == content(kept.with_name("scratch.mkv"))
    return kept


def edited(folder: Path, to: Path, edit: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of the tracks file, edited."""
    tracks = json.loads((folder / "tracks.json").read_text())
    edit(tracks)
    to.write_text(json.dumps(tracks))
    return to


def rename(tracks: dict[str, Any]) -> None:
    for number, entry in enumerate((*tracks["persons"], *tracks["tracks"])):
        entry["name"] = f"Someone {number}"


def merge(tracks: dict[str, Any]) -> None:
    for track in tracks["tracks"]:
        track["person"] = 1


def merge_and_set(tracks: dict[str, Any]) -> None:
    merge(tracks)
    tracks["persons"][0]["w"] = 0.5  # what it is without


def skip_second_shot(tracks: dict[str, Any]) -> None:
    tracks["tracks"][1]["skip"] = True


def weaken_a_span(tracks: dict[str, Any]) -> None:
    first = tracks["tracks"][0]
    first["spans"] = [{"from": 0.28, "to": 0.28, "strength": 0.5}]


def move(tracks: dict[str, Any]) -> None:
    last = tracks["faces"][max(tracks["faces"], key=int)]
    assert last == []
    tracks["faces"]["0"][0]["box"][0] += 1


def split_off(tracks: dict[str, Any]) -> None:
    tracks["tracks"][3]["person"] = 9
    tracks["persons"].append({"id": 9, "w": 1})


#: The edit, or options, and which of the six segments of five frames are restored again. The shots are
#: frames 0-7, 8-14, 15-22 and 23-29; a setting reaches a few frames further within its track.
EDITS: dict[str, tuple[Callable[[dict[str, Any]], None] | dict[str, Any], set[int]]] = {
    "nothing": ({}, set()),
    "names": (rename, set()),
    "two persons are one": (merge, set()),
    "two persons are one, with the w that they had": (merge_and_set, set()),
    "a track skipped": (skip_second_shot, {1, 2}),
    "a span's strength": (weaken_a_span, {0, 1}),
    "a face moved": (move, {0, 1}),
    "a person split off": (split_off, {3, 4}),
    "w of a track": ({"track_w": {2: 0.9}}, {1, 2}),
    "w of a person": ({"person_w": {"1": 0.9}}, {0, 1, 3, 4}),
    "w of all": ({"w": 0.9}, {0, 1, 2, 3, 4}),
    "strength of all": ({"strength": 0.5}, {0, 1, 2, 3, 4}),
    "how it is run": ({"batch": 3, "profile": True}, set()),
    "the encoder": ({"encoder_options": {"slices": "4"}}, {0, 1, 2, 3, 4, 5}),
}


#: Edits that are tried only with ``-m slow``: others are of their kind.
SLOW = ("a face moved", "a person split off", "w of all", "strength of all", "the encoder")


@pytest.mark.parametrize(
    ("edit", "restored"),
    [pytest.param(*EDITS[name], id=name, marks=[pytest.mark.slow] * (name in SLOW)) for name in EDITS],
)
def test_an_edit_restores_what_it_touches(folder, kept, tmp_path, monkeypatch, caplog, edit, restored):
    store = shutil.copytree(kept, tmp_path / "store")
    settings: dict[str, Any] = edit if isinstance(edit, dict) else {}
    tracks = folder / "tracks.json" if settings == edit else edited(folder, tmp_path / "t.json", edit)
    written = set()
    real = segment_writer.SegmentWriter.write

    def write(self: Any, frame: Any, info: Any) -> None:
        written.add(frame.index // LENGTH)
        real(self, frame, info)

    caplog.set_level(logging.INFO, "vidrestore")
    with monkeypatch.context() as patch:
        patch.setattr(segment_writer.SegmentWriter, "write", write)
        given = {"tracks": tracks, "report_json": tmp_path / "again.json", **settings}
        report = render(folder, tmp_path / "again.mkv", keep=store, **given)
    assert written == restored
    assert report.resumed == COUNT - LENGTH * len(restored)
    assert f"{6 - len(restored)} of 6 segments are reused" in caplog.text
    if not restored:
        assert content(tmp_path / "again.mkv") == content(kept.with_name("scratch.mkv"))
        assert record(tmp_path / "again.json") == record(kept.with_name("scratch.json"))
        return
    given["report_json"] = tmp_path / "scratch.json"
    scratch = render(folder, tmp_path / "scratch.mkv", **given)
    assert record(tmp_path / "again.json") == record(tmp_path / "scratch.json")
    assert content(tmp_path / "again.mkv") == content(tmp_path / "scratch.mkv")
    assert (report.frames, report.faces, report.tracks) == (scratch.frames, scratch.faces, scratch.tracks)
    # Both versions are in the store now.
    assert render(folder, tmp_path / "x.mkv", tracks=folder / "tracks.json", keep=store).resumed == COUNT


@pytest.mark.slow
def test_one_of_two_persons(folder, tmp_path):
    """The sample as it is, with everything held steady."""
    tracks = tmp_path / "tracks.json"
    analyze_video(Options(input=SAMPLE, output=tracks))
    persons = {entry["id"]: entry["person"] for entry in json.loads(tracks.read_text())["tracks"]}
    assert len(persons) == 4
    assert len(set(persons.values())) == 2
    settings = {"input": SAMPLE, "tracks": tracks, "steady": "all", "length": 10}
    before, after, scratch = (tmp_path / f"{name}.mkv" for name in ("before", "after", "scratch"))
    render(folder, before, keep=tmp_path / "store", **settings)
    # The first shot, frames 0 to 29, shows another person alone.
    second = {"person_w": {str(persons[2]): 0.9}}
    report = render(folder, after, keep=tmp_path / "store", **second, **settings)
    assert report.resumed == 30
    render(folder, scratch, **second, **settings)
    assert content(after) == content(scratch)
    changed = [a != b for a, b in zip(reader.frames(before), reader.frames(after), strict=True)]
    assert changed == [False] * 30 + [True] * 62


def test_without_a_tracks_file_faces_are_found_first(folder, tmp_path, monkeypatch, caplog):
    out, scratch = tmp_path / "out.mkv", tmp_path / "scratch.mkv"
    found = render(folder, scratch)
    report = render(folder, out, keep=tmp_path / "store")
    assert content(out) == content(scratch)
    assert (report.faces, report.tracks) == (found.faces, found.tracks)
    render(folder, scratch, track_w={2: 0.9})
    with monkeypatch.context() as patch:
        patch.setattr("vidrestore.stages.networks.load_detector", None)
        report = render(folder, out, keep=tmp_path / "store", track_w={2: 0.9})
    assert report.resumed == COUNT - 2 * LENGTH
    assert content(out) == content(scratch)
    for text in (tmp_path / "store").glob("*.text"):
        text.write_text("damaged\n{")
    assert render(folder, out, keep=tmp_path / "store").resumed == COUNT
    assert "is not JSON" in caplog.text


def test_a_part_of_a_video(folder, tmp_path):
    settings = {"tracks": folder / "tracks.json", "start": "0.2", "end": "0.96"}
    out, scratch = tmp_path / "out.mkv", tmp_path / "scratch.mkv"
    assert render(folder, out, keep=tmp_path / "store", **settings).frames == 19
    again = settings | {"track_w": {2: 0.9}}
    assert render(folder, out, keep=tmp_path / "store", **again).resumed == 9
    render(folder, scratch, **again)
    assert content(out) == content(scratch)


def test_a_run_cut_short_leaves_its_segments(folder, kept, tmp_path):
    store = shutil.copytree(kept, tmp_path / "store")
    out, scratch = tmp_path / "out.mkv", tmp_path / "scratch.mkv"
    settings = {"tracks": folder / "tracks.json", "person_w": {"1": 0.7}}

    def stop(frames: int, faces: int) -> None:
        if frames >= 22:
            raise KeyboardInterrupt

    given = {"input": folder / "in.mkv", "weights": folder / "tiny.safetensors", "precision": "fp32"}
    given |= {"codec": "ffv1", "steady": "codes", "min_face": 0, "max_sharpness": 0}
    with pytest.raises(KeyboardInterrupt):
        restore_video(Options(output=out, keep=store, **given | settings), stop, segment_length=LENGTH)
    assert not out.exists()
    shutil.rmtree(tmp_path / ".out.mkv.vidrestore")
    report = render(folder, out, keep=store, **settings)
    assert report.resumed == COUNT - LENGTH
    render(folder, scratch, **settings)
    assert content(out) == content(scratch)


@pytest.mark.parametrize("harm", ["damaged", "another version", "another input"])
def test_what_cannot_be_used_is_restored_again(folder, kept, tmp_path, monkeypatch, harm):
    store, source = shutil.copytree(kept, tmp_path / "store"), folder / "in.mkv"
    if harm == "damaged":
        for segment in store.glob("*.segment"):
            with segment.open("r+b") as file:
                file.seek(500)
                file.write(b"damage")
    elif harm == "another version":
        monkeypatch.setattr(segment_keys, "code_fingerprint", lambda: "another")
    else:
        source = tmp_path / "in.mkv"
        shutil.copyfile(folder / "in.mkv", source)
    out = tmp_path / "out.mkv"
    settings = {"tracks": folder / "tracks.json", "keep": store, "input": source}
    assert render(folder, out, **settings).resumed == 0
    assert content(out) == content(kept.with_name("out.mkv"))
    assert render(folder, out, **settings).resumed == COUNT


def test_a_store_that_cannot_be_written_does_not_stop_a_run(folder, kept, tmp_path, monkeypatch, caplog):
    store = shutil.copytree(kept, tmp_path / "store")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("vidrestore.media.output.segment_store.locked", refuse)
    settings = {"tracks": folder / "tracks.json", "track_w": {2: 0.9}}
    assert render(folder, tmp_path / "out.mkv", keep=store, **settings).resumed == COUNT - 2 * LENGTH
    assert caplog.text.count("cannot be written: Permission denied") == 1
    render(folder, tmp_path / "scratch.mkv", **settings)
    assert content(tmp_path / "out.mkv") == content(tmp_path / "scratch.mkv")


def test_faces_of_other_frames_are_refused(folder, tmp_path):
    def drop(tracks: dict[str, Any]) -> None:
        tracks["faces"].pop(sorted(tracks["faces"], key=int)[12])
        tracks["frames"] -= 1

    tracks = edited(folder, tmp_path / "t.json", drop)
    with pytest.raises(InputError, match=r"does not list the frames .* a frame at 0\.480 s"):
        render(folder, tmp_path / "out.mkv", tracks=tracks, keep=tmp_path / "store")
    assert not (tmp_path / "out.mkv").exists()


def test_output_without_segments_is_refused(folder, tmp_path):
    with pytest.raises(UsageError, match="--keep needs an OUT that is a file"):
        render(folder, Path("-"), keep=tmp_path / "store")
