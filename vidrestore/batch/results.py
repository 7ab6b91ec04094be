"""Which results of a batch are finished: those that are there, as they were made from what is given now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path

from ..errors import VidrestoreError
from ..faces.detection.load import resolve_detector
from ..media.output.workfolder import difference
from ..media.photo.formats import photo_format
from ..one_file import FOR_VIDEOS
from ..option_types import display_name
from ..options import Options
from ..progress.progress import Task
from ..stages.enlarging import upscaler_of
from ..stages.resume import chosen_faces_key, file_fingerprint, result_key
from ..stages.setup import RestorerSetup
from .ledger import Ledger


class Results:
    """The results in a folder, compared with what the options and inputs of this batch would make."""

    def __init__(self, options: Options, out: Path) -> None:
        self.out = out
        self._given = options

    @cached_property
    def ledger(self) -> Ledger:
        """What was made."""
        return Ledger(self.out)

    @cached_property
    def options(self) -> Options:
        """The options with the choice of the networks made, so that no file makes it again. Raises
        WeightsError or DeviceError."""
        model = self._given.model if self._given.weights else self._setup.model
        return replace(self._given, model=model, detector=self._detector)

    def key_of(self, path: Path) -> dict[str, str]:
        """Everything that the result of the input ``path`` depends on. Raises OSError."""
        key = self._photo_key if photo_format(path) else self._key
        return {"the input": file_fingerprint(path), **key}

    def changes(self, task: Task) -> str | None:
        """What has changed since the result of a file was made; an empty text if nothing has, None if there
        is no such result. Raises OSError if the file cannot be read."""
        result = self.ledger.find(task.output.relative_to(self.out))
        if result is None or not result.is_at(task.output):
            return None
        key = self.key_of(task.file)
        changed = [name for name in {**key, **result.key} if result.key.get(name) != key.get(name)]
        return difference(changed[0], result.key, key) if changed else ""

    def is_finished(self, task: Task) -> bool:
        """Whether the result of a file is there, made from it as it is with the same options."""
        try:
            return self.changes(task) == ""
        except (OSError, VidrestoreError):
            return False

    def note(self, task: Task, key: Mapping[str, str], complete: Path) -> None:
        """Note that the file ``complete`` becomes the result of a file. Raises OutputError."""
        self.ledger.add(task.output.relative_to(self.out), task.file, key, complete)

    @cached_property
    def _setup(self) -> RestorerSetup:
        return RestorerSetup.of(self._given, download=not self._given.dry_run)

    @cached_property
    def _detector(self) -> str:
        given = self._given
        return resolve_detector(given.detector, offline=given.offline, download=not given.dry_run).name

    @cached_property
    def _key(self) -> Mapping[str, str]:
        given = self._given
        upscaler = upscaler_of(given, download=not given.dry_run)
        return result_key(given, self._setup, None if given.tracks else self._detector, upscaler)

    @cached_property
    def _photo_key(self) -> Mapping[str, str]:
        """The same of a photo: options for videos change nothing of it."""
        unfit = {display_name(option) for option in fields(Options) if option.name in FOR_VIDEOS}
        kept = {name: value for name, value in self._key.items() if name not in unfit}
        return kept | chosen_faces_key(self._given)
