"""The honest attack over five radii: stacked in one batch, fooled images dropped, against radius by radius.

The network is trained for two epochs on the digits, so that small radii leave it some accuracy.
"""

from __future__ import annotations

from pathlib import Path

import torch
from one_run import one_run
from side_by_side import compare

from lossproof.attacks.methods.worst_case import sweep
from lossproof.datasets.sets.digits import prepare
from lossproof.training.evaluate import pixels
from lossproof.training.loop import fit, new_model

RADII = [0.003, 0.01, 0.03, 0.1, 0.3]


def main() -> None:
    torch.set_num_threads(1)
    data = prepare(Path(), name="digits", channels=1, image_size=28, test_share=0.2)
    settings = one_run("digits", "resnet18", epochs=2, width=0.125)
    trained = fit(settings, data, 0, torch.device("cpu"))
    model = new_model(settings, data)
    model.load_state_dict(trained.state)
    model.eval().requires_grad_(False)
    images, labels = pixels(torch.from_numpy(data.test_images[:64])), torch.from_numpy(data.test_labels[:64])

    def attack(radii: list[float], early_drop: bool) -> None:
        sizes = [max(1 / 255, 2.5 * radius / 20) for radius in radii]
        sweep(
            model, images, labels, norm="linf", epsilons=radii, step_sizes=sizes, seed=0, steps=20,
            losses=("ce", "margin"), random_start=True, early_drop=early_drop,
        )  # fmt: skip

    compare(
        ("radius by radius, all images to the end", lambda: [attack([radius], False) for radius in RADII]),
        ("stacked, fooled images dropped", lambda: attack(RADII, True)),
    )


if __name__ == "__main__":
    main()
