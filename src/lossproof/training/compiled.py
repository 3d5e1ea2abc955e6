"""torch.compile of the training forward, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from lossproof.models.classifier import Scores

# Of each batch size: warming up, recording and replaying a CUDA graph.
TRIALS = 3


def one_line(error: Exception) -> str:
    """An error's name and the first line of what it says, at most 200 characters."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {said}"[:200]


def batch_sizes(images: int, batch_size: int) -> list[int]:
    """The sizes of the batches of one epoch; a last batch of one image is left out."""
    whole, rest = divmod(images, batch_size)
    return [size for size, occurs in ((batch_size, whole > 0), (rest, rest > 1)) if occurs]


def compile_forward(
    forward: Callable[[Tensor], Scores], model: nn.Module, shapes: Sequence[tuple[int, ...]], device: torch.device
) -> tuple[Callable[[Tensor], Scores], str | None]:
    """``forward`` compiled for batches of these shapes, or ``forward`` itself and the reason in one line.

    Everything that a training will need is compiled and tried here, forward and backward, so that no failure is
    left for an epoch. The function is compiled, not ``model``: names of weights stay. The trial leaves no
    trace in the model's buffers, gradients and mode or in the random generators.

    Batches are small, so what counts is the overhead per kernel: kernels are fused, and on CUDA a step is
    replayed as one CUDA graph (what ``mode="reduce-overhead"`` sets, for which one graph per batch size is
    needed). Random numbers are drawn as without compilation, so that dropout drops the same.
    """
    if device.type not in ("cpu", "cuda"):
        return forward, f"torch.compile is used on cpu and cuda only, not on {device.type}"
    buffers = [buffer.clone() for buffer in model.buffers()]
    was_training = model.training
    reason = None
    compiled = forward
    with torch.random.fork_rng([device] if device.type == "cuda" else [], device_type="cuda"):
        try:
            # Imported here: it takes a second, which a training without compilation must not pay.
            import torch._inductor.config as inductor

            inductor.compile_threads = torch.get_num_threads()  # no more processes than the job has threads
            torch.compiler.reset()  # frees what an earlier training of this process compiled, and its CUDA graphs
            options: dict[str, bool | int | str | Callable[..., object]] = {
                "fallback_random": True,
                "triton.cudagraphs": device.type == "cuda",
            }
            # fullgraph: an error instead of a silent return to uncompiled parts.
            compiled = torch.compile(forward, fullgraph=True, dynamic=False, options=options)
            model.train()
            for shape in shapes:
                for _ in range(TRIALS):
                    compiled(torch.zeros(shape, device=device)).logits.sum().backward()
                    model.zero_grad(set_to_none=True)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
        except Exception as error:  # whatever keeps it from compiling, training can do without
            compiled, reason = forward, one_line(error)
    model.zero_grad(set_to_none=True)
    with torch.no_grad():
        for buffer, before in zip(model.buffers(), buffers, strict=True):
            buffer.copy_(before)
    model.train(was_training)
    return compiled, reason
