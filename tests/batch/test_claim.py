"""Two batches never work on the same file."""

from __future__ import annotations

import subprocess
import sys

from vidrestore.batch.claim import claimed


def test_a_claim_is_one_process_s_and_leaves_nothing(tmp_path):
    out = tmp_path / "a.mp4"
    code = f"""
from pathlib import Path
from vidrestore.batch.claim import claimed
with claimed(Path({str(out)!r})) as mine:
    raise SystemExit(int(mine))
"""
    with claimed(out) as mine:
        assert mine
        assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert list(tmp_path.iterdir()) == []
    assert subprocess.run([sys.executable, "-c", code]).returncode == 1
