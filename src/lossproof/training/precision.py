"""Numbers of training steps: float32, TF32 or bfloat16; what a device can do of it, and how it is switched.

Only training steps are meant. Evaluation and attacks always run in float32: an attack lives on small differences
of logits and on the signs of small input gradients. Rounded to the 8 bits of bfloat16 many of these become equal
or zero, so attacks fail and a network looks robust for a reason that lies in the arithmetic, not in its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from lossproof.devices import allow_tf32
from lossproof.models.classifier import Classifier, Scores

PRECISIONS = ("fp32", "tf32", "bf16")
AMPERE = (8, 0)


def _holds_bf16(device: torch.device) -> bool:
    """Whether a tensor can be bfloat16 there; asked of the device, as Macs with AMD graphics differ from others."""
    try:
        torch.ones(1, dtype=torch.bfloat16, device=device)
    except (RuntimeError, TypeError):
        return False
    return True


def usable(asked: str, device: torch.device) -> tuple[str, str | None]:
    """The precision that a device really uses where ``asked`` is wanted, and why it is another (else None).

    Raises ValueError for an unknown precision.
    """
    if asked not in PRECISIONS:
        raise ValueError(f"no precision '{asked}'; known: {', '.join(PRECISIONS)}")
    reason = None
    if asked == "tf32" and device.type != "cuda":
        reason = f"tf32 exists on CUDA only, not on {device.type}"
    elif asked != "fp32" and device.type == "cuda" and torch.cuda.get_device_capability(device) < AMPERE:
        reason = f"{asked} needs a GPU of compute capability 8.0 or more"
    elif asked == "bf16" and device.type == "mps" and not _holds_bf16(device):
        reason = "this Mac's GPU or system has no bf16"
    return ("fp32", reason) if reason else (asked, None)


@contextmanager
def switched(used: str) -> Iterator[None]:
    """Within: the switches of a precision that last for forward and backward pass; float32 again behind it."""
    if used != "tf32":
        yield
        return
    allow_tf32(True)
    try:
        yield
    finally:
        allow_tf32(False)


def forward_in(model: Classifier, used: str, device: torch.device) -> Callable[[Tensor], Scores]:
    """Images [B, C, H, W] -> float32 logits [B, K] and what they are made of, in the precision that ``usable`` gave.

    With ``bf16`` the backbone runs under autocast from float32 weights. The head runs in float32: it costs next to
    nothing, and losses and distances to centres are about small differences of large numbers.

    On CUDA the tensor cores, which only TF32 and bfloat16 use, want channels last: otherwise cuDNN transposes each
    convolution's input and output. Plain float32 does not use them and keeps torch's layout there.
    """
    last = device.type == "cuda" and used != "fp32" and model.backbone.channels_last

    def forward(images: Tensor) -> Scores:
        return model.score(model.features(images.to(memory_format=torch.channels_last) if last else images))

    def autocast_forward(images: Tensor) -> Scores:
        with torch.autocast(device.type, torch.bfloat16):
            features = model.features(images.to(memory_format=torch.channels_last) if last else images)
        return model.score(features.float())

    return autocast_forward if used == "bf16" else forward
