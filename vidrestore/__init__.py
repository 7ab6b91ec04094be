"""Video face restoration: restores the faces of a video, and leaves everything else as it was.

    import vidrestore

    report = vidrestore.restore("in.mp4", "out.mp4", w=0.5)
    print(report.frames, report.faces)

``restore``, ``restored_frames``, ``analyze``, ``plan`` and ``probe`` are the jobs of the command line;
``load_restorer`` gives a :class:`Restorer` for aligned faces and single frames. Every error is a
:class:`VidrestoreError` with one sentence. Names are loaded at first use, since they import PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis import Analysis
    from .api import analyze, load_restorer, plan, probe, restore, restored_frames
    from .dry_run import Plan
    from .errors import (
        DeviceError,
        InputError,
        OutputError,
        UsageError,
        VidrestoreError,
        WeightsError,
    )
    from .images import RestoredFrame, Restorer
    from .options import Options
    from .report import Report

__version__ = "0.3.0"

__all__ = [
    "Analysis",
    "DeviceError",
    "InputError",
    "Options",
    "OutputError",
    "Plan",
    "Report",
    "RestoredFrame",
    "Restorer",
    "UsageError",
    "VidrestoreError",
    "WeightsError",
    "analyze",
    "load_restorer",
    "plan",
    "probe",
    "restore",
    "restored_frames",
]

#: The module that each public name is defined in.
_MODULES = {
    "Analysis": "analysis",
    "Options": "options",
    "Plan": "dry_run",
    "Report": "report",
    "RestoredFrame": "images",
    "Restorer": "images",
    **{name: "errors" for name in __all__ if name.endswith("Error")},
    **{name: "api" for name in __all__ if name[0].islower()},
}


def __getattr__(name: str) -> Any:
    try:
        module = _MODULES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
