"""The commands: arguments in, exit code out. Messages go to standard error; standard output is for data."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .cli_parser import analyze_parser, options_of
from .media.decode.pipe_input import local_input
from .other_parsers import probe_parser, store_parser, weights_parser
from .preview_parser import parse_preview
from .restore_command import restore_command
from .standard_streams import print_data

log = logging.getLogger("vidrestore")


def run(argv: list[str], check: Callable[[], None] = lambda: None) -> int:
    """Run one command and return its exit code. ``check`` is called after each frame and may raise an
    exception to end the run. Raises VidrestoreError."""
    commands = {
        "analyze": _analyze,
        "preview": _preview,
        "probe": _probe,
        "store": _store,
        "ui": _ui,
        "weights": _weights,
    }
    if argv and argv[0] in commands:
        return commands[argv[0]](argv[1:], check)
    return restore_command(argv, check)


def _analyze(argv: list[str], check: Callable[[], None]) -> int:
    args = analyze_parser().parse_args(argv)
    _set_loudness(quiet=args.quiet, verbose=args.verbose)
    from .analysis import analyze_video
    from .batch.expected import expected_frames
    from .progress.choose import choose_progress
    from .progress.progress import Task
    from .runtime.host import prepare_process

    prepare_process()
    options = options_of(args)
    with local_input(options.input, options.output) as path:
        options = replace(options, input=path)
        task = Task(file=path, output=args.output, frames=expected_frames(options))
        with choose_progress(check, quiet=args.quiet, kind=args.progress) as progress:
            progress.begin_one(task)
            analysis = analyze_video(options, progress.count, sheet=args.sheet, references=args.references)
            progress.end_file(task, "done", analysis.told)
    log.info("%s", analysis)
    if analysis.tracks and log.isEnabledFor(logging.INFO):
        print(analysis.table, file=sys.stderr)
    return 0


def _preview(argv: list[str], check: Callable[[], None]) -> int:
    args = parse_preview(argv)
    _set_loudness(quiet=args.quiet, verbose=args.verbose)
    from .progress.choose import choose_progress
    from .progress.progress import Task
    from .review.preview import preview
    from .runtime.host import prepare_process

    prepare_process()
    options = options_of(args)
    with (
        local_input(options.input, options.output) as path,
        choose_progress(check, quiet=args.quiet, unit="moment") as progress,
    ):
        progress.begin_one(Task(file=options.input, output=args.output))

        def moments(done: int, expected: int) -> None:
            progress.expect(expected)
            progress.count(done, 0)

        options = replace(options, input=path)
        shown = preview(options, at=args.at, worst=args.worst, columns=args.columns, progress=moments)
    log.info("%s", shown)
    return 0


def _probe(argv: list[str], check: Callable[[], None]) -> int:
    args = probe_parser().parse_args(argv)
    from .media.inspect import as_text, inspect_file

    with local_input(args.input) as path:
        found = inspect_file(path)
    print_data(_json(found) if args.json else as_text(found))
    return 0


def _weights(argv: list[str], check: Callable[[], None]) -> int:
    args = weights_parser().parse_args(argv)
    from .weights.listing import get, list_weights

    if args.command == "get":
        get(args.name, offline=args.offline)
    else:
        print_data(list_weights())
    return 0


def _store(argv: list[str], check: Callable[[], None]) -> int:
    args = store_parser().parse_args(argv)
    from .media.output.segment_store import SegmentStore
    from .media.output.store_listing import list_store

    store = SegmentStore(args.folder)
    if args.command == "limit":
        store.set_limit(args.size)
    elif args.command == "clear":
        store.clear()
    print_data(list_store(store))
    return 0


def _ui(argv: list[str], check: Callable[[], None]) -> int:
    from .ui.command import ui_command

    return ui_command(argv)


def _set_loudness(*, quiet: bool, verbose: bool) -> None:
    log.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


def _json(data: Any) -> str:
    # ASCII only: metadata may hold bytes that are not valid text.
    return json.dumps(data, indent=2)
