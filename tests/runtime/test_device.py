"""Devices by name."""

from __future__ import annotations

import pytest
import torch

from vidrestore.errors import DeviceError, UsageError
from vidrestore.runtime.device import DTYPES, find_device, find_precision


def test_cpu_and_auto():
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize(
    ("name", "error"), [("abacus", UsageError), ("meta", UsageError), ("cuda:99", DeviceError)]
)
def test_what_is_not_there_is_named(name, error):
    with pytest.raises(error, match=name):
        find_device(name)


def test_precision():
    assert find_precision("fp32", torch.device("cpu")) == "fp32"
    assert find_precision("auto", torch.device("cpu")) in DTYPES


def test_fp16_is_refused_where_it_is_slower_than_fp32():
    with pytest.raises(UsageError, match="fp16 is for CUDA devices"):
        find_precision("fp16", torch.device("cpu"))
    assert find_precision("fp16", torch.device("cuda")) == "fp16"
