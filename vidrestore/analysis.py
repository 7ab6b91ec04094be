"""Find and track the faces of a video, and write them to a tracks file that a run can be given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .faces.identity.load import load_embedding
from .faces.recorded.recording import Recording, TrackSummary
from .faces.recorded.tracks_file import write_recording
from .media.output.destination import check_path, new_file, once_complete
from .options import Options
from .restoration.fidelity.face_quality import FaceQuality
from .review.contact_sheet import Portraits, draw_contact_sheet
from .review.drawing import check_picture, clock, save_picture
from .review.files import ReviewFiles
from .runtime.device import find_precision, float32_arithmetic
from .runtime.memory import translate_out_of_memory
from .runtime.scheduler import Stages
from .stages.face_source import origin_of, record_shots, timestamp, track_faces
from .stages.notes import analysed
from .stages.reference_photos import ReferencePhotos
from .stages.restoration import limits_of
from .stages.setup import AnalysisSetup, open_video, refuse_photo
from .stages.survey import Survey

_LISTED = 20  #: tracks in the table at most


@dataclass(frozen=True, slots=True)
class Analysis:
    """What ``analyze`` found."""

    output: Path  #: the tracks file
    frames: int
    faces: int  #: over all frames
    tracks: dict[int, TrackSummary]  #: by track id
    persons: dict[int, int]  #: the number of the person whom each track shows, by track id
    recognised_by: str  #: how people were told apart: by their ``faces``, or by their ``looks`` only
    seconds: float  #: that it took
    setup: AnalysisSetup = field(repr=False)

    def __str__(self) -> str:
        return (
            f"{self.output}: {self.frames} frames, {self.faces} faces, {len(self.tracks)} tracks, "
            f"{len(set(self.persons.values()))} persons by their {self.recognised_by} in "
            f"{self.seconds:.1f} s ({self.frames / self.seconds:.2f} frames/s)"
        )

    @property
    def told(self) -> dict[str, Any]:
        """What was found, ready for JSON."""
        return {
            "frames": self.frames,
            "faces": self.faces,
            "tracks": len(self.tracks),
            "seconds": round(self.seconds, 3),
            "model": self.setup.detector,
        }

    @property
    def table(self) -> str:
        """The tracks with the most frames, one per line, so that a person can tell who is who."""
        listed = sorted(sorted(self.tracks, key=lambda track: -self.tracks[track].frames)[:_LISTED])
        lines = ["person  track        from          to  frames   size"]
        for track in listed:
            summary = self.tracks[track]
            times = f"{clock(summary.first):>10}  {clock(summary.last):>10}"
            lines.append(
                f"{self.persons[track]:6}  {track:5}  {times}  {summary.frames:6}  {summary.size:4} px"
            )
        if len(self.tracks) > len(listed):
            lines.append(f"and {len(self.tracks) - len(listed)} shorter ones")
        return "\n".join(lines)


def analyze_video(
    options: Options,
    progress: Callable[[int, int], None] = lambda frames, faces: None,
    *,
    sheet: Path | None = None,
    references: Sequence[tuple[Path, str]] = (),
) -> Analysis:
    """Find and track the faces of ``options.input`` and write them to the tracks file ``options.output``.

    ``progress`` is called after each frame with the numbers of frames and faces done. ``sheet`` is a picture
    to write of all persons; ``references`` are photographs and the names of whom they show. Raises
    VidrestoreError, and then leaves no tracks file behind, unless it says that this is complete.
    """
    started = time.monotonic()
    out = options.destination
    refuse_photo(options)
    check_path(out, options.input, overwrite=options.overwrite)
    if sheet is not None:
        check_picture(sheet)
        check_path(sheet, options.input, overwrite=options.overwrite)
    with ReviewFiles(options) as review, ExitStack() as stack:
        decoder = stack.enter_context(open_video(options))
        setup = AnalysisSetup.resolve(options, decoder.source)
        stack.enter_context(translate_out_of_memory(setup.device))
        precision = find_precision(options.precision, setup.device)
        stack.enter_context(float32_arithmetic(setup.device, precision))
        stage = stack.enter_context(Stages())
        recording = Recording(origin_of(options, decoder))
        embed, portraits = load_embedding(), Portraits()
        measured: dict[int, tuple[FaceQuality, float]] = {}  # each track, as last measured

        def show(track: int, picture: np.ndarray, quality: FaceQuality, covered: float) -> None:
            measured[track] = quality, covered
            if sheet:
                portraits.add(track, picture, quality)

        survey = Survey(embed, show)
        photos = ReferencePhotos(references, embed, setup)

        _, tracked = track_faces(options, setup, decoder, stage, record_shots(recording))
        for frame, faces in tracked:
            recording.add(timestamp(frame), faces)
            survey.look(frame, faces)
            if review.notes:
                shot = recording.shots_until(timestamp(frame))
                review.notes.add([analysed(frame, shot, faces, measured, limits_of(options))])
            progress(recording.frames, recording.faces)
        stack.close()
        recording.conditions.update(survey.conditions)
        persons = survey.persons
        recording.set_persons(persons)
        photos.name_persons(recording, survey.embeddings(persons))
        with new_file(out) as path, path.open("w", encoding="utf-8") as text:
            write_recording(recording, text)
        times = {"seconds": time.monotonic() - started, **stage.profile.data()}
        review.write(origin=recording.origin, setup=setup, times=times, recording=recording)
    if sheet is not None:
        with once_complete(out):
            save_picture(sheet, draw_contact_sheet(recording, portraits, f"persons in {options.input.name}"))
    return Analysis(
        output=out,
        frames=recording.frames,
        faces=recording.faces,
        tracks=recording.summary(),
        persons=persons,
        recognised_by=embed.name,
        seconds=time.monotonic() - started,
        setup=setup,
    )
