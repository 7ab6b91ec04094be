"""The description of the machine."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from vidrestore.measure.speed import machine as module
from vidrestore.measure.speed.machine import cpu_name, machine


def test_the_machine_is_described_as_json_can_hold_it() -> None:
    described = machine()
    assert json.loads(json.dumps(described)) == described
    assert described["cores"] >= 1
    assert described["python"] == platform.python_version()


def test_the_name_of_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: Fast CPU\n\nprocessor\t: 1\nmodel name\t: Fast CPU\n")
    monkeypatch.setattr(module, "_CPU_INFO", info)
    assert cpu_name() == "Fast CPU"
    info.write_text("processor\t: 0\n")
    assert cpu_name() == platform.processor()
    monkeypatch.setattr(module, "_CPU_INFO", tmp_path / "missing")
    assert cpu_name() == platform.processor()
