"""The main command, ``vidrestore IN OUT``: one file, or many into a folder."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from .cli_parser import options_of, parse_restore
from .errors import InputError, UsageError
from .media.decode.pipe_input import is_piped, local_input
from .media.output.destination import check_output, check_path
from .media.output.special_files import is_standard_output
from .media.photo.formats import SUFFIXES
from .options import Options
from .standard_streams import print_data

if TYPE_CHECKING:
    from .batch.batch import Batch

log = logging.getLogger("vidrestore")


def restore_command(argv: list[str], check: Callable[[], None]) -> int:
    """Run the main command with its arguments and return its exit code. ``check`` is called after each frame
    and may raise an exception to end the run. Raises VidrestoreError."""
    args = parse_restore(argv)
    log.setLevel(logging.WARNING if args.quiet else logging.DEBUG if args.verbose else logging.INFO)
    from .batch.inputs import is_batch

    if args.watch is not None or args.recursive or is_batch(args.inputs, args.out):
        return _many(args, check)
    options = options_of(args)
    if is_piped(args.input) and not options.dry_run:
        _check_outputs(options)
    with local_input(args.input, args.output) as path:
        return _one(replace(options, input=path), args, check)


def _check_outputs(options: Options) -> None:
    """Refuse what cannot be written before a pipe is copied, which may take hours, and may be possible only
    once. Raises OutputError or UsageError."""
    out, replace_it = options.output, options.overwrite
    if out and out.suffix.lower() in SUFFIXES and not options.container:
        check_path(out, options.input, overwrite=replace_it)
    elif out:
        check_output(out, options.input, container=options.container, overwrite=replace_it)
    for path in filter(None, (options.report, options.report_json)):
        check_path(path, options.input, overwrite=replace_it)
    if options.compare:
        check_output(options.compare, options.input, overwrite=replace_it)


def _one(options: Options, args: argparse.Namespace, check: Callable[[], None]) -> int:
    """Restore one file."""
    _prepare()
    if options.dry_run:
        from .one_file import plan_file

        planned = plan_file(options)
        print_data(json.dumps(planned.data, indent=2) if args.json else str(planned))
        return 0
    from .batch.expected import expected_frames
    from .one_file import restore_file, told
    from .progress.choose import choose_progress
    from .progress.progress import Task
    from .report import Report

    if args.progress == "json" and options.output and is_standard_output(options.output):
        raise UsageError(
            "--progress json is printed on standard output, where the video is to go; name a file"
        )
    task = Task(file=options.input, output=options.destination, frames=expected_frames(options))
    with choose_progress(check, quiet=args.quiet, kind=args.progress) as progress:
        progress.begin_one(task)
        report = restore_file(options, progress.count)
        progress.end_file(task, "done", told(report))
    if report.warning:
        log.warning("%s", report.warning)
    log.info("%s", report)
    if options.profile and isinstance(report, Report):
        print(report.profiled, file=sys.stderr)
    return 0


def _many(args: argparse.Namespace, check: Callable[[], None]) -> int:
    """Restore files into a folder."""
    from .batch.inputs import check_names, find_inputs

    names, out = args.inputs if args.watch is None else [str(args.watch)], args.output
    check_names(names, args.out)
    if args.watch is not None and not args.watch.is_dir():
        raise InputError(f"{args.watch} is not a folder; --watch needs one")
    found = find_inputs(args.inputs, out, recursive=args.recursive)
    if args.inputs and not (found.files or found.problems):
        raise InputError(f"there are no videos or photos in {', '.join(args.inputs)}")
    options = replace(options_of(args), output=None)
    _prepare()
    from .batch.batch import Batch
    from .progress.choose import choose_progress
    from .progress.progress import Progress

    if options.dry_run:
        from .batch.listing import plan_batch

        planned = plan_batch(Batch(options, out, Progress(check)), found)
        print_data(json.dumps(planned.data, indent=2) if args.json else str(planned))
        return 0
    with ExitStack() as stack:
        cluster = None
        if options.ray:
            from .cluster.cluster import opened

            cluster = stack.enter_context(opened(options))
            options = replace(options, ray=None, workers=None)
        progress = stack.enter_context(choose_progress(check, quiet=args.quiet, kind=args.progress))
        batch = Batch(options, out, progress, cluster=cluster)
        try:
            batch.run(found, more=args.watch is not None)
            if args.watch is not None:
                _watch(batch, args)
        except KeyboardInterrupt as error:
            if args.watch is None:
                _say_problems(batch)
            error.add_note(str(batch.summary))
            raise
    log.info("%s: %s", out, "; ".join((str(batch.summary), *found.left_out)))
    _say_problems(batch)
    return 1 if batch.summary.failed else 0


def _watch(batch: Batch, args: argparse.Namespace) -> None:
    """Restore what is in a folder, and what arrives there, without an end."""
    from .batch.watch import arrivals

    log.info("waiting for files in %s; end with Ctrl-C", args.watch)
    said = 0
    for files in arrivals(args.watch, batch.out, recursive=args.recursive, wait=time.sleep):
        batch.add(batch.tasks(batch.without_results(files)))
        # Now, as there is no end.
        for problem in batch.summary.failed[said:]:
            log.warning("%s", problem)
        said = len(batch.summary.failed)


def _say_problems(batch: Batch) -> None:
    for problem in batch.summary.failed:
        log.error("%s", problem)


def _prepare() -> None:
    # Imported here: they load PyTorch, which takes seconds that --help need not wait for.
    from .runtime.device import set_compile_cache
    from .runtime.host import prepare_process
    from .weights.store import cache_dir

    prepare_process()  # first: decisions depend on the number of threads
    set_compile_cache(cache_dir() / "compiled")
