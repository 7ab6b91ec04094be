"""Lines of dry runs on what is done to faces and by which model."""

from __future__ import annotations

from vidrestore.stages.described import described_model, described_task


def test_tasks_in_words():
    assert described_task("restore", None) == []
    assert described_task("inpaint", "found") == ["task: inpaint, holes: what is found over faces"]
    assert "pure white" in described_task("inpaint", None)[0]


def test_the_model_with_what_replaces_it_and_its_weight():
    plan = {"model": "codeformer", "fallback": "lite", "task": "restore", "w": 0.5}
    assert described_model(plan) == "model: codeformer (or lite, if it cannot be downloaded), w 0.5"
    assert described_model(plan | {"fallback": None, "task": "colour"}) == "model: codeformer"
