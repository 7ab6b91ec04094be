"""The options, the figures and the exit codes of commands that measure clips."""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidrestore.errors import InputError
from vidrestore.measure.clip_command import clip_parser, run


def test_what_follows_two_dashes_is_for_vidrestore(tmp_path):
    seen: list[argparse.Namespace] = []

    def measure(args: argparse.Namespace) -> dict[str, Any]:
        seen.append(args)
        return {"table": {"psnr": 30.5}}

    figures = tmp_path / "out.json"
    argv = ["a.mp4", "b.mp4", "--levels", "mild", "-t", "0.5", "--json", str(figures), "--", "--w", "0.5"]
    assert run("some", clip_parser("What it does."), measure, argv) == 0
    [args] = seen
    assert args.clips == [Path("a.mp4"), Path("b.mp4")]
    assert (args.levels, args.duration, args.seed) == (["mild"], Fraction(1, 2), 1)
    assert args.options == ["--w", "0.5"]
    assert json.loads(figures.read_text()) == {"table": {"psnr": 30.5}}


def test_an_error_is_one_sentence_and_leaves_no_figures(tmp_path, capsys):
    def measure(args: argparse.Namespace) -> dict[str, Any]:
        raise InputError("a.mp4 does not exist")

    figures = tmp_path / "out.json"
    assert run("some", clip_parser(None), measure, ["a.mp4", "--json", str(figures)]) == 1
    assert capsys.readouterr().err == "some: a.mp4 does not exist\n"
    assert not figures.exists()


def test_figures_that_cannot_be_written_are_said(tmp_path, capsys):
    argv = ["a.mp4", "--json", str(tmp_path / "none" / "out.json")]
    assert run("some", clip_parser(None), lambda args: {}, argv) == 1
    assert "some: cannot write" in capsys.readouterr().err
