"""Losses of the second paper and its competitors, each with the head that it is trained and attacked with."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from lossproof.catalogue import catalogue
from lossproof.criteria.arcface import ArcFace
from lossproof.criteria.center import Center
from lossproof.criteria.gaussian_mixture import GaussianMixture
from lossproof.criteria.inference_softmax import InferenceSoftmax, NormalisedCrossEntropy
from lossproof.criteria.label_smoothing import LabelSmoothing
from lossproof.criteria.max_mahalanobis_centre import MaxMahalanobisCentre
from lossproof.heads.choice import head_of, head_parameters
from lossproof.heads.cosine import Cosine
from lossproof.heads.gaussian_means import GaussianMeans
from lossproof.heads.max_mahalanobis import MaxMahalanobis, centres
from lossproof.heads.normalised_features import NormalisedFeatures
from lossproof.heads.normalised_logits import NormalisedLogits
from lossproof.models.classifier import build

COMPETITORS = {
    "isce": "normalised_logits",
    "nce": "normalised_logits",
    "center": "linear",
    "lgm": "gaussian_means",
    "arcface": "cosine",
    "mmc": "max_mahalanobis",
    "label_smoothing": "linear",
}


def features(count=16, dimension=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, dimension, generator=generator), torch.randint(7, (count,), generator=generator)


def losses(criterion, head, h, y):
    embedding = head.embed(h) if hasattr(head, "embed") else h
    logits = head(h)
    return criterion(logits, y, embedding) if getattr(criterion, "uses_features", False) else criterion(logits, y)


def made(name, num_classes=7, dimension=12):
    """A criterion with defaults, its head, and both in double precision."""
    entry = catalogue("criteria")[name]
    criterion = entry.load()(**entry.defaults())
    head = catalogue("heads")[head_of(name)].load()(dimension, num_classes, **head_parameters(name))
    if hasattr(criterion, "prepare"):
        criterion.prepare(num_classes, dimension)
    return criterion.eval().double(), head.double()


@pytest.mark.parametrize("name", COMPETITORS)
def test_defaults_of_the_catalogue_are_those_of_the_class(name):
    entry = catalogue("criteria")[name]
    hidden = ("training", "centres")
    bare, configured = (
        {key: value for key, value in vars(one).items() if not key.startswith("_") and key not in hidden}
        for one in (entry.load()(), entry.load()(**entry.defaults()))
    )
    assert bare == configured
    assert head_of(name) == COMPETITORS[name]


@pytest.mark.parametrize("name", COMPETITORS)
def test_gradients_are_right(name):
    torch.manual_seed(1)
    criterion, head = made(name)
    h, y = features()
    h = h[:5].double().requires_grad_()
    weights = list(head.parameters())
    assert torch.autograd.gradcheck(lambda h, *_: losses(criterion, head, h, y[:5]).sum(), (h, *weights))


@pytest.mark.parametrize("name", COMPETITORS)
@pytest.mark.parametrize("num_classes", [2, 10, 200])
def test_losses_and_gradients_are_finite_whatever_the_features(name, num_classes):
    torch.manual_seed(2)
    criterion, head = made(name, num_classes)
    criterion, head = criterion.float(), head.float()
    h = torch.randn(6, 12) * torch.tensor([0.0, 1e-4, 1.0, 1e2, 1e4, 1.0])[:, None]
    h.requires_grad_()
    found = losses(criterion, head, h, torch.arange(6) % num_classes)
    found.sum().backward()
    assert found.shape == (6,)
    assert found.isfinite().all() and h.grad.isfinite().all()


@pytest.mark.parametrize("name", COMPETITORS)
def test_deployed_logits_have_both_signs(name):
    # Never-positive logits silently disable attacks on margins.
    torch.manual_seed(3)
    _, head = made(name)
    logits = head(features()[0].double())
    assert (logits > 0).any() and (logits < 0).any()


def test_isce_is_the_printed_formula():
    f = torch.tensor([[0.9, -0.1, 0.3]], dtype=torch.float64)
    s, m = 1.5, 0.2
    true = math.exp(s * -0.1 + m)
    expected = -math.log(true / (true + math.exp(0.9) + math.exp(0.3)))
    assert InferenceSoftmax(s=s, m=m)(f, torch.tensor([1])).item() == pytest.approx(expected, abs=1e-12)
    plain = functional.cross_entropy(f, torch.tensor([1]))
    assert NormalisedCrossEntropy()(f, torch.tensor([1])).item() == pytest.approx(plain.item(), abs=1e-12)
    for wrong in ({"normalise": "weights"}, {"s": 0}):
        with pytest.raises(ValueError, match="I-SCE"):
            InferenceSoftmax(**wrong)


def test_isce_cannot_fall_below_its_floor():
    # Ten classes, unit-norm logits: the best point is a simplex vertex, found here by descent.
    for m, floor in ((0.0, 1.4199), (0.1, 1.3450)):
        z = torch.zeros(1, 10, dtype=torch.float64)
        z[0, 0] = 1
        z.requires_grad_()
        for _ in range(3000):
            loss = InferenceSoftmax(m=m)(functional.normalize(z), torch.tensor([0])).sum()
            (gradient,) = torch.autograd.grad(loss, z)
            z = (z - 0.5 * gradient).detach().requires_grad_()
        assert loss.item() == pytest.approx(floor, abs=5e-5)


def test_normalising_heads():
    h, _ = features()
    head = NormalisedLogits(12, 7)
    assert torch.allclose(head(h).norm(dim=1), torch.ones(16))
    assert torch.equal(head(h).argmax(1), head.raw(h).argmax(1))
    assert torch.allclose(head.raw(h), functional.linear(h, head.weight, head.bias))
    head = NormalisedFeatures(12, 7)
    assert torch.allclose(head(h), head(7 * h), atol=1e-6)
    assert not torch.allclose(head(h).norm(dim=1), torch.ones(16), atol=0.01)
    assert head_of("isce", {"normalise": "features"}) == "normalised_features"


def test_a_classifier_gives_raw_logits():
    normalised = build("mlp2", num_classes=7, in_channels=1, image_size=4, head="normalised_logits")
    plain = build("mlp2", num_classes=7, in_channels=1, image_size=4)
    x = torch.rand(3, 1, 4, 4)
    assert torch.equal(plain.raw(x), plain(x))
    raw = normalised.raw(x)
    assert torch.allclose(functional.normalize(raw), normalised(x))
    assert not torch.allclose(raw, normalised(x))


def test_arcface_widens_the_angle_and_keeps_falling_beyond_pi():
    torch.manual_seed(4)
    head, criterion = Cosine(12, 7, scale=5), ArcFace(scale=5, margin=0.5)
    h, y = features()
    logits = head(h)
    angles = torch.arccos(logits / 5)
    expected = logits.clone()
    rows = torch.arange(16)
    expected[rows, y] = 5 * torch.cos(angles[rows, y] + 0.5)
    assert (angles[rows, y] + 0.5 < math.pi).all()
    assert torch.allclose(criterion(logits, y), functional.cross_entropy(expected, y, reduction="none"), atol=1e-5)
    # Along the true class's cosine the loss never rises, also where the angle passes pi.
    cosines = torch.linspace(-1, 1, 401, dtype=torch.float64)
    two = torch.stack([5 * cosines, torch.zeros(401, dtype=torch.float64)], 1)
    assert (criterion(two, torch.zeros(401, dtype=torch.int64)).diff() < 1e-9).all()


def test_gaussian_mixture_is_that_of_distances():
    torch.manual_seed(5)
    head, criterion = GaussianMeans(12, 7), GaussianMixture(margin=0.3, likelihood=0.1)
    h, y = features()
    distance = torch.cdist(h, head.weight).square() / 2
    assert torch.equal(head(h).argmax(1), distance.argmin(1))
    assert torch.allclose(head(h).softmax(1), (-distance).softmax(1), atol=1e-5)
    rows = torch.arange(16)
    widened = distance.clone()
    widened[rows, y] *= 1.3
    expected = functional.cross_entropy(-widened, y, reduction="none") + 0.1 * distance[rows, y]
    assert torch.allclose(criterion(head(h), y, h), expected, atol=1e-4)


def test_max_mahalanobis_is_that_of_distances():
    torch.manual_seed(6)
    head, criterion = MaxMahalanobis(12, 7, dimension=20, norm=10), MaxMahalanobisCentre(norm=10, dimension=20)
    h, y = features()
    e = head.embed(h)
    distance = torch.cdist(e, head.centres).square()
    assert torch.equal(head(h).argmax(1), distance.argmin(1))
    assert torch.allclose(criterion(head(h), y, e), distance[torch.arange(16), y] / 2, rtol=1e-4)
    assert "centres" in head.state_dict() and not any(name == "centres" for name, _ in head.named_parameters())


@pytest.mark.parametrize(("num_classes", "dimension"), [(2, 1), (2, 5), (10, 9), (10, 256), (200, 199)])
def test_centres_are_as_far_apart_as_possible(num_classes, dimension):
    found = centres(num_classes, dimension, 10.0)
    products = found @ found.T
    expected = torch.full_like(products, -100 / (num_classes - 1)).fill_diagonal_(100)
    assert found.shape == (num_classes, dimension)
    assert torch.allclose(products, expected, atol=1e-9)


@pytest.mark.parametrize(("num_classes", "dimension"), [(10, 8), (1, 5)])
def test_centres_that_do_not_exist_are_refused(num_classes, dimension):
    with pytest.raises(ValueError, match=f"{num_classes} equidistant centres need"):
        centres(num_classes, dimension, 10.0)


def test_center_loss_and_its_centres():
    criterion = Center(weight=0.1, rate=0.5)
    criterion.prepare(3, 2)
    h = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]])
    y, logits = torch.tensor([0, 0, 1]), torch.zeros(3, 3)
    assert torch.allclose(criterion(logits, y, h), math.log(3) + 0.05 * torch.tensor([1.0, 9.0, 4.0]))
    # 0.5 * (1 + 3) / (1 + 2) and 0.5 * 2 / (1 + 1); a class without images stays.
    assert torch.allclose(criterion.centres, torch.tensor([[2 / 3, 0.0], [0.0, 0.5], [0.0, 0.0]]))
    criterion.eval()
    before = criterion.centres.clone()
    criterion(logits, y, h)
    assert torch.equal(criterion.centres, before)


def test_label_smoothing_mixes_in_the_uniform():
    logits = torch.tensor([[2.0, 0.0, -1.0]])
    log_p = logits.log_softmax(1)[0]
    expected = -(0.9 * log_p[0] + 0.1 * log_p.mean())
    assert LabelSmoothing(smoothing=0.1)(logits, torch.tensor([0])).item() == pytest.approx(expected.item())
