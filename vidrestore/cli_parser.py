"""Command-line parsers, made from the options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import Field, fields
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from . import __version__
from .errors import UsageError
from .option_types import option_of, parse, photo_and_name
from .options import ANALYSIS, Options
from .presets import preset_names, read_preset
from .standard_streams import print_data

_EPILOG = """\
Other commands:
  vidrestore analyze IN -o FILE  find and track faces, write a tracks file
  vidrestore preview IN -o FILE  show what a run would make of the riskiest moments
  vidrestore probe FILE          show the container, streams and metadata
  vidrestore weights get NAME    download a model; without get NAME: list them all
  vidrestore store list FOLDER   show what --keep has kept, or limit or clear it
  vidrestore ui                  open the page: all of this in a browser

Exit codes: 0 done, 1 failed, 2 wrong usage, 129, 130 and 143 stopped by SIGHUP, SIGINT and SIGTERM.
"""
#: Help of an option that two commands have.
_PROGRESS = "json: say what is done in one JSON object per line on standard output, for programs"


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
    """Parse the arguments of the main command, with ``--config`` as the defaults.

    Of the names, which are any number, ``inputs`` and ``out`` are as they were written; ``input`` and
    ``output`` are those of the options. Raises UsageError.
    """
    parser = restore_parser()
    # Names after -- may begin with a dash; argparse's own way of that fails where options are in between.
    end = argv.index("--") if "--" in argv else len(argv)
    args = parser.parse_intermixed_args(argv[:end])
    if args.config:
        preset = read_preset(args.config).items()
        # Lists, since argparse appends to the defaults of repeatable options.
        parser.set_defaults(**{k: list(v) if isinstance(v, tuple) else v for k, v in preset})
        args = parser.parse_intermixed_args(argv[:end])
    names = [*args.input, *argv[end + 1 :]]
    if len(names) < (2 if args.watch is None else 1):
        parser.error("the following arguments are required: IN, OUT")
    *args.inputs, args.out = names
    args.input, args.output = Path(names[0]), Path(args.out)
    if args.json and not args.dry_run:
        raise UsageError("--json needs --dry-run; see vidrestore --help")
    if args.watch is not None and (args.inputs or args.dry_run):
        raise UsageError("--watch takes files from a folder in place of IN, and goes on until it is stopped")
    return args


def restore_parser(*, full: bool = False) -> argparse.ArgumentParser:
    """The parser of ``vidrestore IN OUT``; with ``full`` its help shows every option."""
    parser = Parser(
        prog="vidrestore",
        usage="vidrestore IN... OUT [options]",
        description="Restore the faces of a video or a photo and leave everything else as it was.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    groups: dict[str, Any] = {"general": parser}
    for described in fields(Options):
        about = option_of(described)
        if not about.flags:
            parser.add_argument(
                described.name,
                metavar=about.metavar,
                help=about.help,
                nargs="*" if described.name == "input" else "?",
            )
            continue
        name = about.group if full else "general"
        if name not in groups:
            groups[name] = parser.add_argument_group(name)
        add_option(groups[name], described, hidden=not (full or about.basic))
    add_config(parser)
    _add_many(parser, full=full)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print what --dry-run says as JSON" if full else argparse.SUPPRESS,
    )
    add_loudness(parser)
    parser.add_argument("--version", action="version", version=f"vidrestore {__version__}")
    parser.add_argument("--help-all", action=_HelpAll, nargs=0, help="show every option and exit")
    return parser


def _add_many(parser: argparse.ArgumentParser, *, full: bool) -> None:
    """Add what is for many files, and for programs."""
    texts = {
        "--recursive": "enter the folders in a folder given as IN",
        "--watch": "restore what is and what arrives in FOLDER, into the folder OUT, until interrupted",
        "--progress": _PROGRESS,
    }
    texts = texts if full else dict.fromkeys(texts, argparse.SUPPRESS)
    parser.add_argument("--recursive", action="store_true", help=texts["--recursive"])
    parser.add_argument("--watch", metavar="FOLDER", type=Path, help=texts["--watch"])
    _add_progress(parser, texts["--progress"])


def _add_progress(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--progress", choices=("auto", "json"), default="auto", help=text)


def analyze_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore analyze``."""
    parser = Parser(
        prog="vidrestore analyze",
        description="Find and track the faces of a video and write them to a tracks file. Edit the "
        "settings of persons and tracks there (docs/adjust.md), then restore with: vidrestore IN OUT "
        "--tracks FILE",
        allow_abbrev=False,
    )
    described = {option.name: option for option in fields(Options)}
    add_option(parser, described["input"], required=True)
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
    for name in (*ANALYSIS, "report", "report_json"):
        add_option(parser, described[name])
    parser.add_argument("-y", dest="overwrite", action="store_true", help="replace files that exist")
    _add_progress(parser, _PROGRESS)
    add_loudness(parser)
    return parser


def _reference(text: str) -> tuple[Path, str]:
    try:
        return photo_and_name(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def options_of(args: argparse.Namespace) -> Options:
    """The options that were parsed; those that the command does not have keep their defaults."""
    given = {f.name: getattr(args, f.name) for f in fields(Options) if hasattr(args, f.name)}
    return Options(**given)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the option that names a preset."""
    parser.add_argument(
        "--config",
        metavar="NAME",
        help=f"options from a preset ({', '.join(preset_names())}) or a .yaml file; command-line options "
        "override it",
    )


def add_loudness(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how much is printed."""
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="print more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="print only warnings and errors")


def add_option(group: Any, described: Field[Any], *, required: bool = False, hidden: bool = False) -> None:
    """Add an option of Options to a parser or a group of one; ``hidden`` leaves it out of the help."""
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
    default: Any = described.default
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
