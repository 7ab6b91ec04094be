"""What commands share that degrade clean clips, restore them and print tables: options and exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..degradation.clip import FRAME_LEVELS
from ..errors import VidrestoreError
from ..option_types import seconds
from .tables import write_json


def clip_parser(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that these commands share. What follows ``--`` is for vidrestore."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="+", metavar="CLEAN", help="clean clip; repeatable")
    parser.add_argument("--levels", nargs="+", choices=FRAME_LEVELS, default=list(FRAME_LEVELS))
    parser.add_argument("-t", dest="duration", type=seconds, metavar="TIME", help="how much of each clip")
    parser.add_argument("--seed", type=int, default=1, help="seed of the noise (default: %(default)s)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    return parser


def run(
    name: str,
    parser: argparse.ArgumentParser,
    measure: Callable[[argparse.Namespace], Mapping[str, Any]],
    argv: Sequence[str] | None,
) -> int:
    """Parse ``argv``, measure, write the figures to ``--json``, and return the exit code of the command
    ``name``. ``measure`` gets the arguments, with those for vidrestore as ``options``."""
    argv = list(sys.argv[1:] if argv is None else argv)
    # Split at "--" here: argparse would parse what follows an option with nargs="+".
    end = argv.index("--") if "--" in argv else len(argv)
    args = parser.parse_args(argv[:end], argparse.Namespace(options=argv[end + 1 :]))
    try:
        tables = measure(args)
        write_json(args.json, tables)
    except VidrestoreError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_code
    return 0
