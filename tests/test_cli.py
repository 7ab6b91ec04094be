"""The command line: one sentence and the right exit code for everything that can be wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import av
import pytest
import torch

from tests.support import reader
from tests.support.clips import pattern, tone, write
from tests.support.platforms import posix
from vidrestore import __version__
from vidrestore.__main__ import main

CLIP = "clip.mp4"
_RESNET = "retinaface_resnet50"
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a good clip in it."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / CLIP, [pattern(i, 64, 48, "yuv420p") for i in range(5)])
    return tmp_path


def _file(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def _audio_only(folder: Path) -> None:
    with av.open(str(folder / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        tone(container, stream, 440.0, 0.5)


def _truncated(folder: Path) -> None:
    whole = (folder / CLIP).read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])


def _other_weights(folder: Path) -> None:
    torch.save({"params_ema": {"conv.weight": torch.zeros(3)}}, folder / "x.pth")


BAD = {
    "no such file": (None, ["gone.mp4", "o.mp4"], 1, "gone.mp4 does not exist"),
    "a folder": (None, [".", "o.mp4"], 2, "is a folder"),
    "text": (
        _file("text.mp4", b"words " * 99),
        ["text.mp4", "o.mp4"],
        1,
        "text.mp4 cannot be read as a video",
    ),
    "empty": (_file("empty.mp4", b""), ["empty.mp4", "o.mp4"], 1, "empty.mp4 is empty"),
    "audio only": (_audio_only, ["sound.mp4", "o.mp4"], 1, "holds no video stream"),
    "truncated": (_truncated, ["cut.mp4", "o.mp4"], 1, "cut.mp4 cannot be read"),
    "OUT exists": (_file("o.mp4", b"mine"), [CLIP, "o.mp4"], 1, "o.mp4 exists; give -y"),
    "OUT is IN": (None, [CLIP, CLIP, "-y"], 1, "is the input itself"),
    "OUT's folder missing": (None, [CLIP, "no/o.mp4"], 1, "does not exist"),
    "OUT's work folder in the way": (
        _file(".o.mp4.vidrestore", b"mine"),
        [CLIP, "o.mp4"],
        1,
        "o.mp4 cannot be written",
    ),
    "unknown ending": (None, [CLIP, "o.docx"], 2, "'o.docx' does not have the extension of a container"),
    "w = 2": (None, [CLIP, "o.mp4", "--w", "2"], 2, "--w must be between 0 and 1, or auto, not 2"),
    "w = -0.1": (None, [CLIP, "o.mp4", "--w", "-0.1"], 2, "--w must be between 0 and 1"),
    "w = nan": (None, [CLIP, "o.mp4", "--w", "nan"], 2, "--w must be between 0 and 1"),
    "w = much": (None, [CLIP, "o.mp4", "--w", "much"], 2, "--w cannot be 'much'"),
    "steady = hand": (None, [CLIP, "o.mp4", "--steady", "hand"], 2, "--steady cannot be 'hand'"),
    "strength = 2": (None, [CLIP, "o.mp4", "--strength", "2"], 2, "--strength must be between 0 and 1"),
    "no tracks file": (None, [CLIP, "o.mp4", "--tracks", "t.json"], 1, "t.json"),
    "unknown encoder": (None, [CLIP, "o.mp4", "-c:v", "h266"], 2, "unknown encoder 'h266'"),
    "an empty encoder": (None, [CLIP, "o.mp4", "-c:v", ""], 2, "unknown encoder ''"),
    "unknown preset": (None, [CLIP, "o.mp4", "--preset", "warp"], 2, "no preset 'warp'"),
    "unknown pixel format": (None, [CLIP, "o.mp4", "--pix-fmt", "rgb565"], 2, "cannot write pixel format"),
    "unknown model": (None, [CLIP, "o.mp4", "--model", "gfpgan"], 2, "--model must be one of"),
    "unknown device": (None, [CLIP, "o.mp4", "--device", "abacus"], 2, "unknown device 'abacus'"),
    "no such device": (None, [CLIP, "o.mp4", "--device", "cuda:77"], 1, "no device cuda:77"),
    "batch 0": (None, [CLIP, "o.mp4", "--batch", "0"], 2, "--batch must be between 1"),
    "a time that is none": (None, [CLIP, "o.mp4", "-ss", "soon"], 2, "-ss cannot be 'soon'"),
    "an end before the start": (None, [CLIP, "o.mp4", "-ss", "2", "-to", "1"], 2, "-to 1 is not after -ss 2"),
    "a part beyond the end": (None, [CLIP, "o.mp4", "-ss", "99"], 1, "no frame in the selected part"),
    "missing weights file": (None, [CLIP, "o.mp4", "--weights", "w.pth"], 1, "w.pth"),
    "another network's weights": (
        _other_weights,
        [CLIP, "o.mp4", "--weights", "x.pth"],
        1,
        "holds the weights of no network",
    ),
    "weights that are text": (_file("w.pth", b"hello"), [CLIP, "o.mp4", "--weights", "w.pth"], 1, "w.pth"),
    "weights that are not here": (
        None,
        [CLIP, "o.mp4", "--model", "codeformer"],
        1,
        "vidrestore weights get codeformer",
    ),
    "a detector that is not here": (
        None,
        [CLIP, "o.mp4", "--detector", "retinaface_resnet50"],
        1,
        "retinaface_resnet50",
    ),
    "unknown option": (None, [CLIP, "o.mp4", "--wow"], 2, "unrecognized arguments: --wow"),
    "no arguments": (None, [], 2, "required: IN, OUT"),
    "unknown weights": (None, ["weights", "get", "gpt"], 2, "gpt"),
    "no store": (None, ["store", "list", "none"], 1, "a run with --keep makes one"),
    "a folder that is no store": (None, ["store", "clear", "."], 1, "is not a store of segments"),
    "keep in a folder that is no store": (None, [CLIP, "o.mkv", "--keep", "."], 1, "is not a store"),
    "no size": (None, ["store", "limit", ".", "much"], 2, "give one such as 20GB, or none"),
}


@pytest.mark.parametrize(("prepare", "argv", "code", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_sentence(folder, capsys, prepare, argv, code, words):
    if prepare:
        prepare(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert main(argv) == code
    said = capsys.readouterr()
    errors = [line for line in said.err.splitlines() if "error: " in line]
    assert len(errors) == 1, said.err
    assert words in errors[0]
    assert "Traceback" not in said.err
    assert said.out == ""
    # Nothing new, nothing changed: no OUT, no partial, IN and an OUT that was there as they were.
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_folder_without_permission_is_one_sentence(folder, monkeypatch, capsys):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert main([CLIP, "o.mp4"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == f"vidrestore: error: the folder {folder} cannot be written to: permission denied"
    assert [path.name for path in folder.iterdir()] == [CLIP]


def test_version_and_help_are_quick_and_right():
    command = [sys.executable, "-m", "vidrestore"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"vidrestore {__version__}\n"
    usage = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    for words in ("--w W", "-ss TIME", "vidrestore weights get NAME", "Exit codes"):
        assert words in usage


def test_a_dry_run_says_what_and_does_nothing(folder, capsys):
    assert main([CLIP, "o.mp4", "--dry-run", "--w", "0.7"]) == 0
    said = capsys.readouterr().out
    for words in ("h264, 64x48 yuv420p", "w 0.7", "libx264", "would write o.mp4", "retinaface_mobile0.25"):
        assert words in said
    assert [path.name for path in folder.iterdir()] == [CLIP]


def test_weights_are_listed(capsys):
    assert main(["weights"]) == 0
    said = capsys.readouterr().out
    for words in (
        "codeformer",
        "non-commercial",
        "vidrestore weights get codeformer",
        "lite",
        "embedded",
        "MIT",
    ):
        assert words in said


def test_quiet_says_nothing_and_auto_says_which_model(folder, capsys):
    assert main([CLIP, "o.mp4", "-q"]) == 0
    quiet = capsys.readouterr()
    assert "frames/s" not in quiet.err
    assert main([CLIP, "o.mp4", "-y"]) == 0
    assert "lite" in capsys.readouterr().err


@posix
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_interrupted_run_leaves_nothing(folder, number, code):
    write(folder / "long.mp4", [pattern(i, 320, 240, "yuv420p") for i in range(300)])
    sent = getattr(signal, number)
    process = subprocess.Popen(
        [sys.executable, "-m", "vidrestore", "long.mp4", "o.mp4", "--model", "lite", "--preset", "placebo"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(sent, signal.SIG_DFL),  # under nohup, the tests ignore SIGHUP
    )
    # The partial file is there from when the work begins.
    deadline = time.monotonic() + 120
    while not (folder / ".o.mp4.vidrestore" / "partial.mp4").exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(sent)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert sorted(path.name for path in folder.iterdir()) == [CLIP, "long.mp4"]


def test_a_signal_that_a_library_turns_into_another_error_still_ends_the_run_as_one(monkeypatch, capsys):
    def run(arguments, check):
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise RuntimeError("an extension's own words") from None

    monkeypatch.setattr("vidrestore.cli.run", run)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert main([]) == 143
    assert "extension" not in capsys.readouterr().err
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@posix
def test_a_signal_that_is_ignored_stays_so(monkeypatch):
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr("vidrestore.cli.run", lambda *_: signal.raise_signal(signal.SIGHUP) or 0)
        assert main([]) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@posix
def test_out_is_checked_before_a_pipe_is_read(folder, capsys):
    (folder / "o.mp4").write_bytes(b"mine")
    os.mkfifo(folder / "pipe")  # opening it would wait for a writer
    assert main(["pipe", "o.mp4"]) == 1
    assert "o.mp4 exists; give -y" in capsys.readouterr().err
    (folder / "r.html").write_bytes(b"mine")
    for argv, words in {
        ("new.xyz",): "does not have the extension of a container",
        ("new.mp4", "--report", "r.html"): "r.html exists",
        ("new.mp4", "--report-json", "none/r.json"): "none does not exist",
        ("new.mp4", "--compare", "o.mp4"): "o.mp4 exists",
        ("none/new.png",): "none does not exist",
    }.items():
        assert main(["pipe", *argv]) in (1, 2)
        assert words in capsys.readouterr().err


_STUCK = """
import sys, time
import vidrestore.cli
from vidrestore.__main__ import main

