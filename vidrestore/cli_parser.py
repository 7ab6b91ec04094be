"""Command-line parsers, made from the options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import Field, fields
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .errors import UsageError
from .option_types import default_of, option_of, parse, photo_and_name, seconds
from .options import Options
from .presets import preset_names, read_preset
from .standard_streams import print_data

_EPILOG = """\
Other commands:
  vidrestore analyze IN -o FILE  find and track faces, write a tracks file
  vidrestore preview IN -o FILE  show what a run would make of the riskiest moments
  vidrestore probe FILE          show the container, streams and metadata
  vidrestore weights             list the models and their licences
  vidrestore weights get NAME    download a model
  vidrestore store list FOLDER   show what --keep has kept, or limit or clear it

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by SIGINT and SIGTERM.
"""
#: Options of Options that ``analyze`` has too.
_ANALYZE = (
    "detector",
    "offline",
    "start",
    "duration",
    "end",
    "rate",
    "deinterlace",
    "video_stream",
    "device",
    "report",
    "report_json",
)
#: Options of Options that ``preview`` has too: what a run's frames depend on, and its encoder.
_PREVIEW = (
    *(
        "tracks",
        "track_w",
        "person_w",
        "model",
        "weights",
        "commercial",
        "steady",
        "strength",
        "min_face",
        "max_sharpness",
        "max_yaw",
    ),
    *("detector", "offline", "rate", "deinterlace", "video_stream", "device", "precision", "batch"),
    *("codec", "crf"),
)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError instead of exiting, and OutputError if the help cannot be
    printed, which argparse ignores."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")

    def _print_message(self, message: str, file: Any = None) -> None:
        print_data(message.rstrip("\n"))


class _HelpAll(argparse.Action):
    """Prints the help of every option, and exits."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        restore_parser(full=True).print_help()
        parser.exit()


def parse_restore(argv: list[str]) -> argparse.Namespace:
    """Parse the arguments of the main command, with ``--config`` as the defaults. Raises UsageError."""
    parser = restore_parser()
    args = parser.parse_args(argv)
    if args.config:
        preset = read_preset(args.config).items()
        # Lists, since argparse appends to the defaults of repeatable options.
        parser.set_defaults(**{k: list(v) if isinstance(v, tuple) else v for k, v in preset})
        args = parser.parse_args(argv)
    if args.json and not args.dry_run:
        raise UsageError("--json needs --dry-run; see vidrestore --help")
    return args


def restore_parser(*, full: bool = False) -> argparse.ArgumentParser:
    """The parser of ``vidrestore IN OUT``; with ``full`` its help shows every option."""
    parser = Parser(
        prog="vidrestore",
        usage="vidrestore IN OUT [options]",
        description="Restore the faces of a video or a photo and leave everything else as it was.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    groups: dict[str, Any] = {"general": parser}
    for described in fields(Options):
        about = option_of(described)
        name = about.group if full else "general"
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        _add(groups[name], described, required=not about.flags, hidden=not (full or about.basic))
    parser.add_argument(
        "--config",
        metavar="NAME",
        help=f"options from a preset ({', '.join(preset_names())}) or a .yaml file; command-line options "
        "override it",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print what --dry-run says as JSON" if full else argparse.SUPPRESS,
    )
    _add_loudness(parser)
    parser.add_argument("--version", action="version", version=f"vidrestore {__version__}")
    parser.add_argument("--help-all", action=_HelpAll, nargs=0, help="show every option and exit")
    return parser


def analyze_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore analyze``."""
    parser = Parser(
        prog="vidrestore analyze",
        description="Find and track the faces of a video and write them to a tracks file. Edit w, skip and "
        "name of each track there, then restore with: vidrestore IN OUT --tracks FILE",
        allow_abbrev=False,
    )
    described = {option.name: option for option in fields(Options)}
    _add(parser, described["input"], required=True)
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the tracks file")
    parser.add_argument(
        "--sheet", metavar="FILE", type=Path, help="also draw a picture of all persons (.png or .jpg)"
    )
    parser.add_argument(
        "--reference",
        dest="references",
        action="append",
        default=[],
        metavar="PHOTO=NAME",
        type=_reference,
        help="give the person whom a photograph shows this name; repeatable (needs vidrestore[persons])",
    )
    for name in _ANALYZE:
        _add(parser, described[name])
    parser.add_argument("-y", dest="overwrite", action="store_true", help="replace files that exist")
    _add_loudness(parser)
    return parser


def _reference(text: str) -> tuple[Path, str]:
    try:
        return photo_and_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def preview_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore preview``."""
    parser = Parser(
        prog="vidrestore preview",
        description="Show what a run would make of some moments of a video: with a name that ends in .png or "
        ".jpg as a sheet of their faces at several fidelity weights, else as a video of the moments with "
        "input and result side by side. Frames are those of the run.",
        allow_abbrev=False,
    )
    described = {option.name: option for option in fields(Options)}
    _add(parser, described["input"], required=True)
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="the picture or video to write"
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        type=_seconds,
        action="append",
        default=[],
        help="a moment to show (seconds, or H:MM:SS.s); repeatable (default: the riskiest ones)",
    )
    parser.add_argument(
        "--worst", metavar="N", type=_count, default=5, help="how many of the riskiest moments (default: 5)"
    )
    parser.add_argument(
        "--w",
        metavar="W,W...",
        type=_weights,
        help="fidelity weights (default: 0,0.25,0.5,0.75,1 for a sheet, 0.5 for a video, which has one)",
    )
    for name in _PREVIEW:
        _add(parser, described[name])
    parser.add_argument("-y", dest="overwrite", action="store_true", help="replace FILE if it exists")
    _add_loudness(parser)
    return parser


def _seconds(text: str) -> Fraction:
    try:
        return seconds(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; give seconds, or H:MM:SS.s") from None


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100")
    return int(text)


def _weights(text: str) -> tuple[float, ...]:
    try:
        weights = tuple(map(float, text.split(",")))
    except ValueError:
        weights = ()
    if not (1 <= len(weights) <= 9 and all(0 <= w <= 1 for w in weights)):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to 9 numbers between 0 and 1, such as 0,0.5,1")
    return weights


def options_of(args: argparse.Namespace) -> Options:
    """The options that were parsed; those that the command does not have keep their defaults."""
    given = {f.name: getattr(args, f.name) for f in fields(Options) if hasattr(args, f.name)}
    return Options(**given)


def _add_loudness(parser: argparse.ArgumentParser) -> None:
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="print more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors")


def _add(group: Any, described: Field[Any], *, required: bool = False, hidden: bool = False) -> None:
    about = option_of(described)
    if not about.flags:
        group.add_argument(
            described.name,
            metavar=about.metavar,
            type=Path,
            help=about.help,
            nargs=None if required else "?",
        )
        return
    if about.is_switch:
        text = argparse.SUPPRESS if hidden else about.help
        group.add_argument(*about.flags, dest=described.name, action="store_true", help=text)
        return
    default = default_of(described)
    default = list(default) if about.many else default
    shown = "" if default is None or not default else f" (default: {default})"
    group.add_argument(
        *about.flags,
        dest=described.name,
        action="append" if about.many else "store",
        metavar=about.metavar or "|".join(about.choices or ()),
        type=partial(parse, described),
        default=default,
        help=argparse.SUPPRESS if hidden else (about.help + shown).replace("%", "%%"),
    )
