"""Out-of-memory errors are recognised on every device."""

from __future__ import annotations

import pytest
import torch

from tests.support.out_of_memory import ERRORS
from vidrestore.errors import DeviceError
from vidrestore.runtime.memory import is_out_of_memory, translate_out_of_memory


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_out_of_memory_errors_are_recognised(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError()])
def test_other_errors_are_not(error):
    assert not is_out_of_memory(error)


def test_a_failed_allocation_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_out_of_memory_errors_become_device_errors():
    cpu = torch.device("cpu")
    with pytest.raises(DeviceError, match="cpu has no memory left"), translate_out_of_memory(cpu):
        raise MemoryError
    with pytest.raises(KeyError), translate_out_of_memory(cpu):
        raise KeyError
