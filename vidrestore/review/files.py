"""The files that show what a run did: collected while it goes, written when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from ..errors import OutputError
from ..faces.recorded.recording import Origin, PersonSettings, Recording, TrackSettings
from ..faces.recorded.tracks_file import read_recording
from ..media.output.destination import check_path, new_file, once_complete
from ..options import Options
from ..stages.setup import AnalysisSetup
from .html_file import write_html
from .json_file import write_json
from .record import Record
from .spool import Spool


class ReviewFiles:
    """What ``--report`` and ``--report-json`` ask for. A context manager; does nothing without them."""

    def __init__(self, options: Options) -> None:
        """Raises OutputError if a file cannot or must not be written."""
        self._options = options
        self._wanted: list[tuple[Path, Callable[[Record, TextIO], None]]] = []
        if options.report_json is not None:
            self._wanted.append((options.report_json, write_json))
        if options.report is not None:
            self._wanted.append((options.report, write_html))
        for path, _ in self._wanted:
            check_path(path, options.input, overwrite=options.overwrite)
            if options.output is not None and path.absolute() == options.output.absolute():
                raise OutputError(f"{path} is OUT itself; choose another name for the report")
        self._stack = ExitStack()
        self.notes: Spool | None = None  #: None if nothing is asked for
        self._settings: Mapping[int, TrackSettings] = {}
        self._persons: Mapping[int, PersonSettings] = {}

    def __enter__(self) -> ReviewFiles:
        if self._wanted:
            self.notes = self._stack.enter_context(Spool())
            if self._options.tracks:  # now: while the run goes on, a person may edit it for the next one
                recording = read_recording(self._options.tracks)
                self._settings, self._persons = recording.settings, recording.persons
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def told(self) -> Callable[[Sequence[Mapping[str, Any]]], object] | None:
        """What a writer of OUT tells the notes of its frames."""
        return self.notes.add_infos if self.notes else None

    def write(
        self,
        *,
        origin: Origin,
        setup: AnalysisSetup,
        times: Mapping[str, Any],
        licence: str | None = None,
        recording: Recording | None = None,
    ) -> None:
        """Write the files, when OUT is complete. ``recording`` says who is who; by default the tracks file of
        the run does, as it was when the run began. Raises OutputError, which says that OUT is complete."""
        if self.notes is None:
            return
        if recording is not None:
            self._settings, self._persons = recording.settings, recording.persons
        record = Record(
            options=self._options,
            origin=origin,
            setup=setup,
            licence=licence,
            times=times,
            settings=self._settings,
            persons=self._persons,
            notes=self.notes,
        )
        for path, write in self._wanted:
            # Names of files may hold bytes that are no text.
            with (
                once_complete(self._options.destination),
                new_file(path) as partial,
                partial.open("w", encoding="utf-8", errors="backslashreplace") as text,
            ):
                write(record, text)
