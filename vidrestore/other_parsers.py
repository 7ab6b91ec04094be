"""The parsers of the commands that do not take the options of a run: probe, weights and store."""

from __future__ import annotations

import argparse
from pathlib import Path

from .cli_parser import Parser
from .option_types import size


def probe_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore probe``."""
    parser = Parser(
        prog="vidrestore probe",
        description="Show the container, streams, chapters and metadata of a file.",
        allow_abbrev=False,
    )
    parser.add_argument("input", metavar="FILE", type=Path, help="any media file")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser


def weights_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore weights``."""
    parser = Parser(prog="vidrestore weights", description="List models, or download one.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    get = commands.add_parser("get", help="download a model into the cache")
    get.add_argument("name", metavar="NAME")
    get.add_argument("--offline", action="store_true", help="never use the network")
    return parser


def store_parser() -> argparse.ArgumentParser:
    """The parser of ``vidrestore store``."""
    parser = Parser(
        prog="vidrestore store", description="Show, limit or clear what runs with --keep FOLDER have kept."
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    texts = {
        "list": "show what FOLDER holds",
        "limit": "set how much FOLDER may hold; what was not used for longest is removed first",
        "clear": "remove everything that FOLDER holds",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.add_argument("folder", metavar="FOLDER", type=Path, help="the folder given to --keep")
        if name == "limit":
            command.add_argument("size", metavar="SIZE", type=_size, help="such as 20GB, or none")
    return parser


def _size(text: str) -> int | None:
    try:
        return size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
