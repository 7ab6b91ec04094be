"""docs/options.md says what the code says."""

from __future__ import annotations

from tests.support.tools import load_tool


def test_the_page_of_options_is_current() -> None:
    tool = load_tool("make_options_doc")
    assert tool.DOCUMENT.read_text(encoding="utf-8") == tool.document(), "run tools/make_options_doc.py"
