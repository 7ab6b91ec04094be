"""The commands: arguments in, exit code out. Messages go to standard error; standard output is for data."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .cli_parser import analyze_parser, options_of, parse_restore, preview_parser
from .media.decode.pipe_input import local_input
from .options import Options
from .other_parsers import probe_parser, store_parser, weights_parser
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
        "weights": _weights,
    }
    if argv and argv[0] in commands:
        return commands[argv[0]](argv[1:], check)
    return _restore(argv, check)


def _restore(argv: list[str], check: Callable[[], None]) -> int:
    args = parse_restore(argv)
    _set_loudness(quiet=args.quiet, verbose=args.verbose)
    options = options_of(args)
    with local_input(options.input, options.output) as path:
        options = replace(options, input=path)
        # Imported here: they load PyTorch, which takes seconds that --help need not wait for.
        from .runtime.host import prepare_process

        prepare_process()  # first: decisions depend on the number of threads
        if options.dry_run:
            from .one_file import plan_file

            planned = plan_file(options)
            print_data(_json(planned.data) if args.json else str(planned))
            return 0
        from .one_file import restore_file
        from .pipeline import Report
        from .runtime.device import set_compile_cache
        from .weights.store import cache_dir

        set_compile_cache(cache_dir() / "compiled")
        with _progress(options, check, quiet=args.quiet) as progress:
            report = restore_file(options, progress)
        if report.warning:
            log.warning("%s", report.warning)
        log.info("%s", report)
        if isinstance(report, Report) and options.profile:
            print(f"{report.setup}\n{report.profile.table()}", file=sys.stderr)
    return 0


def _analyze(argv: list[str], check: Callable[[], None]) -> int:
    args = analyze_parser().parse_args(argv)
    _set_loudness(quiet=args.quiet, verbose=args.verbose)
    from .analysis import analyze_video
    from .runtime.host import prepare_process

    prepare_process()
    options = options_of(args)
    with local_input(options.input, options.output) as path:
        options = replace(options, input=path)
        with _progress(options, check, quiet=args.quiet) as progress:
            analysis = analyze_video(options, progress, sheet=args.sheet, references=args.references)
    log.info("%s", analysis)
    if analysis.tracks and log.isEnabledFor(logging.INFO):
        print(analysis.table, file=sys.stderr)
    return 0


def _preview(argv: list[str], check: Callable[[], None]) -> int:
    args = preview_parser().parse_args(argv)
    _set_loudness(quiet=args.quiet, verbose=args.verbose)
    from tqdm import tqdm

    from .review.preview import preview
    from .runtime.host import prepare_process

    prepare_process()
    weights, args.w = args.w, args.w[0] if args.w else 0.5
    options = options_of(args)
    with (
        local_input(options.input, options.output) as path,
        tqdm(unit="moment", desc=options.input.name, file=sys.stderr, disable=args.quiet, leave=False) as bar,
    ):

        def progress(done: int, moments: int) -> None:
            check()
            bar.total = moments
            bar.update(done - bar.n)

        options = replace(options, input=path)
        shown = preview(options, at=args.at, worst=args.worst, weights=weights, progress=progress)
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


def _set_loudness(*, quiet: bool, verbose: bool) -> None:
    log.setLevel(logging.WARNING if quiet else logging.DEBUG if verbose else logging.INFO)


def _json(data: Any) -> str:
    # ASCII only: metadata may hold bytes that are not valid text.
    return json.dumps(data, indent=2)


@contextmanager
def _progress(
    options: Options, check: Callable[[], None], *, quiet: bool
) -> Iterator[Callable[[int, int], None]]:
    """A progress bar over the frames of a run: yields the callback for numbers of frames and faces done."""
    from tqdm import tqdm

    from .media.photo.formats import photo_format
    from .media.probe import probe

    if photo_format(options.input):
        yield lambda frames, faces: check()
        return
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
        # A terminal redraws its line; in a log file each update is one more.
        mininterval=0.2 if sys.stderr.isatty() else 30,
    )
    with bar:

        def progress(frames: int, faces: int) -> None:
            check()
            bar.set_postfix(faces=faces, refresh=False)
            bar.update(frames - bar.n)

        yield progress
