"""The commands that a page of docs/ shows."""

from __future__ import annotations

import re
from pathlib import Path

_DOCS = Path(__file__).parents[2] / "docs"


def commands(page: str) -> list[str]:
    """The lines of the shell blocks of ``page``, such as ``guide.md``."""
    blocks = re.findall(r"```sh\n(.*?)```", (_DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]
