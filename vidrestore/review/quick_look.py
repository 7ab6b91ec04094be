"""A quick look over a video: its faces in a few frames, found without tracking them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice

from ..errors import InputError
from ..faces.alignment.align import AlignedFace, align
from ..faces.detection.working_size import DetectorInput
from ..faces.face import Face
from ..faces.geometry import centre, fit
from ..media.frames.frame import Frame
from ..media.frames.thumbnails import Thumbnails
from ..media.source_video import SourceVideo
from ..options import Options
from ..restoration.fidelity.face_quality import measure_quality
from ..restoration.holes import find_holes
from ..restoration.tasks import find_task
from ..stages.holes import hole_map, with_holes
from ..stages.networks import Networks
from ..stages.restoration import limits_of
from ..stages.setup import Setup, open_video
from .moments import Sight, speed

#: Places of the video that are looked at, at most, and seconds from one to the next, at least.
PLACES, _STEP = 24, Fraction(3, 2)
#: Of a short video fewer places are looked at, since a look is work too: this many, or one in so many frames.
_FEW, _FRAMES = 12, 160
#: Distance over which a face may move from one frame to the next, as a share of its size.
_NEAR = 0.5
#: The score from which on a detection is likely to be a face that a run follows.
_CERTAIN = 0.8
#: Side in pixels of aligned faces.
_SIZE = 512


def quick_look(
    options: Options, setup: Setup, source: SourceVideo, networks: Networks
) -> Iterator[list[Sight]]:
    """The faces at each of some places that are spread over the video ``source``; those that a run with these
    options leaves alone are not counted. ``networks`` have the detector. Raises VidrestoreError."""
    assert setup.detector is not None  # as there is no tracks file
    task, limits = find_task(options.task), limits_of(options)
    detector = networks.detector(setup.detector, setup.device)
    pictures = DetectorInput(source.upright_size, Thumbnails, source.upright_aspect)
    for time, frames in _pairs(options, source):
        found = [
            [face.scaled(*pictures.scale) for face in detector(image[None])[0]]
            for _, image in pictures.pairs(frames)
        ]
        sights = []
        for face in found[0]:
            if face.score < _CERTAIN or not fit(face.box, face.landmarks):
                continue
            shown, first = Face(1, face.box, face.landmarks), frames[0]
            crop = align(first.image(), shown, first.upright, _SIZE, aspect=first.upright_aspect)
            placement = crop.placement
            quality = measure_quality(crop.image[None], [placement.scale], [placement.landmarks])[0]
            if quality.size < limits.min_size or (limits.max_yaw and quality.yaw > limits.max_yaw):
                continue
            if limits.max_sharpness and quality.sharpness > limits.max_sharpness:
                continue
            if limits.max_colour and quality.colour > limits.max_colour:
                continue
            if task.fills and not _has_hole(frames[0], crop):
                continue
            speeds = [speed(face.box, other.box) for faces in found[1:] for other in faces]
            x, y = centre(face.box).tolist()
            nearest = min(speeds, default=_NEAR)
            sights.append(
                Sight(
                    time,
                    quality.size,
                    quality.yaw,
                    (x, y),
                    speed=nearest if nearest < _NEAR else None,
                    score=face.score,
                    sharpness=quality.sharpness,
                    noise=quality.noise,
                )
            )
        yield sights


def places_of(source: SourceVideo) -> int:
    """How many places of a video are looked at."""
    if source.duration is None:
        return PLACES
    frames = int(source.duration * source.rate)
    return max(1, min(PLACES, int(source.duration / _STEP), max(_FEW, frames // _FRAMES)))


def _has_hole(frame: Frame, crop: AlignedFace) -> bool:
    """Whether a face of ``frame``, which ``crop`` shows, has a hole to fill."""
    placement = crop.placement
    if frame.hole is not None:
        return bool(hole_map(frame.hole, placement.matrix, _SIZE).any())
    return bool(find_holes(crop.image[None], [placement.scale], [placement.landmarks])[0].any())


def _pairs(options: Options, source: SourceVideo) -> Iterator[tuple[Fraction, list[Frame]]]:
    """Adjacent frames, two or one, at places spread over the video, with the time of the first."""
    begin = source.timeline.begin
    if source.duration is None or not source.path.is_file():
        with open_video(options) as decoder:
            frames = with_holes(options, decoder, decoder)
            for frame in islice(frames, 0, PLACES * round(_STEP * source.rate), round(_STEP * source.rate)):
                yield frame.time - begin, [frame]
        return
    places = places_of(source)
    for place in range(places):
        time = source.duration * (2 * place + 1) / (2 * places)
        try:
            # Fields of interlaced video are no matter here.
            part = replace(options, start=time, deinterlace="off")
            with open_video(part) as decoder:
                frames = list(islice(with_holes(part, decoder, decoder), 2))
        except InputError:  # the video ends earlier than its container
            continue
        yield frames[0].time - begin, frames
