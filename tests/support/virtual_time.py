"""An event loop whose clock jumps to what is due next: sleeping costs no time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class _Loop(asyncio.SelectorEventLoop):
    _now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def seconds_of(work: Coroutine[Any, Any, Any]) -> float:
    """Do ``work`` and return the seconds that it would have taken."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(work)
        return runner.get_loop().time()
