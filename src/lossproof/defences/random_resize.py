"""Random resizing and padding of the input at each call (Xie et al., ICLR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CATALOGUE = {
    "random_resize": {
        "build": "RandomResize",
        "acts": "forward",
        "parameters": {
            "larger": {
                "type": "integer",
                "minimum": 1,
                "default": 4,
                "description": "pixels that the padded image is larger (28 to 32, 32 to 36: no published setting "
                "for small images)",
            }
        },
    }
}


class RandomResize(nn.Module):
    """Each image enlarged to a random side up to ``output_size`` (nearest pixel), at a random place, zeros around it.

    Draws from torch's global generator, anew at each call and for each image: an attacker has to take the
    expectation over draws. Nothing else is trained differently; training sees the draws too.
    """

    def __init__(self, image_size: int, *, larger: int = 4) -> None:
        super().__init__()
        self.image_size, self.output_size = image_size, image_size + larger

    def forward(self, images: Tensor) -> Tensor:
        """[B, C, image_size, image_size] -> [B, C, output_size, output_size]; ValueError for another size."""
        count, _, height, width = images.shape
        if (height, width) != (self.image_size, self.image_size):
            raise ValueError(f"expected images of {self.image_size} pixels a side, not {height} x {width}")
        side = torch.randint(self.image_size, self.output_size + 1, (count,))
        start = (torch.rand(2, count) * (self.output_size - side + 1)).floor()
        place = torch.arange(self.output_size) - start[:, :, None]
        source = (place * self.image_size / side[:, None]).floor().to(images.device)
        inside = (source >= 0) & (source < self.image_size)
        (rows, columns), (above, beside) = source.long().clamp_(0, self.image_size - 1), inside
        index = torch.arange(count, device=images.device)[:, None, None]
        moved = images[index, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        return moved * (above[:, None, :, None] & beside[:, None, None, :])
