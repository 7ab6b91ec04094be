"""Building a network whose weights are loaded afterwards, without the time that its random weights take."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

#: What fills a tensor with random numbers, as a method of tensors or a function of ``torch.nn.init``.
_RANDOM = frozenset({"normal_", "trunc_normal_", "uniform_"})
_RANDOM |= {f"{rule}_{numbers}" for rule in ("kaiming", "xavier") for numbers in ("normal_", "uniform_")}


class Uninitialised(TorchFunctionMode):
    """While entered, weights of new networks keep whatever is in their memory, and no random number is drawn.

    On the meta device, too, this saves seconds: PyTorch computes some of these functions there in Python, for
    which it imports its compiler.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if getattr(func, "__name__", "") in _RANDOM:
            tensor = args[0] if args else given["tensor"]
            assert isinstance(tensor, Tensor)
            return tensor
        return func(*args, **given)
