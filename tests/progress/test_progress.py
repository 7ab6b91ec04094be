"""How far a batch is, and how long the rest takes."""

from __future__ import annotations

import pytest

from tests.support.progress import Clock, task
from vidrestore.progress.progress import Progress, Standing, whole


class Kept(Progress):
    """Keeps what is to be shown."""

    last: Standing

    def show(self, standing: Standing) -> None:
        """Keep it."""
        self.last = standing


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Kept:
    return Kept(clock=clock)


def test_the_rest_takes_as_long_as_what_was_done(progress, clock):
    progress.begin(files=2, frames=30)
    progress.begin_file(first := task(1, 10))
    clock.now = 4
    progress.count(2, 2)
    clock.now = 20
    progress.count(10, 10)
    assert (progress.last.all_done, progress.last.left) == (10, 20 * 16 / 8)
    progress.end_file(first, "done", {})
    progress.begin_file(task(2, 20))
    clock.now = 22
    progress.count(1, 1)
    assert (progress.last.files, progress.last.all_done, progress.last.all_frames) == (2, 11, 30)
    assert progress.last.left == pytest.approx(18 / 9 * 19)


def test_the_first_frame_tells_nothing_of_the_rest(progress, clock):
    progress.begin_one(task(1, 2400))
    clock.now = 60  # weights, and the frames that restoration looks at ahead
    progress.count(1, 1)
    assert progress.last.left is None
    clock.now = 60.1
    progress.count(2, 2)  # of the same batch
    assert progress.last.left is None
    clock.now = 64
    progress.count(11, 11)
    assert progress.last.left == pytest.approx(0.4 * 2389)


def test_frames_of_an_earlier_run_took_no_time(progress, clock):
    progress.begin_one(task(1, 100))
    clock.now = 2
    progress.count(81, 80)
    assert (progress.last.resumed, progress.last.left) == (80, None)
    clock.now = 4
    progress.count(82, 81)
    assert (progress.last.resumed, progress.last.left) == (80, 2 * 18)


def test_a_file_that_fails_or_was_finished_counts_as_past(progress, clock):
    progress.begin(files=3, frames=20)
    progress.begin_file(bad := task(1, 10))
    clock.now = 3
    progress.count(1, 0)
    progress.end_file(bad, "failed", {"error": "bad"})
    progress.end_file(task(2, None), "finished", {})
    progress.begin_file(task(3, 10))
    clock.now = 6
    progress.count(1, 0)
    assert (progress.last.all_done, progress.last.left) == (11, 3 * 9)


@pytest.mark.parametrize(("said", "real"), [(10, 12), (10, 8), (None, 8)])
def test_a_container_may_be_wrong_about_its_frames(progress, clock, said, real):
    progress.begin(files=2, frames=20)
    progress.begin_file(first := task(1, said))
    for frame in range(1, real + 1):
        clock.now += 1
        progress.count(frame, 0)
    progress.end_file(first, "done", {})
    progress.begin_file(task(2, 10))
    progress.count(1, 0)
    assert progress.last.all_done == real + 1
    assert progress.last.all_frames == 20 + real - (said or 0)


def test_nothing_is_known_of_what_may_still_come(progress, clock):
    progress.begin(files=None, frames=None)
    progress.begin_file(task(1, 10))
    clock.now = 1
    progress.count(1, 1)
    assert progress.last.left is None
    assert progress.last.all_frames is None


def test_a_run_is_asked_after_each_frame_whether_it_is_to_end():
    def check() -> None:
        raise KeyboardInterrupt

    progress = Progress(check)
    progress.begin_one(task(1, 2))
    with pytest.raises(KeyboardInterrupt):
        progress.count(1, 0)


def test_files_of_unknown_length_are_as_long_as_the_others():
    assert whole([10, None, 20]) == 45
    assert whole([None, None]) is None
    assert whole([]) is None


def test_several_files_at_a_time_count_together(progress, clock):
    progress.begin(files=2, frames=30)
    long, short = task(1, 20), task(2, 10)
    progress.begin_file(long)
    progress.begin_file(short)
    count_long, count_short = progress.counter(long), progress.counter(short)
    clock.now = 3
    count_long(1, 1)
    count_short(1, 0)
    count_long(2, 2)
    assert (progress.last.task, progress.last.frames, progress.last.faces) == (long, 2, 2)
    assert (progress.last.all_done, progress.last.all_frames, progress.last.left) == (3, 30, None)
    progress.end_file(short, "done", {})
    count_long(3, 3)
    assert (progress.last.all_done, progress.last.all_frames) == (4, 21)
    clock.now = 4
    count_long(12, 3)
    assert progress.last.left is None
    clock.now = 9
    count_long(15, 3)
    assert progress.last.left == pytest.approx((21 - 16) * 6 / 15)


def test_all_files_that_have_begun_fail_with_the_batch(clock):
    ended = []

    class Ended(Progress):
        def show_end(self, task, ending, about):
            ended.append((task.number, ending))

    def run() -> None:
        with Ended(clock=clock) as progress:
            progress.begin(files=2, frames=None)
            progress.begin_file(task(1, 20))
            progress.begin_file(task(2, 10))
            raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        run()
    assert ended == [(1, "failed"), (2, "failed")]
