"""The plan's hours against the clock: short trainings on this machine, and the effective rate that they reach.

    python benchmarks/plan.py                    # one CPU core
    python benchmarks/plan.py --device cuda      # one GPU
    python benchmarks/plan.py --only lenet5      # one network

The printed rates are what `plan: {cpu_gflops: ..., gpu_tflops: ...}` in config.yaml stands for. Images are
random: the clock does not care. On a CPU the clock is that of this process, so that other work does not count.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from one_run import one_run

from lossproof import devices
from lossproof.attacks.methods.worst_case import sweep
from lossproof.datasets.prepared import Prepared
from lossproof.planning.cost import attack_flop, cost_of, passes, training_flop
from lossproof.training.evaluate import pixels
from lossproof.training.loop import fit, new_model

RUNS = [  # arch, width, image size, channels, training images
    ("resnet18", 1.0, 28, 1, 2000),
    ("resnet18", 1.0, 32, 3, 2000),
    ("resnet18", 0.125, 28, 1, 4000),
    ("googlenet", 1.0, 32, 3, 1000),
    ("densenet121", 1.0, 32, 3, 500),
    ("cnn2", 1.0, 28, 1, 8000),
    ("lenet5", 1.0, 28, 1, 8000),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=devices.DEVICES)
    parser.add_argument("--times", type=float, default=1, help="factor on the number of images (a GPU needs 20)")
    parser.add_argument("--only", choices=sorted({arch for arch, *_ in RUNS}), help="one architecture")
    parser.add_argument("--batch-size", type=int, default=128)
    arguments = parser.parse_args()
    device = devices.prepare(1, arguments.device)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    print(f"{devices.describe(device)}, batch {arguments.batch_size}")
    print("network                  training: images/s  GFLOP/s    attack: passes/s  GFLOP/s")
    for arch, width, size, channels, images in RUNS:
        if arguments.only not in (None, arch):
            continue
        shape, count = (channels, size, size), round(images * arguments.times)
        draw = np.random.default_rng(0)
        data = Prepared(
            draw.integers(0, 256, (count, *shape), np.uint8),
            np.arange(count) % 10,
            draw.integers(0, 256, (64, *shape), np.uint8),
            np.arange(64) % 10,
            {"channels": channels, "image_size": size, "classes": list(range(10))},
        )
        told = one_run("random", arch, epochs=1, width=width, batch_size=arguments.batch_size)
        cost = cost_of(arch, told["model"], channels=channels, image_size=size, classes=10)
        assert cost is not None
        small = Prepared(*(part[:256] for part in (data.train_images, data.train_labels)), data.test_images,
                         data.test_labels, data.card)  # fmt: skip
        fit(told, small, 0, device)  # kernels are chosen and compiled once
        start = clock()
        fit(told, data, 0, device)
        seconds = clock() - start
        # One epoch, then predictions on both splits.
        rate = training_flop(cost, trained=count, evaluated=count) / seconds / 1e9

        model = new_model(told, data).to(device)
        images = pixels(torch.from_numpy(data.train_images[: count // 10])).to(device)
        labels = torch.from_numpy(data.train_labels[: count // 10]).to(device)
        start = clock()
        for batch, truth in zip(images.split(512), labels.split(512), strict=True):
            sweep(
                model, batch, truth, norm="linf", epsilons=[0.1], step_sizes=[0.01], seed=0, steps=10,
                losses=("ce",), random_start=False, early_drop=False,
            )  # fmt: skip
        if device.type == "cuda":
            torch.cuda.synchronize()
        attack_seconds = clock() - start
        both, forward = (number * len(labels) for number in passes({"steps": 10}))
        attack_rate = attack_flop(cost, attacked=both, evaluated=forward) / attack_seconds / 1e9
        name = f"{arch} {width:g}, {size}x{size}x{channels}".ljust(24)
        print(f"{name} {count / seconds:18.0f} {rate:8.1f} {both / attack_seconds:19.0f} {attack_rate:8.1f}")


if __name__ == "__main__":
    main()
