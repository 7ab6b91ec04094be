"""Arguments -> Options -> run. What is said, is said on standard error; standard output is for data."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import Field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from . import __version__
from .errors import UsageError
from .media.decode.pipe_input import local_input
from .options import Options, parse
from .presets import preset_names, read_preset

_EPILOG = """\
Other commands:
  vidrestore analyze IN -o tracks.json
                                find the faces and write them down, to be edited and used with --tracks
  vidrestore probe FILE         say what a file is; with --json, all of it
  vidrestore weights            list the models, their licences and whether they are here
  vidrestore weights get NAME   download one

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 and 143 stopped by SIGINT and SIGTERM.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see {self.prog} --help")


class _Handler(logging.Handler):
    """One line a message, above the progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        level = f"{record.levelname.lower()}: " if record.levelno > logging.INFO else ""
        tqdm.write(f"vidrestore: {level}{record.getMessage()}", file=sys.stderr)


def run(argv: list[str]) -> int:
    """Do what the words say; return the exit code. Raises VidrestoreError."""
    log = logging.getLogger("vidrestore")
    if not log.handlers:
        log.addHandler(_Handler())
        log.propagate = False
    log.setLevel(logging.INFO)
    if argv[:1] == ["weights"]:
        return _weights(argv[1:])
    if argv[:1] == ["analyze"]:
        return _analyze(argv[1:], log)
    if argv[:1] == ["probe"]:
        return _probe(argv[1:])
    parser = _restore_parser()
    words = parser.parse_args(argv)
    if words.config:
        preset = read_preset(words.config).items()
        # argparse adds to lists.
        parser.set_defaults(**{k: list(v) if isinstance(v, tuple) else v for k, v in preset})
        words = parser.parse_args(argv)
    _set_loudness(log, words)
    if words.json and not words.dry_run:
        raise UsageError("--json goes with --dry-run; see vidrestore --help")
    options = _options(words)
    with local_input(options.input, options.output) as path:
        return _restore(replace(options, input=path), quiet=words.quiet, as_json=words.json)


def _set_loudness(log: logging.Logger, words: argparse.Namespace) -> None:
    log.setLevel(logging.WARNING if words.quiet else logging.DEBUG if words.verbose else logging.INFO)


def _options(words: argparse.Namespace) -> Options:
    """The words as options; those that the command does not have keep their defaults."""
    given = {f.name: getattr(words, f.name) for f in fields(Options) if hasattr(words, f.name)}
    return Options(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    )


def _restore(options: Options, *, quiet: bool, as_json: bool) -> int:
    # Imported here, since what it brings along takes seconds and --help should not.
    if options.dry_run:
        from .dry_run import plan, plan_text

        planned = plan(options)
        print(_json(planned) if as_json else plan_text(planned))
        return 0
    from .media.output.destination import STDOUT, display_name
    from .pipeline import restore_video

    with _progress(options, quiet=quiet) as progress:
        report = restore_video(options, progress)
    log = logging.getLogger("vidrestore")
    called = display_name(options.output) if options.output == STDOUT else options.output
    if not report.faces:
        known = report.tracks or options.tracks
        why = "every face was left as it is" if known else "no faces were found"
        log.warning("%s: %s is the input, encoded anew", why, display_name(options.output))
    log.info(
        "%s: %d frames, %d faces, %d tracks in %.1f s (%.2f frames/s) with %s",
        *(called, report.frames, report.faces, report.tracks),
        *(report.seconds, (report.frames - report.resumed) / report.seconds, report.model),
    )
    if options.profile:
        print(report.profile.table(), file=sys.stderr)
    return 0


def _analyze(argv: list[str], log: logging.Logger) -> int:
    parser = _Parser(
        prog="vidrestore analyze",
        description="Find and follow the faces of a video and write them to a tracks file. Edited there (w, "
        "skip and name of each track), they are restored by: vidrestore IN OUT --tracks FILE",
        allow_abbrev=False,
    )
    options = {option.name: option for option in fields(Options)}
    _add(parser, options["input"])
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the tracks file")
    times, reading = ("start", "duration", "end"), ("rate", "deinterlace", "video_stream")
    for name in ("detector", "offline", *times, *reading, "device"):
        _add(parser, options[name])
    parser.add_argument("-y", dest="overwrite", action="store_true", help="replace FILE if it exists")
    _add_loudness(parser)
    words = parser.parse_args(argv)
    _set_loudness(log, words)
    from .analyze import analyze_video

    given = _options(words)
    with local_input(given.input, given.output) as path:
        given = replace(given, input=path)
        with _progress(given, quiet=words.quiet) as progress:
            found = analyze_video(given, progress)
    log.info(
        "%s: %d frames, %d faces, %d tracks in %.1f s (%.2f frames/s)",
        *(given.output, found.frames, found.faces, len(found.tracks)),
        *(found.seconds, found.frames / found.seconds),
    )
    if found.tracks and log.isEnabledFor(logging.INFO):
        print(found.table, file=sys.stderr)
    return 0


def _probe(argv: list[str]) -> int:
    parser = _Parser(
        prog="vidrestore probe",
        description="Say what a file is: its container, streams, chapters and metadata.",
        allow_abbrev=False,
    )
    parser.add_argument("input", metavar="FILE", type=Path, help="any media file")
    parser.add_argument("--json", action="store_true", help="as JSON, with all that is known")
    words = parser.parse_args(argv)
    from .media.inspect import as_text, inspect_file

    with local_input(words.input) as path:
        info = inspect_file(path)
    print(_json(info) if words.json else as_text(info))
    return 0


def _json(data: Any) -> str:
    # Metadata may hold bytes that are no text; escaped, they can be printed all the same.
    return json.dumps(data, indent=2)


@contextmanager
def _progress(options: Options, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over the frames of a run: what to call after each with the frames and faces done."""
    from .media.probe import probe

    info = probe(options.input, video_stream=options.video_stream)
    total = info.frames
    if (options.start or options.stop) and info.rate and info.duration is not None:
        stop = info.duration if options.stop is None else min(options.stop, info.duration)
        total = max(0, round((stop - options.start) * info.rate))
    bar = tqdm(
        total=total,
        unit="frame",
        desc=options.input.name,
        file=sys.stderr,
        disable=quiet,
        leave=False,
        # A terminal's line is drawn anew; in a log each is one more.
        mininterval=0.2 if sys.stderr.isatty() else 30,
    )
    with bar:

        def progress(frames: int, faces: int) -> None:
            bar.set_postfix(faces=faces, refresh=False)
            bar.update(frames - bar.n)

        yield progress


