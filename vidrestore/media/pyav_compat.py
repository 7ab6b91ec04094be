"""Differences between versions of PyAV."""

from __future__ import annotations

from typing import Any

import av

_MAJOR = int(av.__version__.partition(".")[0])

#: Arguments for ``av.open`` to keep metadata that is not UTF-8, as in many old files, byte for byte. PyAV 19
#: always does, and no longer has the argument.
KEEP_METADATA: dict[str, Any] = {"metadata_errors": "surrogateescape"} if _MAJOR < 19 else {}
