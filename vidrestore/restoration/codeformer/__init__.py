"""CodeFormer, our own implementation."""

from .config import CodeFormerConfig
from .network import CodeFormer, Encoding
from .restorer import CodeFormerRestorer, build_codeformer

__all__ = ["CodeFormer", "CodeFormerConfig", "CodeFormerRestorer", "Encoding", "build_codeformer"]
