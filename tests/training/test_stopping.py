"""SIGTERM and Ctrl-C as a request to stop."""

from __future__ import annotations

import os
import signal

import pytest

from vidrestore.training.stopping import SIGNALS, StopSignals, ignore_stop_signals

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals to a process are POSIX")


def test_the_first_signal_is_recorded_and_handlers_are_restored() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopSignals() as stop:
        assert not stop()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop()
        assert stop.received == signal.SIGTERM
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_worker_ignores_the_signals() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    try:
        ignore_stop_signals(0)
        for number in SIGNALS:
            signal.raise_signal(number)
    finally:
        for number, handler in zip(SIGNALS, before, strict=True):
            signal.signal(number, handler)
