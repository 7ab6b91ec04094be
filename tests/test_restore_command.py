"""The main command: one file or many, what it says, and that a killed batch continues."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from tests.support.clips import write
from tests.support.platforms import posix
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.__main__ import main

ROOT = Path(__file__).parents[1]
SCHEMA = json.loads((ROOT / "docs" / "progress.schema.json").read_text())
CLIPS = {"a.mp4": 3, "b.mov": 3, "c.mkv": 24, "d.mp4": 3, "sub/e.avi": 3}
#: A killed run is to have finished a segment of a short clip.
LENGTH = 4
_RUN = f"""
import functools, sys
from vidrestore import one_file
from vidrestore.__main__ import main
one_file.restore_video = functools.partial(one_file.restore_video, segment_length={LENGTH})
sys.exit(main(sys.argv[1:]))
"""
#: Every face is restored, by a quick network.
_SETTINGS = (
    "-c:v libx264 --encoder-opt x264-params=cpu-independent=1 -f mp4 --min-face 0 --max-sharpness 0 "
    "--precision fp32 --weights tiny.safetensors"
)
SETTINGS = _SETTINGS.split()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``in``, in which there are five clips, and weights of a quick network."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "in" / "sub").mkdir(parents=True)
    for number, (name, count) in enumerate(CLIPS.items()):
        frames = [face_frame(96, 72, "yuv420p", shift=i + number) for i in range(count)]
        codec = "mpeg4" if name.endswith("avi") else "libx264"
        write(folder / "in" / name, frames, codec=codec, audio=0 if codec == "mpeg4" else 1)
    (folder / "in" / "readme.txt").write_text("no video")
    save_weights(folder / "tiny.safetensors")
    return folder


@pytest.fixture
def work(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a copy of it."""
    shutil.copytree(clips, tmp_path / "work")  # with the times of the files
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that is to be seen."""
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    seen = [path for path in paths if not any(part.startswith(".") for part in path.parts)]
    return {path.as_posix(): (folder / path).read_bytes() for path in seen}


@posix
@pytest.mark.slow
def test_a_batch_killed_during_the_third_of_five_ends_as_if_it_had_not_been(work):
    given = [sys.executable, "-c", _RUN, "in", "out/", "--recursive", *SETTINGS]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(given, env=environment, stderr=subprocess.PIPE)
    begun = work / "out" / ".c.mp4.vidrestore"
    deadline = time.monotonic() + 300
    while not (begun / f"{2 * LENGTH:010}.segment").exists() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.kill()
    run.communicate()
    assert sorted(contents(work / "out")) == ["a.mp4", "b.mp4"]
    assert len(list(begun.glob("*.segment"))) >= 3
    times = {name: (work / "out" / name).stat().st_mtime_ns for name in ("a.mp4", "b.mp4")}
    again = subprocess.run(given, env=environment, stderr=subprocess.PIPE, text=True)
    assert again.returncode == 0, again.stderr
    assert "resuming after" in again.stderr
    assert "out: 3 files restored, 2 finished before; 1 file is neither a video nor a photo" in again.stderr
    assert times == {name: (work / "out" / name).stat().st_mtime_ns for name in times}
    assert not [path for path in (work / "out").rglob(".*") if path.name != ".vidrestore-batch.jsonl"]

    subprocess.run([*given[:4], "whole/", *given[5:]], env=environment, check=True)
    assert contents(work / "out") == contents(work / "whole")
    assert len(contents(work / "whole")) == 5
    for name in CLIPS:
        single = Path(name).with_suffix(".mp4")
        single = work / "single" / single.name
        single.parent.mkdir(exist_ok=True)
        subprocess.run([*given[:3], f"in/{name}", str(single), *SETTINGS], env=environment, check=True)
        assert single.read_bytes() == (work / "whole" / Path(name).with_suffix(".mp4")).read_bytes()


@posix
def test_a_batch_that_is_interrupted_says_in_one_sentence_how_far_it_is(work):
    (work / "in" / "a0.mp4").write_bytes(b"no video")
    given = [sys.executable, "-c", _RUN, "in", "out/", *SETTINGS]
    run = subprocess.Popen(
        given, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not (work / "out" / ".c.mp4.vidrestore" / "0000000000.segment").exists() and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    said = run.communicate(timeout=120)[1].splitlines()
    assert run.returncode == 130
    assert said[-1].startswith("vidrestore: error: interrupted; ")
    assert said[-1].endswith("run the same command again to resume; 2 files restored, 1 failed")
    assert [line for line in said if "error" in line] == said[-2:]
    assert "in/a0.mp4" in said[-2]


def test_the_networks_are_loaded_once_and_what_is_chosen_is_said_once(work, monkeypatch, capsys):
    loaded = []
    from vidrestore.stages import models

    real = models.load_restorer
    monkeypatch.setattr(
        models, "load_restorer", lambda *given, **named: loaded.append(given) or real(*given, **named)
    )
    assert main(["in/a.mp4", "in/d.mp4", "out/", "--min-face", "999"]) == 0
    assert len(loaded) == 1
    assert capsys.readouterr().err.count("using the embedded model lite") == 1


@posix
def test_a_log_has_whole_lines_and_failures_at_the_end_in_one_line_each(work, capsys):
    (work / "in" / "bad\nname.mp4").write_bytes(b"no video")
    assert main(["in", "out/", *SETTINGS[:-2], "--model", "lite", "--min-face", "999"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "\r" not in said.err
    lines = said.err.splitlines()
    assert all(line.startswith("vidrestore: ") for line in lines)
    assert lines[-1].startswith("vidrestore: error: in/bad\\nname.mp4 cannot be read as a video")
    assert lines[-2].startswith("vidrestore: out: 4 files restored, 1 failed; 1 file is neither")


def test_programs_are_told_in_json_what_is_done(work, capsys):
    (work / "in" / "bad.mp4").write_bytes(b"no video")
    given = ["in/bad.mp4", "in/a.mp4", "out/", "--progress", "json", *SETTINGS]
    assert main([*given, "-q"]) == 1
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for event in events:
        jsonschema.validate(event, SCHEMA)
    done = next(event for event in events if event["event"] == "done")
    assert (done["file"], done["output"], done["frames"], done["faces"]) == ("in/a.mp4", "out/a.mp4", 3, 3)
    assert events[-1]["failed"] == 1


def test_one_file_is_told_of_in_the_same_way(work, capsys):
    assert main(["in/a.mp4", "o.mp4", "--progress", "json", *SETTINGS]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for event in events:
        jsonschema.validate(event, SCHEMA)
    assert [event["event"] for event in events if event["event"] not in ("message", "progress")] == [
        *("begin", "file", "done", "end")
    ]
    assert main(["in/a.mp4", "-", "--progress", "json"]) == 2
    assert "--progress json is printed on standard output" in capsys.readouterr().err


def test_a_folder_that_is_watched_is_worked_through_until_it_is_interrupted(work, monkeypatch, capsys):
    steps = [
        lambda: shutil.copy("in/a.mp4", "watched/a.mp4"),
        None,
        None,
        None,
        lambda: shutil.copy("in/d.mp4", "watched/a2.mp4"),
        None,
        None,
        None,
        lambda: Path("watched/bad.mp4").write_bytes(b"no video"),
        None,
        None,
        lambda: failures.append([line for line in capsys.readouterr().err.splitlines() if "bad" in line]),
        signal.raise_signal,
    ]
    failures = []
    (work / "watched").mkdir()

    def wait(seconds: float) -> None:
        step = steps.pop(0)
        if step is signal.raise_signal:
            step(signal.SIGINT)
        elif step:
            step()

    monkeypatch.setattr("vidrestore.restore_command.time.sleep", wait)
    given = ["--watch", "watched", "out/", *SETTINGS]
    assert main(given) == 130
    assert sorted(contents(work / "out")) == ["a.mp4", "a2.mp4"]
    # A failure is said when it happens, as there is no end.
    assert [line.startswith("vidrestore: warning: watched/bad.mp4") for line in failures[0]] == [True]
    said = capsys.readouterr().err.splitlines()
    assert said == ["vidrestore: error: interrupted; 2 files restored, 1 failed"]
    (work / "watched" / "bad.mp4").unlink()
    steps[:] = [None, None, None, signal.raise_signal]
    assert main(given) == 130
    assert capsys.readouterr().err.splitlines()[-1].endswith("0 files restored, 2 finished before")


def test_a_dry_run_lists_the_files(work, capsys):
    assert main(["in", "out/", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "in/a.mp4 -> out/a.mp4",
        "in/b.mov -> out/b.mov",
        "in/c.mkv -> out/c.mkv",
        "in/d.mp4 -> out/d.mp4",
        "1 file is neither a video nor a photo",
        "1 folder in a folder is left out (--recursive enters them)",
    ]
    assert main(["in", "out/", "--dry-run", "--json", "--recursive"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["files"][4] == {"input": "in/sub/e.avi", "output": "out/sub/e.mkv", "finished": False}
    assert not (work / "out").exists()


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (["empty", "out/"], 1, "there are no videos or photos in empty"),
        (["*.mp4", "out/"], 1, "*.mp4 does not exist, and as a pattern it matches no file"),
        (["film [1080p].mkv", "o.mkv"], 1, "film [1080p].mkv does not exist, and as a pattern"),
        (["in/a.mp4", "in/d.mp4", "out/", "--profile"], 2, "--profile belongs to one input"),
        (["in/a.mp4", "in/d.mp4", "o.mp4"], 2, "there are several inputs, so OUT must be a folder"),
        (["in", "in/"], 2, "is the folder of the inputs"),
        (["--watch", "gone", "out/"], 1, "gone is not a folder"),
        (["in", "out/", "--report", "r.html"], 2, "--report belongs to one input"),
    ],
)
def test_wrong_usage_is_one_sentence(work, capsys, argv, code, words):
    (work / "empty").mkdir()
    assert main([*argv, "--model", "lite"]) == code
    said = capsys.readouterr()
    assert [words in line for line in said.err.splitlines() if "error: " in line] == [True]
    assert said.out == ""
