"""One file, a video or a photo, restored: the job that its content calls for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .dry_run import Plan, plan
from .errors import UsageError
from .media.photo.formats import photo_format
from .option_types import display_name
from .options import Options
from .photo import PhotoPlan, PhotoReport, plan_photo, restore_photo
from .pipeline import restore_video
from .report import Report
from .stages.networks import Networks

if TYPE_CHECKING:
    from .cluster.cluster import Cluster

log = logging.getLogger(__name__)

#: Options without a meaning for photos.
FOR_VIDEOS = frozenset(
    (
        *("tracks", "track_w", "person_w", "steady", "start", "duration", "end", "rate", "video_stream"),
        *(
            "container",
            "codec",
            "crf",
            "preset",
            "encoder_options",
            "deinterlace",
            "pix_fmt",
            "resume",
            "keep",
        ),
        *("compare", "compare_layout", "report", "report_json", "profile", "ray", "workers"),
    )
)
#: Options without a meaning for videos.
_FOR_PHOTOS = frozenset(("aligned", "only_center_face", "face"))


def restore_file(
    options: Options,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    networks: Networks | None = None,
    complete: Callable[[Path], None] = lambda path: None,
    mixed: bool = False,
    cluster: Cluster | None = None,
) -> Report | PhotoReport:
    """Restore the faces of ``options.input``, a video or a photo, into ``options.output``.

    ``progress`` is called after each frame with the numbers of frames and faces done. ``networks`` holds
    what earlier files have loaded. ``complete`` is called with the complete file just before it becomes OUT.
    ``mixed`` says that the options are for files of both kinds: those of the other kind are ignored instead
    of refused. ``cluster`` restores videos, if there is one already. Raises VidrestoreError, and then leaves
    no OUT behind, unless it says that OUT is complete.
    """
    kind = photo_format(options.input)
    if not mixed:
        _refuse_unfit(options, is_photo=kind is not None)
    if kind is None and (options.ray or cluster):
        report = _restore_spread(options, progress, networks, complete, cluster)
    elif kind is None:
        report = restore_video(options, progress, networks=networks, complete=complete)
    else:
        report = restore_photo(options, kind, progress, networks=networks, complete=complete)
    if options.upscale > 1:
        log.info(
            "%s is enlarged %d times: samples outside faces are no longer the input's",
            options.destination.name,
            options.upscale,
        )
    return report


def _restore_spread(
    options: Options,
    progress: Callable[[int, int], None],
    networks: Networks | None,
    complete: Callable[[Path], None],
    cluster: Cluster | None,
) -> Report:
    """Restore a video with ``--ray``."""
    from .cluster.cluster import opened
    from .cluster.restore import restore_on_cluster

    with nullcontext(cluster) if cluster else opened(options) as workers:
        if workers:
            return restore_on_cluster(options, workers, progress, complete=complete)
    return restore_video(options, progress, networks=networks, complete=complete)


def told(report: Report | PhotoReport) -> dict[str, Any]:
    """What was done to a file, ready for JSON."""
    counts = ("frames", "faces", "tracks", "resumed")
    known = {name: getattr(report, name) for name in counts if hasattr(report, name)}
    return {**known, "seconds": round(report.seconds, 3), "model": report.model}


def plan_file(options: Options) -> Plan | PhotoPlan:
    """Say what :func:`restore_file` would do. Raises VidrestoreError for what that would refuse."""
    kind = photo_format(options.input)
    _refuse_unfit(options, is_photo=kind is not None)
    return plan(options) if kind is None else plan_photo(options, kind)


def _refuse_unfit(options: Options, *, is_photo: bool) -> None:
    """Raise UsageError for an option that has no meaning for the input."""
    unfit = FOR_VIDEOS if is_photo else _FOR_PHOTOS
    for described in fields(options):
        if described.name in unfit and getattr(options, described.name) != described.default:
            wanted, found = ("videos", "a photo") if is_photo else ("photos", "a video")
            name = options.input.name
            raise UsageError(
                f"{display_name(described)} is for {wanted}, and {name} is {found}; leave it out"
            )
