"""What a worker does with a portion: restores its frames and encodes each segment into a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from msgspec import to_builtins

from ..errors import InputError
from ..faces.recorded.recording import Recording
from ..media.encode.encoder import VideoEncoder
from ..media.output.destination import writing
from ..media.output.segments import Segment, SegmentFile
from ..options import Options
from ..pipeline import open_for_restoration, restore_frames
from ..runtime.device import float32_arithmetic
from ..runtime.memory import translate_out_of_memory
from ..runtime.profile import Profile
from ..runtime.scheduler import QUEUE_DEPTH, Stages
from ..stages.enlarging import enlarged_source
from ..stages.networks import Networks
from ..stages.portion import Portion, PortionRun
from ..stages.setup import Setup

#: Frames after which a worker says how far it is.
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Count:
    """Frames of a segment that are restored but not yet complete."""

    frames: int
    faces: int


@dataclass(frozen=True, slots=True)
class Made:
    """A segment that is complete."""

    first: int  #: the number of its first frame
    segment: Segment
    seconds: float  #: since the segment before, or since the portion was begun


class _Open:
    """The segment that is being encoded."""

    def __init__(self, first: int, path: Path, encoder: VideoEncoder) -> None:
        self.first = first
        self.path = path
        self.encoder = encoder
        self.info: list[dict[str, object]] = []
        self.side_data: frozenset[str] = frozenset()
        with writing(path):
            self.file = SegmentFile(path)

    def finish(self, seconds: float) -> Made:
        with writing(self.path):
            self.file.add(self.encoder.flush())
            extradata = self.encoder.extradata
            segment = self.file.finish(
                frames=len(self.info), info=self.info, side_data=self.side_data, extradata=extradata
            )
        return Made(self.first, segment, seconds)

    def close(self) -> None:
        """Delete the file if it is not complete."""
        self.encoder.close()
        self.file.abandon()


def render(
    portion: Portion,
    options: Options,
    setup: Setup,
    networks: Networks,
    *,
    path_of: Callable[[int], Path],
    recording: Recording | None = None,
) -> Iterator[Count | Made]:
    """Restore ``portion`` and write its segments, as a run over all frames would. ``path_of`` gives the path
    for a segment by its first frame; ``recording`` has the faces if the portion has none.

    Yields what is done. Raises VidrestoreError, and then leaves no incomplete segment behind.
    """
    assert setup.encoder is not None
    assert setup.container is not None
    began, done, faces = time.monotonic(), portion.frames.start, 0
    current: _Open | None = None
    with ExitStack() as stack:
        decoder = stack.enter_context(open_for_restoration(options))
        written = enlarged_source(decoder.source, options.upscale)
        stack.enter_context(translate_out_of_memory(setup.device))
        stack.enter_context(float32_arithmetic(setup.device, setup.restorer.precision))
        profile = Profile(setup.device)
        stage = stack.enter_context(Stages(depth=QUEUE_DEPTH, last="encode", profile=profile))
        stack.callback(lambda: current and current.close())
        _, frames = restore_frames(
            options,
            setup,
            networks.models(setup.restorer, profile),
            decoder,
            stage,
            earlier=PortionRun(portion, recording, task=options.task),
            segment_length=portion.length,
            networks=networks,
        )
        for frame, notes in stage(frames, "paste"):
            if current is None:
                encoder = VideoEncoder(setup.encoder, written, setup.container)
                current = _Open(frame.index, path_of(frame.index), encoder)
            with writing(current.path):
                current.file.add(current.encoder.encode(frame))
            current.info.append({"faces": notes.restored, "notes": to_builtins(notes)})
            current.side_data |= frame.side_data
            done, faces = frame.index + 1, faces + notes.restored
            if done % portion.length == 0 or done == portion.frames.stop:
                made = current.finish(time.monotonic() - began)
                current.close()
                current, began, faces = None, time.monotonic(), 0
                yield made
            elif len(current.info) % _TOLD == 0:
                yield Count(len(current.info), faces)
    if done != portion.frames.stop:
        raise InputError(
            f"{options.input.name} ends after {done} frames for this worker, "
            f"{portion.frames.stop - done} before the place where faces were looked for"
        )
