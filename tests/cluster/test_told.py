"""What workers send can be sent."""

from __future__ import annotations

import pickle

import pytest

from vidrestore.cluster.told import Piece, Said


@pytest.mark.parametrize(
    "item", [Said(20, "a message"), Piece(b"bytes")], ids=lambda item: type(item).__name__
)
def test_it_arrives_as_it_was(item):
    assert pickle.loads(pickle.dumps(item)) == item
