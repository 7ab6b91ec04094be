"""Everything that can go wrong, as users see it: one sentence and an exit code each."""

from __future__ import annotations


class VidrestoreError(Exception):
    """Base class of every error that ends a run. The message is one sentence: what is wrong, naming the
    value, and what to do about it."""

    exit_code = 1
    #: Whether the same command would end in the same way.
    repeats = False


class UsageError(VidrestoreError):
    """The options are wrong: a value out of range, an unknown name."""

    exit_code = 2
    repeats = True


class InputError(VidrestoreError):
    """IN cannot be read, or has no video."""

    repeats = True


class OutputError(VidrestoreError):
    """OUT cannot be written."""

    def __init__(self, message: str, *, repeats: bool = False) -> None:
        super().__init__(message)
        self.repeats = repeats


class LossError(OutputError):
    """OUT would lose something that the input has, and ``--strict`` forbids it."""

    repeats = True


class WeightsError(VidrestoreError):
    """Weights are missing, damaged, of another network, or cannot be downloaded."""


class TrainingError(VidrestoreError):
    """A training run cannot continue."""


class DeviceError(VidrestoreError):
    """The requested device does not exist, or is out of memory."""
