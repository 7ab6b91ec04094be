"""The command that makes a run again with something changed."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from vidrestore.cli_parser import analyze_parser, options_of, parse_restore
from vidrestore.options import ANALYSIS, Options
from vidrestore.review.commands import analyze_command, restore_command

PLAIN = {"input": "in.mp4", "output": "out put.mkv"}


def parsed(command: str) -> Options:
    program, *arguments = shlex.split(command)
    assert program == "vidrestore"
    return options_of(parse_restore(arguments))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"w": 0.3, "min_face": 0, "steady": "none", "start": "1:30.5", "duration": "1/3"},
        {"track_w": {3: 0.8, 4: 1}, "encoder_options": {"threads": "1"}, "codec": "ffv1", "offline": True},
        {"face": (1, 3), "tracks": "t.json", "person_w": {"Ada": 0.25}},
        {"w": "auto", "rate": "30000/1001", "batch": 4, "deinterlace": "off"},
    ],
)
def test_a_command_means_the_same_options(given):
    options = Options(**PLAIN, **given)
    assert parsed(restore_command(options)) == replace(options, overwrite=True)


def test_changes_replace_and_add():
    options = Options(**PLAIN, w=0.3, track_w={3: 0.8, 4: 0.5})
    changed = parsed(restore_command(options, w=0.9, track_w={4: 0.7, 5: 1.0}))
    assert (changed.w, dict(changed.track_w)) == (0.9, {3: 0.8, 4: 0.7, 5: 1.0})


def test_what_is_default_again_is_not_said():
    assert "--steady" not in restore_command(Options(**PLAIN, steady="none"), steady="all")


def test_analyze_covers_the_same_part_of_the_same_stream():
    given = {"start": "10:00", "duration": 60, "video_stream": 1, "deinterlace": "off", "rate": "24000/1001"}
    options = Options(**PLAIN, **given, w=0.3, offline=True, detector="retinaface_resnet50")
    program, command, *arguments = shlex.split(analyze_command(options))
    assert (program, command) == ("vidrestore", "analyze")
    found = options_of(analyze_parser().parse_args(arguments))
    for name in ANALYSIS:
        assert getattr(found, name) == getattr(options, name), name


def test_analyze():
    assert analyze_command(Options(**PLAIN)) == "vidrestore analyze in.mp4 -o in.tracks.json"
