"""Tests of what only some systems have."""

from __future__ import annotations

import os

import pytest

#: Skips a test of POSIX signals, named pipes, limits on files, or several processes over Gloo.
posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
