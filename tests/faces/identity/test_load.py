"""People are told apart by their faces if that is possible, else by their looks."""

from __future__ import annotations

from vidrestore.faces.identity.load import load_embedding


def test_without_the_packages_looks_are_compared(monkeypatch):
    monkeypatch.setattr("vidrestore.faces.identity.embedding.find_spec", lambda name: None)
    assert load_embedding().name == "looks"


def test_with_the_packages_faces_are_compared():
    assert load_embedding().name == "faces"
