"""What Ray says of a task that failed, in this program's words; the rest is in test_restore.py."""

from __future__ import annotations

import pytest

from vidrestore.cluster.crew import LostError
from vidrestore.cluster.engine import _translated
from vidrestore.errors import OutputError

ray = pytest.importorskip("ray")


def test_an_error_of_the_work_is_itself():
    import ray.exceptions

    own = OutputError("no space left", repeats=True)
    error = ray.exceptions.RayTaskError("render", "a traceback", own)
    assert _translated(ray, error) is own


def test_the_end_of_a_worker_is_one_line():
    import ray.exceptions

    for error in (
        ray.exceptions.ActorDiedError(),
        ray.exceptions.OutOfMemoryError("Task was killed\nmore"),
        ray.exceptions.WorkerCrashedError(),
    ):
        translated = _translated(ray, error)
        assert isinstance(translated, LostError)
        assert str(translated)
        assert "\n" not in str(translated)
