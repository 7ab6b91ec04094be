"""Devices by name."""

from __future__ import annotations

import os

import pytest
import torch

from vidrestore.errors import DeviceError, UsageError
from vidrestore.runtime.device import (
    DTYPES,
    find_device,
    find_precision,
    float32_arithmetic,
    prepare_device,
)


def test_cpu_and_auto():
    assert find_device("cpu") == torch.device("cpu")
    assert find_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize(
    ("name", "error"), [("abacus", UsageError), ("meta", UsageError), ("cuda:99", DeviceError)]
)
def test_a_device_that_does_not_exist_is_named(name, error):
    with pytest.raises(error, match=name):
        find_device(name)


def test_precision():
    assert find_precision("fp32", torch.device("cpu")) == "fp32"
    assert find_precision("auto", torch.device("cpu")) in DTYPES


def test_fp16_is_refused_where_it_is_slower_than_fp32():
    with pytest.raises(UsageError, match="fp16 is for CUDA devices only, not for cpu"):
        find_precision("fp16", torch.device("cpu"))
    assert find_precision("fp16", torch.device("cuda")) == "fp16"


@pytest.fixture
def _settings_kept(monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "before")
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32
    yield
    cudnn.benchmark, cudnn.allow_tf32, matmul.allow_tf32 = before


@pytest.mark.usefixtures("_settings_kept")
def test_compiled_code_is_kept_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "chosen")
    prepare_device(torch.device("cuda"), "fp32", compile_cache=tmp_path)
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "chosen"
    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR")
    prepare_device(torch.device("cpu"), "fp32", compile_cache=tmp_path)
    assert "TORCHINDUCTOR_CACHE_DIR" not in os.environ
    prepare_device(torch.device("cuda"), "fp32", compile_cache=tmp_path)
    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == str(tmp_path)


@pytest.mark.usefixtures("_settings_kept")
@pytest.mark.parametrize(("precision", "reduced"), [("fp32", False), ("bf16", True), ("fp16", True)])
def test_only_networks_in_half_precision_multiply_in_tf32(tmp_path, precision, reduced):
    prepare_device(torch.device("cuda"), precision, compile_cache=tmp_path)
    assert torch.backends.cudnn.allow_tf32 is reduced
    assert torch.backends.cuda.matmul.allow_tf32 is reduced
    assert torch.backends.cudnn.benchmark


@pytest.mark.usefixtures("_settings_kept")
@pytest.mark.parametrize(("precision", "reduced"), [("fp32", False), ("bf16", True)])
def test_arithmetic_of_float32_is_as_before_afterwards(precision, reduced):
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    cudnn.allow_tf32, matmul.allow_tf32 = not reduced, not reduced
    with float32_arithmetic(torch.device("cuda"), precision):
        assert (cudnn.allow_tf32, matmul.allow_tf32) == (reduced, reduced)
    assert (cudnn.allow_tf32, matmul.allow_tf32) == (not reduced, not reduced)
    with float32_arithmetic(torch.device("cpu"), precision):
        assert (cudnn.allow_tf32, matmul.allow_tf32) == (not reduced, not reduced)
