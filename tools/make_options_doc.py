"""Write docs/options.md, a table of every option, from the code.

python tools/make_options_doc.py
"""

from __future__ import annotations

import argparse
from dataclasses import MISSING, Field, fields
from fractions import Fraction
from pathlib import Path

from vidrestore.cli_parser import restore_parser
from vidrestore.option_types import option_of
from vidrestore.options import Options

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "options.md"

_INTRODUCTION = """\
# Options

This page is made from `vidrestore/options.py` by `python tools/make_options_doc.py`; a test checks that it is
current. Python (`vidrestore.Options`) and the `.yaml` files of `--config` use the names in the second column.
"""


def document() -> str:
    """The whole page, in Markdown."""
    groups: dict[str, list[Field]] = {}
    for option in fields(Options):
        groups.setdefault(option_of(option).group, []).append(option)
    parts = [_INTRODUCTION]
    for name, options in groups.items():
        title = name.capitalize()
        rows = [
            (_flags(option), f"`{option.name}`", _values(option), _default(option), option_of(option).help)
            for option in options
        ]
        parts.append(_table(title, ("Option", "In Python", "Values", "Default", "Meaning"), rows))
    names = {option.name for option in fields(Options)}
    others = [action for action in restore_parser(full=True)._actions if action.dest not in names]
    rows = [(_words(action), action.help or "") for action in others]
    parts.append(_table("On the command line only", ("Option", "Meaning"), rows))
    return "\n".join(parts)


def _flags(option: Field) -> str:
    metavar = option_of(option).metavar
    if not option_of(option).flags:
        return f"`{metavar}`"
    flags = [f"`{flag}`" for flag in option_of(option).flags]
    if metavar:
        flags[-1] = f"{flags[-1][:-1]} {metavar}`"
    return ", ".join(flags)


def _words(action: argparse.Action) -> str:
    words = [f"`{flag}`" for flag in action.option_strings]
    if action.metavar:
        words[-1] = f"{words[-1][:-1]} {action.metavar}`"
    return ", ".join(words)


def _values(option: Field) -> str:
    low, high = option_of(option).low, option_of(option).high
    if option_of(option).choices:
        return ", ".join(f"`{choice}`" for choice in option_of(option).choices)
    if low is None:
        return ""
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _default(option: Field) -> str:
    default = option.default
    if default is MISSING or default is None or default is False or default == ():
        return ""
    return f"`{float(default):g}`" if isinstance(default, Fraction | float) else f"`{default}`"


def _table(title: str, header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    cells = [" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines]
    return f"## {title}\n\n" + "".join(f"| {line} |\n" for line in cells)


def main() -> None:
    argparse.ArgumentParser(description="Write docs/options.md from vidrestore/options.py.").parse_args()
    DOCUMENT.write_text(document(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
