"""CodeFormer: blind face restoration as code prediction (Zhou et al., NeurIPS 2022).

Written from the paper and from recorded facts about the published network. Module names are those of the
published checkpoint, so that its ``params_ema`` load with ``strict=True``.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .autoencoder import Encoder, Generator
from .blocks import add, local_means
from .cft import FeatureTransform, ImageTransform
from .config import CodeFormerConfig
from .correction import Correction
from .transformer import TransformerLayer

#: Added to variances before their square root is taken.
_ADAIN_EPS = 1e-5


class Encoding(NamedTuple):
    """The encoder's output for a batch of faces: all that decoding needs besides codes."""

    image: Tensor  #: (N, 3, S, S) in [-1, 1], the input itself
    features: Tensor  #: (N, C, G, G) code features, from which codes are predicted
    levels: dict[int, Tensor]  #: feature maps for the CFT, by their side in pixels


class Codebook(nn.Module):
    """The codebook of stage I (Zhou et al., 2022, section 3.1): ``embedding.weight`` (codebook size, C)."""

    def __init__(self, size: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size, channels)
        nn.init.uniform_(self.embedding.weight, -1.0 / size, 1.0 / size)

    def forward(self, codes: Tensor, grid: int) -> Tensor:
        """Look up codes: indices (N, G * G), with G = ``grid``, -> features (N, C, G, G)."""
        return self.embedding(codes).transpose(1, 2).unflatten(2, (grid, grid))


def like(features: Tensor, quantised: Tensor) -> Tensor:
    """``quantised`` in the memory layout of ``features``, both (N, C, G, G). A codebook gives channels last,
    and all layers that follow take over the layout of their input."""
    return quantised.contiguous() if features.is_contiguous() else quantised


def adaptive_instance_norm(content: Tensor, style: Tensor) -> Tensor:
    """AdaIN (Huang and Belongie, ICCV 2017, equation 8): ``content`` with the mean and standard deviation of
    each channel of ``style``; both (N, C, H, W).

    It gives the codes' features the input's colour and contrast.
    """
    dims = (2, 3)
    std_c = (content.var(dims, keepdim=True) + _ADAIN_EPS).sqrt()
    std_s = (style.var(dims, keepdim=True) + _ADAIN_EPS).sqrt()
    mean_c, mean_s = content.mean(dims, keepdim=True), style.mean(dims, keepdim=True)
    return (content - mean_c) / std_c * std_s + mean_s


