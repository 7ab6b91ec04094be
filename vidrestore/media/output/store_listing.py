"""What ``vidrestore store`` prints."""

from __future__ import annotations

from datetime import datetime

from .segment_store import Group, SegmentStore

_UNITS = {"K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def list_store(store: SegmentStore) -> str:
    """What a store holds, the latest used first, and how much it may hold."""
    groups, limit = store.groups(), store.limit
    lines = [_line(group) for group in groups]
    total = size_text(sum(group.size for group in groups))
    most = "no limit" if limit is None else f"of at most {size_text(limit)}"
    return "\n".join([*lines, f"{total}, {most}"])


def _line(group: Group) -> str:
    segments = {0: "", 1: "1 segment, "}.get(group.segments, f"{group.segments} segments, ")
    used = datetime.fromtimestamp(group.used)
    return f"{group.about}: {segments}{size_text(group.size)}, last used {used:%Y-%m-%d %H:%M}"


def size_text(size: int) -> str:
    """A number of bytes, for people.

    >>> size_text(12_300_000), size_text(999)
    ('12.3 MB', '999 B')
    """
    unit = next((unit for unit in "TGMK" if size >= _UNITS[unit]), "")
    return f"{size / _UNITS[unit]:.1f} {unit}B" if unit else f"{size} B"
