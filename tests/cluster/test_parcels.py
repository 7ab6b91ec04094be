"""What is sent in parts arrives as it was, and no part is one that Ray would store."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from vidrestore.cluster.parcels import SIZE, Parcel, parts


@pytest.mark.parametrize("size", [0, 1, SIZE - 100, SIZE, 3 * SIZE + 1], ids=str)
def test_it_arrives_as_it_was(size):
    parcel, item = Parcel(), [np.zeros(size, np.uint8), "and more"]
    sent = list(parts(item))
    assert all(len(pickle.dumps(part)) < 100 << 10 for part in sent)
    *before, arrived = [parcel.add(part) for part in sent]
    assert before == [None] * (len(sent) - 1)
    assert pickle.dumps(arrived) == pickle.dumps(item)


def test_what_an_earlier_sender_did_not_complete_is_forgotten():
    parcel = Parcel()
    first, *_ = parts(bytes(2 * SIZE))
    parcel.add(first)
    assert [parcel.add(part) for part in parts("another")] == ["another"]
