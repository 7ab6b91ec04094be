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
