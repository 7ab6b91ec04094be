"""What a store holds, in words."""

from __future__ import annotations

import re

from vidrestore.media.output.segment_store import SegmentStore
from vidrestore.media.output.store_listing import list_store, size_text


def test_sizes_are_round():
    assert [size_text(size) for size in (0, 999, 1500, 2_000_000, 20 * 10**9, 3 * 10**12)] == (
        ["0 B", "999 B", "1.5 KB", "2.0 MB", "20.0 GB", "3.0 TB"]
    )


def test_a_line_for_each_clip_and_the_sum(tmp_path):
    store = SegmentStore(tmp_path / "store", create=True)
    assert list_store(store) == "0 B, no limit"
    store.write("a", "x" * 1000, about="film.mkv, its faces")
    store.set_limit(5 * 10**9)
    first, last = list_store(store).splitlines()
    assert re.fullmatch(r"film\.mkv, its faces: 1\.0 KB, last used \d{4}-\d\d-\d\d \d\d:\d\d", first)
    assert last == "1.0 KB, of at most 5.0 GB"
