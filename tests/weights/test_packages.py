"""Packages that are extras: what is said without them, and their versions."""

from __future__ import annotations

from importlib import metadata

import pytest

from vidrestore.errors import WeightsError
from vidrestore.weights.packages import PACKAGES, need_package, package_version


def test_a_package_that_is_missing(monkeypatch):
    need_package(None, "lite")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    need_package(None, "lite")
    with pytest.raises(WeightsError, match=r'gpen needs the package onnxruntime; .*"vidrestore\[onnx\]"'):
        need_package(PACKAGES["onnx"], "gpen")


def test_versions(monkeypatch):
    monkeypatch.setattr(metadata, "version", {"spandrel": "1.2", "onnxruntime-gpu": "3.4"}.__getitem__)
    monkeypatch.setattr(metadata, "PackageNotFoundError", KeyError)
    assert package_version("spandrel") == "spandrel 1.2"
    assert package_version("onnxruntime") == "onnxruntime 3.4"
    assert package_version("torch") == "torch of an unknown version"
