"""What failed is done again, by itself and elsewhere, but not too often."""

from __future__ import annotations

import pytest

from vidrestore.cluster.crew import LostError
from vidrestore.cluster.retries import MAX_LOST, Retries, Work
from vidrestore.errors import DeviceError, InputError
from vidrestore.stages.portion import Portion


def work(begin: int = 0, end: int = 30) -> Work:
    return Work(Portion(frames=range(begin, end), length=10, marks={}, faces=None))


def test_the_first_segment_is_tried_by_itself_before_the_rest():
    again = Retries("film.mkv")
    again.failed(work(), "a", InputError("odd"))
    taken = [again.take("b", lambda machines: True) for _ in range(2)]
    assert [each.portion.frames for each in taken if each] == [range(10), range(10, 30)]
    assert not again


def test_what_failed_on_a_machine_is_done_there_only_if_there_is_no_other():
    again = Retries("film.mkv")
    again.failed(work(0, 10), "a", InputError("odd"))
    assert again.take("a", lambda machines: machines == {"a"}) is None
    assert again
    assert again.take("a", lambda machines: False)


def test_what_was_not_begun_has_not_failed():
    again = Retries("film.mkv")
    for _ in range(9):
        again.put(work())
        taken = again.take("a", lambda machines: True)
        assert taken
        assert taken.portion.frames == range(30)


def test_a_second_failure_is_raised():
    again, error = Retries("film.mkv"), InputError("odd")
    again.failed(work(), "a", error)
    again.failed(work(10, 20), "a", error)
    with pytest.raises(InputError, match="odd"):
        again.failed(work(), "b", error)


def test_too_many_ends_are_raised():
    again = Retries("film.mkv")
    for _ in range(MAX_LOST - 1):
        again.lost(work(), LostError("killed"))
    with pytest.raises(DeviceError, match=r"restored frames 0 to 9 of film\.mkv: killed"):
        again.lost(work(), LostError("killed"))
