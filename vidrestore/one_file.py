"""One file, a video or a photo, restored: the job that its content calls for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .options import Options
from .pipeline import Report, restore_video
from .stages.networks import Networks


def restore_file(
    options: Options,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    networks: Networks | None = None,
    complete: Callable[[Path], None] = lambda path: None,
) -> Report:
    """Restore the faces of ``options.input``, a video or a photo, into ``options.output``.

    ``progress`` is called after each frame with the numbers of frames and faces done. ``networks`` holds what
    earlier files have loaded. ``complete`` is called with the complete file just before it becomes OUT.
    Raises VidrestoreError, and then leaves no OUT behind.
    """
    return restore_video(options, progress, networks=networks, complete=complete)
