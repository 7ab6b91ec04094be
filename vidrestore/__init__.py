"""Video face restoration."""

import os

__version__ = "0.1.0"

# Threads of the networks that wait for each other by spinning take the processor from the stages that work
# beside them. It is read once, when PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
