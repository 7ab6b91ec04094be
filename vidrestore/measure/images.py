"""Images as tensors (3, H, W) and as arrays (H, W, 3), RGB uint8."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from ..errors import InputError


def to_rows(image: Tensor) -> np.ndarray:
    """Convert an image (3, H, W) to a contiguous array (H, W, 3) on the CPU."""
    return np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())


def read_image(path: Path) -> Tensor:
    """Read a JPEG or PNG file as (3, H, W) RGB uint8. Raises InputError."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"{path} cannot be read as an image; remove or replace it")
    return torch.from_numpy(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).permute(2, 0, 1).contiguous()
