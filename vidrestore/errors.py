"""What can go wrong, as the user is told of it: one sentence and an exit code each."""

from __future__ import annotations


class VidrestoreError(Exception):
    """Base of every error that ends a run with one sentence. The message is that sentence: what is
    wrong, naming the value, and what to do."""

    exit_code = 1


class UsageError(VidrestoreError):
    """The command's own words are wrong: an option out of range, an unknown name."""

    exit_code = 2


class InputError(VidrestoreError):
    """IN cannot be read, or holds no video."""


class OutputError(VidrestoreError):
    """OUT cannot be written."""


class WeightsError(VidrestoreError):
    """Weights are missing, damaged, of another network, or cannot be fetched."""


class TrainingError(VidrestoreError):
    """A training run cannot go on."""


class DeviceError(VidrestoreError):
    """The device asked for is not there, or has no memory left."""
