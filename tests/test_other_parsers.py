"""The parsers of probe, weights and store."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.errors import UsageError
from vidrestore.other_parsers import probe_parser, store_parser, weights_parser


def test_files_and_names():
    assert probe_parser().parse_args(["in.mp4"]).input == Path("in.mp4")
    assert weights_parser().parse_args(["get", "lite"]).name == "lite"


def test_sizes_of_a_store():
    sizes = [store_parser().parse_args(["limit", "kept", text]).size for text in ("2GB", "none")]
    assert sizes == [2 * 10**9, None]
    with pytest.raises(UsageError, match="the following arguments are required: SIZE"):
        store_parser().parse_args(["limit", "kept"])
