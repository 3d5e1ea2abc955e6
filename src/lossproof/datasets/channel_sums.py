"""Mean and deviation of pixels, without all of them in memory."""

from __future__ import annotations

import numpy as np


class ChannelSums:
    """Mean and deviation per channel of images that are seen once; exact, whatever their order."""

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.sums = [0] * channels
        self.squares = [0] * channels

    def add(self, images: np.ndarray) -> None:
        """Count uint8 images [C, H, W] or [N, C, H, W] in; takes sixteen bytes per value for a moment."""
        channels = np.moveaxis(images, -3, 0)
        self.count += channels[0].size
        for channel, pixels in enumerate(channels):
            values = pixels.astype(np.int64)
            self.sums[channel] += int(values.sum())
            self.squares[channel] += int((values * values).sum())

    def result(self) -> dict[str, list[float]]:
        """``mean`` and ``std`` per channel, in pixels of [0, 1]."""
        count = self.count
        pairs = list(zip(self.sums, self.squares, strict=True))
        return {
            "mean": [total / count / 255 for total, _ in pairs],
            "std": [(count * square - total * total) ** 0.5 / count / 255 for total, square in pairs],
        }
