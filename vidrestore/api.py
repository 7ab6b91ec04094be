"""The Python API: the functions that ``import vidrestore`` offers. See the package's docstring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any

from .analysis import Analysis, analyze_video
from .dry_run import Plan
from .dry_run import plan as plan_run
from .images import RestoredFrame, Restorer
from .media.inspect import inspect_file
from .option_names import options_from
from .pipeline import Report, restore_video, stream_frames

Source = str | PathLike[str]


def _ignore(frames: int, faces: int) -> None:
    """Progress that nobody asked for."""


def restore(
    src: Source,
    dst: Source,
    w: float | str = 0.5,
    *,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Report:
    """Restore the faces of a video and leave everything else as it was.

    Args:
        src: The video to restore.
        dst: The file to write: ``.mp4``, ``.mov``, ``.mkv`` or ``.webm``. It appears when it is complete.
        w: Fidelity weight in [0, 1]: 0 trusts the model, 1 trusts the input; ``"auto"`` chooses one for
            each track.
        progress: Called after each frame with the numbers of frames and faces done.
        **options: Any option of the command line, by its name in Python or on the command line:
            ``min_face=30``, ``codec="ffv1"``, ``start="1:30"``, ``overwrite=True``; docs/options.md lists
            them.

    Returns:
        What was done: numbers of frames, faces and tracks, the time it took, the model.

    Raises:
        VidrestoreError: In one sentence, as on the command line; no ``dst`` is left behind.

    >>> import vidrestore
    >>> report = vidrestore.restore("samples/portrait.mp4", "out.mp4", w=0.5, model="lite", t=0.5)
    >>> report.frames, report.faces, report.model
    (12, 12, 'lite')
    """
    given = options_from({"input": src, "output": dst, "w": w, **options})
    return restore_video(given, progress or _ignore)


def restored_frames(src: Source, w: float | str = 0.5, **options: Any) -> Iterator[RestoredFrame]:
    """Yield the frames of a video with their faces restored, without writing a file.

    Args:
        src: The video to restore.
        w: As for :func:`restore`.
        **options: As for :func:`restore`; those of encoding have no effect.

    Yields:
        Every frame in the order of presentation, with its time in seconds and its samples.

    Raises:
        VidrestoreError: As :func:`restore`.

    >>> import vidrestore
    >>> frames = vidrestore.restored_frames("samples/portrait.mp4", model="lite", t=0.5)
    >>> frame = next(frames)
    >>> float(frame.time), frame.faces, frame.to_rgb().shape
    (0.0, 1, (360, 640, 3))
    """
    for frame, faces in stream_frames(options_from({"input": src, "w": w, **options})):
        yield RestoredFrame(index=frame.index, time=frame.time, faces=faces, video=frame.video)


def analyze(
    src: Source, dst: Source, *, progress: Callable[[int, int], None] | None = None, **options: Any
) -> Analysis:
    """Find and track the faces of a video, restore nothing, and write a tracks file.

    Edit ``w`` and ``skip`` of the tracks in that file, then restore with ``tracks=dst``.

    Args:
        src: The video.
        dst: The tracks file to write (JSON).
        progress: Called after each frame with the numbers of frames and faces done.
        **options: As for :func:`restore`; those of restoring and encoding have no effect.

    Returns:
        The numbers of frames and faces, and a summary of each track.

    Raises:
        VidrestoreError: In one sentence; no ``dst`` is left behind.

    >>> import vidrestore
    >>> analysis = vidrestore.analyze("samples/portrait.mp4", "tracks.json", t=0.5)
    >>> analysis.frames, list(analysis.tracks)
    (12, [1])
    """
    given = options_from({"input": src, "output": dst, **options})
    return analyze_video(given, progress or _ignore)


def plan(src: Source, dst: Source, w: float | str = 0.5, **options: Any) -> Plan:
    """Say what :func:`restore` would do with the same arguments, and do none of it.

    Args:
        src: The video to restore.
        dst: The file that would be written.
        w: As for :func:`restore`.
        **options: As for :func:`restore`.

    Returns:
        A plan: ``print`` it, or read ``plan.data`` (ready for JSON) and ``plan.setup``.

    Raises:
        VidrestoreError: For what :func:`restore` would refuse.

    >>> import vidrestore
    >>> planned = vidrestore.plan("samples/portrait.mp4", "out.mp4", model="lite")
    >>> planned.setup.restorer.model, planned.data["streams"][1]["action"]
    ('lite', 'copied')
    """
    return plan_run(options_from({"input": src, "output": dst, "w": w, **options}))


def probe(src: Source) -> dict[str, Any]:
    """Describe a media file: its container, streams, chapters and metadata, ready for JSON.

    Args:
        src: Any media file.

    Raises:
        InputError: The file cannot be read.

    >>> import vidrestore
    >>> [stream["type"] for stream in vidrestore.probe("samples/portrait.mp4")["streams"]]
    ['video', 'audio']
    """
    return inspect_file(options_from({"input": src}).input)


def load_restorer(name_or_path: Source, device: str = "auto", precision: str = "auto") -> Restorer:
    """Load a restorer of aligned faces and single frames.

    Args:
        name_or_path: ``"lite"``, ``"codeformer"``, ``"auto"``, or a file of CodeFormer weights
            (``.pth`` or ``.safetensors``).
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        precision: ``"auto"``, ``"fp32"``, ``"bf16"`` or ``"fp16"``.

    Raises:
        WeightsError: The weights cannot be had, or are of another network.
        DeviceError: The device is not there.

    >>> import numpy as np, vidrestore
    >>> restorer = vidrestore.load_restorer("lite")
    >>> restorer.restore(np.zeros((1, 512, 512, 3), np.uint8), w=0.5).shape
    (1, 512, 512, 3)
    """
    return Restorer.load(name_or_path, device=device, precision=precision)
