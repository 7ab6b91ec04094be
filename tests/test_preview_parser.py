"""The parser of ``vidrestore preview``."""

from __future__ import annotations

import pytest

from vidrestore.errors import UsageError
from vidrestore.preview_parser import preview_parser


def test_moments_and_weights():
    args = preview_parser().parse_args(
        ["in.mp4", "-o", "s.png", "--at", "1:30", "--at", "2", "--w", "0,0.5,1", "--worst", "3"]
    )
    assert (args.at, args.w, args.worst) == ([90, 2], (0, 0.5, 1), 3)


@pytest.mark.parametrize("words", ["--at soon", "--worst 0", "--worst many", "--w 2", "--w ,"])
def test_what_is_out_of_range(words):
    with pytest.raises(UsageError):
        preview_parser().parse_args(["in.mp4", "-o", "s.png", *words.split()])
