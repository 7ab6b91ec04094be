"""CodeFormer, our own implementation."""

from .config import CodeFormerConfig
from .network import CodeFormer, Encoding

__all__ = ["CodeFormer", "CodeFormerConfig", "Encoding"]