class CodeFormer(nn.Module):
    """The whole network (Zhou et al., 2022, section 3, figure 2).

    ``forward`` runs :meth:`encode`, :meth:`predict` and :meth:`decode`; callers that work on codes over time
    run them one by one.
    """

    def __init__(self, config: CodeFormerConfig | None = None) -> None:
        """``config`` defaults to the sizes of the published network."""
        super().__init__()
        config = config or CodeFormerConfig()
        self.config = config
        width, tokens = config.transformer_width, config.code_grid**2
        self.position_emb = nn.Parameter(torch.zeros(tokens, width))
        self.encoder = Encoder(config)
        self.quantize = Codebook(config.codebook_size, config.code_channels)
        self.generator = Generator(config)
        self.feat_emb = nn.Linear(config.code_channels, width)
        self.ft_layers = nn.ModuleList(
            TransformerLayer(width, config.transformer_heads, config.transformer_mlp)
            for _ in range(config.transformer_layers)
        )
        self.idx_pred_layer = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, config.codebook_size, bias=False)
        )
        widths = dict(zip(config.sizes, config.widths, strict=True))  # the generator's are the same there
        self.fuse_convs_dict = nn.ModuleDict(
            {
                str(s): FeatureTransform(widths[s], widths[s] // config.cft_divisor, config.norm_groups)
                for s in config.cft_sizes
            }
        )
        self.image_transform: ImageTransform | None = None
        self.correction: Correction | None = None
        if config.image_widths:
            second, _ = config.generator_levels[1]
            if config.at_image:
                self.image_transform = ImageTransform(config.image_widths, second, config.patch)
            else:
                self.correction = Correction(config.image_widths, second, config.patch)

    def encode(self, x: Tensor) -> Encoding:
        """Encode faces ``x`` (N, 3, S, S) RGB in [-1, 1]. Raises ValueError for another shape."""
        side = self.config.image_size
        if x.ndim != 4 or tuple(x.shape[1:]) != (3, side, side):
            raise ValueError(f"faces have shape {tuple(x.shape)}; give (N, 3, {side}, {side})")
        features, levels = self.encoder(x)
        return Encoding(x, features, levels)

    def predict(self, features: Tensor) -> Tensor:
        """Predict codes (section 3.2): code features (N, C, G, G) -> logits (N, G * G, codebook size)."""
        x = self.feat_emb(features.flatten(2).transpose(1, 2))
        for layer in self.ft_layers:
            x = layer(x, self.position_emb)
        return self.idx_pred_layer(x)

    def decode(
        self, codes: Tensor, encoding: Encoding, w: float | Tensor = 0.5, adain: bool = True
    ) -> Tensor:
        """Decode codes (section 3.3) into faces (N, 3, S, S) RGB in about [-1, 1].

        Args:
            codes: Integers (N, G * G).
            encoding: What :meth:`encode` returned for the same faces.
            w: Fidelity weight in [0, 1], one number or one for each face (N,): at 0 the codes alone decide,
                at 1 the encoder's features take part in full.
            adain: Whether the codes' features get the input's statistics, as :meth:`look_up` says.

        Raises:
            ValueError: ``w`` has another shape.
        """
        return self.generate(self.look_up(codes, encoding, adain), encoding, w)

    def look_up(self, codes: Tensor, encoding: Encoding, adain: bool = True) -> Tensor:
        """Codes (N, G * G) -> features (N, C, G, G), with the input's statistics if ``adain`` and if the
        network's sizes allow it."""
        quantised = like(encoding.features, self.quantize(codes, self.config.code_grid))
        with_statistics = adain and self.config.adain
        return adaptive_instance_norm(quantised, encoding.features) if with_statistics else quantised

    def reconstruct(self, quantised: Tensor, image: Tensor) -> Tensor:
        """Generate faces from features (N, C, G, G) without the CFT, stage I's output: those of ``image``
        (N, 3, S, S), whose local means they get if these do not pass through codes."""
        return self.complete(self.generator.image(self.generator(quantised, {})), image)

    def complete(self, drawn: Tensor, image: Tensor) -> Tensor:
        """What the generator has drawn (N, 3, S, S), with the local means of ``image`` if it lacks them."""
        if not self.config.local_means:
            return drawn
        return add(drawn, local_means(image, self.config.cell).to(drawn))

    def generate(self, quantised: Tensor, encoding: Encoding, w: float | Tensor) -> Tensor:
        """Generate images from features (N, C, G, G) with the CFT. ``w`` as in :meth:`decode`."""
        if self.image_transform is not None:
            w = self._per_face(w, quantised)
            return self.image_transform(encoding.image, self.inform(quantised), w)
        if not isinstance(w, Tensor) and w == 0:
            return self.reconstruct(quantised, encoding.image)
        w = self._per_face(w, quantised)
        transforms = {
            int(size): partial(fuse, encoding.levels[int(size)], w=w)
            for size, fuse in self.fuse_convs_dict.items()
        }
        if self.correction is None:
            return self.complete(self.generator.image(self.generator(quantised, transforms)), encoding.image)
        second = self.config.sizes[1]
        informed = self.generator(quantised, transforms, until=second)
        drawn = self.generator.image(self.generator(informed, transforms, after=second))
        face = self.complete(drawn, encoding.image)
        if not self.correction.last.weight.requires_grad:
            informed = informed.detach()  # nothing is to be learned through a frozen correction
        corrected = self.correction(encoding.image, informed)
        return torch.lerp(face, corrected.to(face), w.to(face))

    def inform(self, quantised: Tensor) -> Tensor:
        """The generator's features (N, C, s, s) at its second finest level, which the CFT at the image takes,
        from the codes' features (N, C, G, G). The finest level is not run."""
        return self.generator(quantised, {}, until=self.config.sizes[1])

    def forward(self, x: Tensor, w: float | Tensor = 0.5, adain: bool = True) -> Tensor:
        """Restore faces ``x`` (N, 3, S, S) RGB in [-1, 1]; the result has the same shape and about that
        range. ``w`` and ``adain`` as in :meth:`decode`."""
        encoding = self.encode(x)
        codes = self.predict(encoding.features).argmax(dim=-1)
        return self.decode(codes, encoding, w, adain)

    @staticmethod
    def _per_face(w: float | Tensor, like: Tensor) -> Tensor:
        """``w`` as (N, 1, 1, 1), in the type and on the device of ``like``."""
        if not isinstance(w, Tensor):
            w = torch.full((len(like),), float(w))
        elif w.ndim == 0:
            w = w.expand(len(like))
        if w.shape != (len(like),):
            raise ValueError(f"w has shape {tuple(w.shape)}; give one number, or one per face ({len(like)},)")
        return w.to(like).view(-1, 1, 1, 1)
