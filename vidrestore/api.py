"""The Python API: the functions that ``import vidrestore`` offers. See the package's docstring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any

from .analysis import Analysis, analyze_video
from .dry_run import Plan
from .errors import UsageError
from .images import RestoredFrame, Restorer
from .media.decode.pipe_input import local_input
from .media.inspect import inspect_file
from .one_file import plan_file, restore_file
from .option_names import by_field, options_from
from .options import Options
from .photo import PhotoPlan, PhotoReport
from .pipeline import stream_frames
from .report import Report

Source = str | PathLike[str]


def _ignore(frames: int, faces: int) -> None:
    """Progress that nobody asked for."""


def _options(options: Mapping[str, Any], **arguments: Any) -> Options:
    """Options from the arguments of a function and its further keywords, each given once."""
    given = by_field(options)
    for name in arguments:
        if name in given:
            raise UsageError(f"{name} is given twice, as an argument and as an option; give it once")
    if given.pop("dry_run", False):
        raise UsageError("dry_run is for the command line; call vidrestore.plan to see what would be done")
    return options_from({**given, **arguments})


def restore(
    src: Source,
    dst: Source,
    w: float | str = 0.5,
    *,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Report | PhotoReport:
    """Restore the faces of a video or a photo and leave everything else as it was.

    Args:
        src: The video or photo to restore; its content tells which it is.
        dst: The file to write: ``.mp4``, ``.mov``, ``.mkv`` or ``.webm``; of a photo ``.jpg``, ``.png``,
            ``.tif``, ``.webp``, ``.avif`` or ``.heic``. It appears when it is complete.
        w: Fidelity weight in [0, 1]: 0 trusts the model, 1 trusts the input; ``"auto"`` chooses one for
            each track.
        progress: Called after each frame with the numbers of frames and faces done.
        **options: Any option of the command line, by its name in Python or on the command line:
            ``min_face=30``, ``codec="ffv1"``, ``start="1:30"``, ``overwrite=True``; docs/options.md lists
            them.

    Returns:
        What was done: numbers of frames, faces and tracks, the time it took, the model.

    Raises:
        VidrestoreError: In one sentence, as on the command line; no ``dst`` is left behind. If only a report
            or a comparison cannot be written, a note of the error says that ``dst`` is complete.

    >>> import vidrestore
    >>> report = vidrestore.restore("samples/portrait.mp4", "out.mp4", w=0.5, model="lite", t=0.5)
    >>> report.frames, report.faces, report.model
    (12, 12, 'lite')
    """
    given = _options(options, input=src, output=dst, w=w)
    with local_input(given.input, given.output) as path:
        return restore_file(replace(given, input=path), progress or _ignore)


def restored_frames(src: Source, w: float | str = 0.5, **options: Any) -> Iterator[RestoredFrame]:
    """Iterate over the frames of a video with their faces restored, without writing a file.

    The options are checked now, the video is opened with the first frame.

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
    return _frames(_options(options, input=src, w=w))


def _frames(options: Options) -> Iterator[RestoredFrame]:
    with local_input(options.input) as path:
        for frame, faces in stream_frames(replace(options, input=path)):
            yield RestoredFrame(
                index=frame.index, time=frame.time, faces=faces, video=frame.video, colour=frame.colour
            )


def analyze(
    src: Source,
    dst: Source,
    *,
    progress: Callable[[int, int], None] | None = None,
    sheet: Source | None = None,
    references: Mapping[str, Source] | None = None,
    **options: Any,
) -> Analysis:
    """Find and track the faces of a video, restore nothing, and write a tracks file.

    Edit ``w`` and ``skip`` of the tracks in that file, then restore with ``tracks=dst``.

    Args:
        src: The video.
        dst: The tracks file to write (JSON).
        progress: Called after each frame with the numbers of frames and faces done.
        sheet: A picture to draw of all persons (``.png`` or ``.jpg``).
        references: Photographs of persons, by their names: the persons in the file get these names.
        **options: As for :func:`restore`; those of restoring and encoding have no effect.

    Returns:
        The numbers of frames and faces, and a summary of each track.

    Raises:
        VidrestoreError: In one sentence; no ``dst`` is left behind. If only a sheet or a report cannot be
            written, a note of the error says that ``dst`` is complete.

    >>> import vidrestore
    >>> analysis = vidrestore.analyze("samples/portrait.mp4", "tracks.json", t=0.5)
    >>> analysis.frames, list(analysis.tracks)
    (12, [1])
    """
    given = _options(options, input=src, output=dst)
    with local_input(given.input, given.output) as path:
        picture = None if sheet is None else Path(sheet)
        photos = [(Path(fsdecode(photo)), name) for name, photo in (references or {}).items()]
        return analyze_video(
            replace(given, input=path), progress or _ignore, sheet=picture, references=photos
        )


def plan(src: Source, dst: Source, w: float | str = 0.5, **options: Any) -> Plan | PhotoPlan:
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
    given = _options(options, input=src, output=dst, w=w)
    with local_input(given.input, given.output) as path:
        return plan_file(replace(given, input=path))


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
    with local_input(_options({}, input=src).input) as path:
        return inspect_file(path)


def load_restorer(name_or_path: Source, device: str = "auto", precision: str = "auto") -> Restorer:
    """Load a restorer of aligned faces and single frames.

    Args:
        name_or_path: The name of a restorer (docs/models.md), ``"auto"``, or a file of weights (``.pth``,
            ``.safetensors`` or ``.onnx``).
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.
        precision: ``"auto"``, ``"fp32"``, ``"bf16"`` or ``"fp16"``.

    Raises:
        UsageError: An unknown name, device or precision.
        WeightsError: The weights are not available, or are of another network.
        DeviceError: This machine has no such device.

    >>> import numpy as np, vidrestore
    >>> restorer = vidrestore.load_restorer("lite")
    >>> restorer.restore(np.zeros((1, 512, 512, 3), np.uint8), w=0.5).shape
    (1, 512, 512, 3)
    """
    return Restorer.load(name_or_path, device=device, precision=precision)
