"""Independent checks of the ensemble: foolbox, which shares no code with it, and AutoAttack's own driver."""

from __future__ import annotations

import foolbox
import pytest
import torch
from foolbox import attacks
from pyautoattack import AutoAttack
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lossproof.attacks.methods.ensemble import ensemble
from lossproof.attacks.outcome import judge
from lossproof.models.frozen import frozen
from lossproof.statistics.wilson import wilson

STEPS, RESTARTS, ATTACKED = 40, 3, 48
BUDGETS = {"linf": [0.05, 0.1, 0.15], "l2": [0.25, 0.5, 0.75]}
KITS = {
    "linf": [attacks.LinfPGD(steps=STEPS, random_start=True).repeat(RESTARTS), attacks.LInfFMNAttack(steps=STEPS)],
    "l2": [
        attacks.L2PGD(steps=STEPS, random_start=True).repeat(RESTARTS),
        attacks.L2FMNAttack(steps=STEPS),
        attacks.DDNAttack(steps=STEPS),
    ],
}


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor, nn.Module]:
    """Images of 8 x 8 pixels that a small trained network gets right."""
    found = load_digits()
    images = torch.tensor(found.images, dtype=torch.float32)[:, None] / 16
    labels = torch.tensor(found.target)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(384, 10),
        )  # fmt: skip
        optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
        for rows in torch.randperm(1500).repeat(6).split(100):
            optimiser.zero_grad()
            cross_entropy(model(images[rows]), labels[rows]).backward()
            optimiser.step()
    model.eval()
    with torch.no_grad():
        right = 1500 + (model(images[1500:]).argmax(1) == labels[1500:]).nonzero()[:ATTACKED, 0]
    assert len(right) == ATTACKED
    return images[right], labels[right], model


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_foolbox_finds_no_more(digits, norm):
    images, labels, model = digits
    budgets = BUDGETS[norm]
    theirs = torch.ones(len(budgets), len(images), dtype=torch.bool)
    with frozen(model), torch.random.fork_rng():
        torch.manual_seed(1)
        kit = foolbox.PyTorchModel(model, bounds=(0, 1), device="cpu")
        for attack in KITS[norm]:
            _, points, _ = attack(kit, images, labels, epsilons=budgets)
            for at, epsilon in enumerate(budgets):
                found = judge(model, images, points[at], norm=norm, epsilon=epsilon)
                theirs[at] &= torch.from_numpy(~found.valid | (found.predictions == labels.numpy()))
    made = ensemble(model, images, labels, norm=norm, epsilons=budgets, steps=STEPS, queries=200)
    ours = torch.stack([
        torch.from_numpy(judge(model, images, made.images[at], norm=norm, epsilon=epsilon).predictions) == labels
        for at, epsilon in enumerate(budgets)
    ])  # fmt: skip
    left = [(int(we.sum()), int(they.sum())) for we, they in zip(ours, theirs, strict=True)]
    assert any(0 < they < ATTACKED for _, they in left)
    for we, they in left:
        assert 100 * we / ATTACKED <= wilson(they / ATTACKED, ATTACKED)[1], left
    # Image by image: hardly one that they break and we do not.
    assert (ours & ~theirs).sum(1).max() <= 1, left
    # The check can fail: a few random squares leave more than they do.
    weak = ensemble(model, images, labels, norm=norm, epsilons=budgets, members=["square"], queries=5)
    assert any(
        100 * int(one.sum()) / ATTACKED > wilson(they / ATTACKED, ATTACKED)[1]
        for one, (_, they) in zip(weak.figures["stands_square"], left, strict=True)
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_library_s_own_driver_finds_no_more(digits, norm):
    """AutoAttack's standard version, its last two attacks shortened, image by image."""
    (images, labels), model, epsilon = (part[:24] for part in digits[:2]), digits[2], BUDGETS[norm][1]
    kit = AutoAttack(model, norm={"linf": "Linf", "l2": "L2"}[norm], eps=epsilon, seed=0)
    kit.logger.disabled, kit.fab.n_iter, kit.square.n_queries = True, 20, 200
    with frozen(model), torch.random.fork_rng():
        points, _ = kit.run_standard_evaluation(images, labels)
    found = judge(model, images, points, norm=norm, epsilon=epsilon)
    theirs = torch.from_numpy(found.predictions) == labels
    members = ["apgd-ce", "apgd-t", "fab-t", "square"]
    made = ensemble(model, images, labels, norm=norm, epsilons=[epsilon], members=members, steps=100, queries=200)
    ours = made.figures["stands_square"][0]
    assert 0 < theirs.sum() < 24
    assert (ours & ~theirs).sum() == 0 and (theirs & ~ours).sum() <= 1
