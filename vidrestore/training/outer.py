"""The first steps of stage I after growing: the new layers, those at the image, are trained by themselves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..restoration.codeformer import CodeFormer
from ..restoration.codeformer.blocks import PatchConv
from .distributed import mean
from .image_loss import cut_square, parts


class OuterLayers(nn.Module):
    """What the layers before and after those of the small network have to learn.

    The encoder's new layers learn to pass on what the small network's first layer sees in the downscaled
    image. The generator's learn the image from what the loaded layers make of the codes, on a crop of each
    face. The loaded layers need no gradient.
    """

    def __init__(self, model: CodeFormer) -> None:
        super().__init__()
        config = model.config
        #: The first layer of the small network; :func:`.grow.begin_from` loads it.
        self.first = PatchConv(3, config.channels, config.patch).requires_grad_(False)

    @torch.no_grad()
    def look(self, model: CodeFormer, clean: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the small network's first layer sees in clean faces (N, 3, S, S), and the code features
        (N, C, G, G) that follow from it."""
        seen = self.first(F.avg_pool2d(model.encoder.seen(clean), 2))
        return seen, model.encoder(seen, begin=model.encoder.outer)[0].float()

    def imitation(self, model: CodeFormer, clean: Tensor, seen: Tensor) -> Tensor:
        """Return the error of the encoder's new layers, relative to the variance of what they imitate."""
        x = model.encoder.seen(clean)
        for block in model.encoder.blocks[: model.encoder.outer]:
            x = block(x)
        return F.mse_loss(x.float(), seen.float()) / _variance(seen.float())

    def images(
        self, model: CodeFormer, quantised: Tensor, clean: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Generate a part of half the side of each face from features (N, C, G, G): it and the same part of
        ``clean``, both (N, 3, S / 2, S / 2)."""
        side = model.config.image_size // 2
        return draw_part(model, quantised, clean, side=side, generator=generator, outer_alone=True)


def draw_part(
    model: CodeFormer,
    quantised: Tensor,
    clean: Tensor,
    *,
    side: int,
    generator: torch.Generator,
    outer_alone: bool = False,
    square: tuple[int, int, int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Generate a part of each face of ``side`` pixels at a random place from features (N, C, G, G): it and
    the same part of ``clean``, both (N, 3, side, side); or the part of each in ``square`` (left, top, side),
    up to the rounding to pixels of the second level.

    The layers up to the generator's second level draw the whole face, the finest ones, which take most of the
    time, the part alone. With ``outer_alone`` the former do not learn.
    """
    config, second = model.config, model.config.sizes[1]
    with torch.set_grad_enabled(torch.is_grad_enabled() and not outer_alone):
        inner = model.generator(quantised, {}, until=second)
    means = clean - model.encoder.seen(clean)
    images = inner, clean, means
    if square is None:
        inner, clean, means = parts(*images, side=side * second // config.image_size, generator=generator)
    else:
        left, top, side = (round(v * second / config.image_size) for v in square)
        inner, clean, means = (
            cut_square(x, (left * step, top * step, side * step))
            for x in images
            for step in (x.shape[-1] // second,)
        )
    drawn = model.generator.image(model.generator(inner, {}, after=second)).float()
    return drawn + means, clean


@torch.no_grad()
def _variance(x: Tensor) -> Tensor:
    """The variance of the values of the whole batch, of which ``x`` is this process's share."""
    return mean((x - mean(x.mean())).square().mean())
