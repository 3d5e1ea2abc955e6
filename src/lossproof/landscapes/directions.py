"""Random directions in weight space, scaled filter by filter (Li et al. 2018, arXiv:1712.09913)."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lossproof.seeding import torch_generator


def gaussian_direction(parameters: Mapping[str, torch.Tensor], generator: torch.Generator) -> dict[str, torch.Tensor]:
    """A standard normal number per weight: one tensor per parameter, same shape, type and device.

    Drawn on the CPU, in the parameters' order: equal generators give equal directions on every device
    and for every loss a network was trained with.
    """
    return {name: torch.randn(tensor.shape, generator=generator).to(tensor) for name, tensor in parameters.items()}


def gaussian_plane(parameters: Mapping[str, torch.Tensor], seed: int) -> list[dict[str, torch.Tensor]]:
    """The two directions, u and v, of every loss surface of this seed."""
    return [gaussian_direction(parameters, torch_generator("landscape", name, seed)) for name in "uv"]


def filter_normalised(
    direction: Mapping[str, torch.Tensor], parameters: Mapping[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The direction with each filter scaled to the norm of the model's own filter.

    A filter is what makes one output: ``tensor[i]`` of a convolution or a fully connected layer. Tensors
    with at most one dimension (biases, batch-norm scales and shifts) get no move at all, as in Li et
    al.'s recipe (``ignore = biasbn``). A filter of zeros gets no move either.
    """
    scaled = {}
    for name, tensor in direction.items():
        if tensor.dim() <= 1:
            scaled[name] = torch.zeros_like(tensor)
            continue
        own, wanted = (t.flatten(1).norm(dim=1).clamp_min(low) for t, low in ((tensor, 1e-12), (parameters[name], 0.0)))
        scaled[name] = tensor * (wanted / own).reshape(-1, *[1] * (tensor.dim() - 1))
    return scaled
