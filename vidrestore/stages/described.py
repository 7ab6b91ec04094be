"""Lines of dry runs, of videos and photos, on what is done to faces and by which model."""

from __future__ import annotations

from typing import Any

from ..option_types import FOUND


def described_task(task: str, mask: str | None) -> list[str]:
    """What is done to faces, as lines for people; none if they are restored."""
    if task == "colour":
        return ["task: colour, of grey faces; luma stays the input's"]
    if task == "inpaint":
        white = "all that is pure white" if mask is None else f"of {mask}"
        return [f"task: inpaint, holes: {'what is found over faces' if mask == FOUND else white}"]
    return []


def described_model(plan: dict[str, Any]) -> str:
    """The line on the model that a plan names, and on the one that replaces it if it cannot be downloaded."""
    fallback = f" (or {plan['fallback']}, if it cannot be downloaded)" if plan["fallback"] else ""
    return f"model: {plan['model']}{fallback}" + (f", w {plan['w']}" if plan["task"] == "restore" else "")