def _weights(argv: list[str]) -> int:
    parser = _Parser(prog="vidrestore weights", description="List models, or download one.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    get = commands.add_parser("get", help="download a model into the cache")
    get.add_argument("name", metavar="NAME")
    get.add_argument("--offline", action="store_true", help="never use the network")
    words = parser.parse_args(argv)
    from .weights.listing import get as get_weights
    from .weights.listing import list_weights

    if words.command == "get":
        get_weights(words.name, offline=words.offline)
    else:
        print(list_weights())
    return 0


def _restore_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vidrestore",
        description="Restore the faces of a video and leave everything else as it was.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    groups = {"options": parser}
    for option in fields(Options):
        group = option.metadata["group"]
        if group not in groups:
            groups[group] = parser.add_argument_group(group)
        _add(groups[group], option)
    parser.add_argument(
        "--config",
        metavar="NAME",
        help=f"options from a preset ({', '.join(preset_names())}) or a .yaml file; those given beside it go "
        "before",
    )
    parser.add_argument("--json", action="store_true", help="what --dry-run says, as JSON")
    _add_loudness(parser)
    parser.add_argument("--version", action="version", version=f"vidrestore {__version__}")
    return parser


def _add_loudness(parser: argparse.ArgumentParser) -> None:
    loudness = parser.add_mutually_exclusive_group()
    loudness.add_argument("-v", "--verbose", action="store_true", help="say more")
    loudness.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")


def _add(group: Any, option: Field) -> None:
    meta = option.metadata
    if not meta["flags"]:
        group.add_argument(option.name, metavar=meta["metavar"], type=meta["type"], help=meta["help"])
        return
    if meta["type"] is bool:
        group.add_argument(*meta["flags"], dest=option.name, action="store_true", help=meta["help"])
        return
    many = isinstance(option.default, tuple)
    default = list(option.default) if many else option.default
    shown = "" if default is None or not default else f" (default: {default})"
    metavar = meta["metavar"] or "|".join(meta["choices"])
    group.add_argument(
        *meta["flags"],
        dest=option.name,
        action="append" if many else "store",
        metavar=metavar,
        type=partial(parse, option),
        default=default,
        help=(meta["help"] + shown).replace("%", "%%"),
    )
