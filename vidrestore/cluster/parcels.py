"""Objects in parts that are small enough for Ray to send them as they are.

What is larger goes through Ray's object store, and stays there for as long as any array that came with it is
used: the faces of one frame would keep all that was told with them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Bytes of a part. Ray's own limit is 100 KB.
SIZE = 64 << 10


class Part(NamedTuple):
    """Some bytes of an object."""

    content: bytes
    first: bool
    last: bool


def parts(item: object) -> Iterator[Part]:
    """The parts of ``item``, in their order."""
    content = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
    for begin in range(0, len(content), SIZE):
        end = begin + SIZE
        yield Part(content[begin:end], not begin, end >= len(content))


class Parcel:
    """Puts objects together, one after another.

    >>> parcel = Parcel()
    >>> [parcel.add(part) for part in parts("a")]
    ['a']
    """

    def __init__(self) -> None:
        self._content = bytearray()

    def add(self, part: Part) -> Any:
        """Take the next part, or the first of another object. Returns the object with its last part, until
        then None."""
        if part.first:
            self._content.clear()
        self._content += part.content
        if not part.last:
            return None
        item = pickle.loads(self._content)
        self._content.clear()
        return item
