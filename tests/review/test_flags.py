"""Flags: a planted fault of each kind is found in its frames, and nothing is in a clean run."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support.notes import face, frames, left_alone, lit
from vidrestore.cli_parser import options_of, parse_restore
from vidrestore.options import Options
from vidrestore.restoration.fidelity.rules import Gates
from vidrestore.restoration.guarded import Guards
from vidrestore.restoration.temporal.face_crop import Likeness
from vidrestore.review.entries import frame_entries
from vidrestore.review.flags import KINDS, Flag, FlagFinder, what_to_change, what_was_done

OPTIONS = Options(input=Path("my clip.mp4"), output=Path("out.mkv"), w=0.5)
#: For each kind: a face that has the fault, and what is said to be done about it.
FAULTS = {
    "identity": (face(guards=Guards(0.5, 0.3, 0.1, 0, 0, 0)), "the input took the place of 10% of the face"),
    "reference": (
        face(likeness=Likeness(0.3, 0.55, 0.6, 0.5), guards=Guards(0.8, 0.01, 0, 0, 0, 0), strength=0.5),
        "w raised to 0.80; held to its photograph; restored at 50%",
    ),
    "flicker": (face(light=lit(np.tile([[4.0, -4.0]], (8, 4)))), "restored"),
    "light": (face(light=lit(4)), "restored"),
    "tiny": (left_alone(gates=Gates(0.1, 1, 1), size=21), "left alone: its samples are the input's"),
    "turned": (face(gates=Gates(1, 1, 0.3), yaw=0.7, strength=0.3), "restored at 30%"),
    "in front": (face(covered=0.2), "what lies over it was left as it is"),
    "worn": (face(worn=0.8), "cleaned, without new edges"),
    "guard": (
        face(guards=Guards(0.8, 0.02, 0, 0.4, 0, 0)),
        "w raised to 0.80; the input took the place of 40% of the left eye",
    ),
    "gap": (face(score=0.0), "restored"),
    "score": (face(score=0.6), "restored"),
}


def flags_of(*faces) -> list[Flag]:
    finder = FlagFinder()
    for frame in frame_entries(frames(*faces), Fraction(1, 25), Fraction(0)):
        finder.add(frame)
    return finder.flags


def test_a_clean_run_has_no_flag():
    slowly = [face(light=lit(level)) for level in np.linspace(0, 1, 20)]
    assert flags_of(*([face(1), face(2)] for _ in range(20))) == []
    assert flags_of(*([each] for each in slowly)) == []
    assert flags_of([left_alone(gates=Gates(1, 0, 1))]) == []  # it is sharp already


def test_each_kind_can_be_planted():
    assert FAULTS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_flagged_at_its_frames(kind):
    fault, done = FAULTS[kind]
    faces = [[face(2), fault if 8 <= index < 12 else face()] for index in range(30)]
    found = [flag for flag in flags_of(*faces) if flag.kind == kind]
    others = {flag.kind for flag in flags_of(*faces)} - {kind}
    assert others <= ({"light", "flicker", "guard", "identity"} if kind in ("flicker", "light") else set())
    assert (found[0].track, found[0].first) == (1, 8)
    assert found[-1].last == (12 if kind == "flicker" else 11)  # the return is a change, too
    assert found[0].start == pytest.approx(8 / 25)
    assert found[0].severity >= 1
    assert what_was_done(found[0]) == done
    filled = "what lies over it was filled" if kind == "in front" else done
    assert what_was_done(found[0], task="inpaint") == filled
    assert found[0].title in {each.title for each in KINDS.values()}
    assert found[0].shown_value


def test_spans_are_joined_over_short_gaps_and_have_their_worst_frame():
    covered = {5: 0.15, 8: 0.3, 15: 0.2, 40: 0.2}
    found = flags_of(*([face(covered=covered.get(index, 0.0))] for index in range(60)))
    assert [(flag.first, flag.last, flag.frames, flag.worst) for flag in found] == [
        (5, 15, 3, 8),
        (40, 40, 1, 40),
    ]
    assert found[0].value == 0.3
    assert found[0].entry.note.covered == 0.3


def test_tracks_have_their_own_spans():
    found = flags_of(*([face(1, covered=0.2), face(2, covered=0.2)] for _ in range(3)))
    assert [(flag.track, flag.frames) for flag in found] == [(1, 3), (2, 3)]


@pytest.mark.parametrize("kind", FAULTS)
def test_there_is_a_command_for_each(kind):
    fault, _ = FAULTS[kind]
    flag = next(flag for flag in flags_of([face()], [fault]) if flag.kind == kind)
    words, command = what_to_change(flag, OPTIONS)
    assert words
    program, *arguments = shlex.split(command)
    assert program == "vidrestore"
    if arguments[0] == "analyze":
        assert arguments[1] == "my clip.mp4"
    else:
        changed = options_of(parse_restore(arguments))
        assert changed.overwrite
        assert changed != Options(input=OPTIONS.input, output=OPTIONS.output, w=0.5, overwrite=True)


@pytest.mark.parametrize(
    ("kind", "given", "word"),
    [
        ("worn", {}, "--model codeformer"),
        ("worn", {"model": "codeformer"}, "analyze"),
        ("gap", {"detector": "retinaface_resnet50"}, "analyze"),
        ("flicker", {}, "--track-w 1=0.8"),
        ("tiny", {}, "--min-face 14"),
    ],
)
def test_the_command_changes_what_is_not_set_yet(kind, given, word):
    flag = next(flag for flag in flags_of([face()], [FAULTS[kind][0]]) if flag.kind == kind)
    given = {"input": "in.mp4", "output": "o.mkv"} | given
    command = what_to_change(flag, Options(**given))[1]
    assert word in command


def test_what_is_set_by_hand_is_set_in_the_tracks_file_that_there_is():
    flag = next(flag for flag in flags_of([face()], [FAULTS["score"][0]]) if flag.kind == "score")
    words, command = what_to_change(flag, Options(input="in.mp4", output="o.mkv", tracks="a/who.json"))
    assert words.endswith('"skip": true to track 1 of who.json')
    assert command == "vidrestore in.mp4 o.mkv -y --tracks a/who.json"


def test_a_run_that_was_not_held_steady_is_to_be():
    flag = next(flag for flag in flags_of([face()], [FAULTS["flicker"][0]]) if flag.kind == "flicker")
    words, command = what_to_change(flag, Options(input="in.mp4", output="o.mkv", steady="none"))
    assert words == "hold it steady over time"
    assert "--steady" not in command  # all is the default
