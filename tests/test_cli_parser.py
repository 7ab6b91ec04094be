"""The parsers of the commands, and their help."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from vidrestore.cli_parser import (
    analyze_parser,
    options_of,
    parse_restore,
    restore_parser,
)
from vidrestore.errors import UsageError
from vidrestore.option_types import option_of
from vidrestore.options import Options


def test_help_fits_on_a_screen_and_help_all_has_every_option(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    short, full = restore_parser().format_help(), restore_parser(full=True).format_help()
    assert len(short.splitlines()) <= 50
    for option in fields(Options):
        names = option_of(option).flags or (option_of(option).metavar,)
        assert names[0] in full
        assert (f"  {names[0]}" in short) == option_of(option).basic


def test_help_all_prints_and_exits(capsys):
    with pytest.raises(SystemExit) as caught:
        parse_restore(["--help-all"])
    assert caught.value.code == 0
    assert "--max-yaw" in capsys.readouterr().out


def test_options_whose_range_has_an_off_say_so():
    for name in ("min_face", "max_sharpness", "max_yaw"):
        described = next(option for option in fields(Options) if option.name == name)
        assert option_of(described).help.endswith("0 disables")


def test_defaults_are_those_of_options():
    assert options_of(parse_restore(["in.mp4", "out.mp4"])) == Options(
        input=Path("in.mp4"), output=Path("out.mp4")
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "the following arguments are required: IN, OUT; see vidrestore --help"),
        (["a"], "the following arguments are required: IN, OUT"),
        (["--watch", "in"], "the following arguments are required: IN, OUT"),
        (["a", "out", "--watch", "in"], "--watch takes files from a folder in place of IN"),
        (["out", "--watch", "in", "--dry-run"], "--watch takes files from a folder"),
        (["a", "b", "--progress", "xml"], "invalid choice: 'xml'"),
        (["a", "b", "--wow"], "unrecognized arguments: --wow"),
        (["a", "b", "--w"], "argument --w: expected one argument"),
        (["a", "b", "--json"], "--json needs --dry-run"),
        (["a", "b", "--dry"], "unrecognized arguments: --dry"),
    ],
)
def test_wrong_usage(argv, message):
    with pytest.raises(UsageError, match=message):
        parse_restore(argv)


@pytest.mark.parametrize(
    ("words", "names", "w"),
    [
        ("a.mp4 b.mp4 out/ --w 1", ["a.mp4", "b.mp4"], 1),
        ("a.mp4 --w 1 b.mp4 -y out/", ["a.mp4", "b.mp4"], 1),
        ("--w 1 -- -a.mp4 --w out/", ["-a.mp4", "--w"], 1),
        ("a.mp4 --config generated -- out/", ["a.mp4"], 0.5),
        ("- out/", ["-"], 0.5),
        ("--watch in out/", [], 0.5),
    ],
)
def test_any_number_of_names_anywhere(words, names, w):
    args = parse_restore(words.split())
    assert (args.inputs, args.out) == (names, "out/")
    options = options_of(args)
    assert options.output == Path("out")
    assert options.w == w or "--config" in words


def test_other_commands():
    args = analyze_parser().parse_args(["in.mp4", "-o", "t.json", "-ss", "2", "-y"])
    options = options_of(args)
    assert (options.output, options.start, options.overwrite) == (Path("t.json"), 2, True)


def test_photographs_have_names():
    words = ["in.mp4", "-o", "t.json", "--reference", "a=b.jpg=Ada", "--reference", "c.png=Bob"]
    assert analyze_parser().parse_args(words).references == [(Path("a=b.jpg"), "Ada"), (Path("c.png"), "Bob")]
    with pytest.raises(UsageError, match=r"'ada\.jpg' is not PHOTO=NAME, such as ada\.jpg=Ada"):
        analyze_parser().parse_args(["in.mp4", "-o", "t.json", "--reference", "ada.jpg"])