def run(arguments, check):
    word = "begun"
    while True:
        try:
            print(word, flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            word = "again"

vidrestore.cli.run = run
main([])
"""


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_a_run_that_does_not_hear_the_first(number, code):
    process = subprocess.Popen([sys.executable, "-c", _STUCK], stdout=subprocess.PIPE, text=True)
    try:
        for word in ("begun", "again"):
            assert process.stdout.readline().strip() == word
            process.send_signal(number)
        assert process.wait(60) == code
    finally:
        process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_whose_exception_is_ignored_still_ends_the_run(monkeypatch, capsys, number, code):
    def run(arguments, check):
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
        if arguments:
            check()
            pytest.fail("the run goes on")
        return 0

    monkeypatch.setattr("vidrestore.cli.run", run)
    for arguments in ([], ["in.mp4"]):
        assert main(arguments) == code
        assert "error: " in capsys.readouterr().err


@posix
@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("probe - <&-", 2, "standard input is closed"),
        (f"{CLIP} - >&-", 2, "standard output is closed"),
        pytest.param(
            f"probe {CLIP} >/dev/full",
            1,
            "standard output cannot be written: No space left on device",
            marks=FULL,
        ),
        pytest.param("--help >/dev/full", 1, "standard output cannot be written", marks=FULL),
    ],
)
def test_closed_and_full_standard_streams(folder, command, code, words):
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m vidrestore {command}', sys.executable], stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


@posix
@pytest.mark.parametrize(
    "errors",
    ["2>&-", pytest.param("2>/dev/full", marks=FULL), pytest.param("2>&- <&- >&-", marks=pytest.mark.slow)],
)
def test_a_run_whose_messages_cannot_be_printed_goes_on(folder, errors):
    command = f'"$0" -m vidrestore {CLIP} o.mkv -c:v libx264 --model lite {errors}'
    done = subprocess.run(["sh", "-c", command, sys.executable], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert len(reader.frames(folder / "o.mkv")) == 5


@posix
@pytest.mark.parametrize("encoding", ["ascii", pytest.param("cp1252", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["film \u6620\u753b.mkv", "bad \udcff.mkv"], ids=["Japanese", "no text"])
def test_what_standard_output_cannot_encode_is_escaped(folder, encoding, name):
    (folder / CLIP).rename(folder / name)
    for command in (["probe", name], [name, "\u51fa.mkv", "--dry-run"], ["probe", "--json", name]):
        done = subprocess.run(
            [sys.executable, "-m", "vidrestore", *command],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 0, done.stderr
        assert b"64x48" in done.stdout or b'"width": 64' in done.stdout
        done.stdout.decode(encoding)


def test_a_store_is_listed_limited_and_cleared(folder, capsys):
    args = [CLIP, "o.mkv", "--keep", "kept", "--model", "lite", "-q", "-y"]
    assert main(args) == 0
    capsys.readouterr()
    assert main(["store", "list", "kept"]) == 0
    said = capsys.readouterr().out
    assert f"{CLIP}, libx264" in said
    assert ": 1 segment, " in said
    assert said.endswith("no limit\n")
    assert main(["store", "limit", "kept", "1GB"]) == 0
    assert capsys.readouterr().out.endswith("of at most 1.0 GB\n")
    assert main(["store", "clear", "kept"]) == 0
    assert capsys.readouterr().out == "0 B, of at most 1.0 GB\n"
