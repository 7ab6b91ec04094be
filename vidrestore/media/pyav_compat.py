"""Where the versions of PyAV differ."""

from __future__ import annotations

from typing import Any

import av

_MAJOR = int(av.__version__.partition(".")[0])

#: For av.open: metadata that is not UTF-8, as that of old files often is, is carried over byte for byte.
#: From PyAV 19 on that is how it always is, and can no longer be asked for.
KEEP_METADATA: dict[str, Any] = {"metadata_errors": "surrogateescape"} if _MAJOR < 19 else {}
