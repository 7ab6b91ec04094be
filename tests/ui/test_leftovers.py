"""What jobs that did not end leave beside their results."""

from __future__ import annotations

import pytest

from vidrestore.media.output.destination import partial_path
from vidrestore.media.output.workfolder import WorkFolder
from vidrestore.ui.leftovers import clean


@pytest.mark.parametrize("state", ["done", "failed", "paused", "cancelled"])
def test_segments_and_partial_files_are_removed_and_results_stay(tmp_path, state):
    result = tmp_path / "out.mkv"
    folder, partial = WorkFolder(result).path, partial_path(result)
    folder.mkdir()
    (folder / "0000000000.segment").write_bytes(b"frames")
    for path in (result, partial):
        path.write_bytes(b"")
    clean({"result": str(result), "state": state})
    assert result.exists()
    assert folder.exists() == partial.exists() == (state == "done")


def test_what_another_run_is_writing_stays(tmp_path):
    result = tmp_path / "out.mkv"
    partial = partial_path(result)
    with WorkFolder(result) as folder:
        folder.segment_path(0).write_bytes(b"frames")
        partial.write_bytes(b"")
        clean({"result": str(result), "state": "cancelled"})
        assert folder.segment_path(0).exists()
        assert partial.exists()
    clean({"result": str(result), "state": "cancelled"})
    assert list(tmp_path.iterdir()) == []
