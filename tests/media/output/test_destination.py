"""OUT is refused before any work if it cannot or must not be written."""

from __future__ import annotations

import pytest

from tests.support.frames import clip
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.output.destination import check_output


def test_out_is_refused_before_any_work(tmp_path):
    source = clip(tmp_path / "in.mp4")
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    for out, overwrite, error, words in (
        (taken, False, OutputError, "exists; give -y"),
        (source, True, OutputError, "the input itself"),
        (tmp_path / "no" / "out.mp4", False, OutputError, "does not exist"),
        (tmp_path / "out.txt", False, UsageError, "does not have the extension"),
        (tmp_path / "out", False, UsageError, "does not have the extension"),
    ):
        with pytest.raises(error, match=words):
            check_output(out, source, overwrite=overwrite)
    check_output(taken, source, overwrite=True)
