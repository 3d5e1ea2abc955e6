"""Architectures: torchvision's numbers where torchvision has the network, shapes and errors everywhere."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from lossproof.catalogue import catalogue
from lossproof.models.classifier import Classifier, build

RESIDUAL = ("resnet18", "resnet34", "googlenet", "densenet121")
CIFAR = ("resnet32", "resnet56", "resnet32_3d")
ARCHS = ("mlp2", "cnn2", "cnn3", "lenet5", "cnn8", "vgg13", *CIFAR, *RESIDUAL)
SIZE = {"vgg13": 32}  # of gray images, where 28 pixels are too few


def parameter_count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def our_name(name: str) -> str:
    """torchvision's parameter name -> ours: only the last layer lies elsewhere."""
    module, _, rest = name.partition(".")
    return f"head.{rest}" if module in ("fc", "classifier") else f"backbone.{name}"


def torchvision_model(arch: str) -> torch.nn.Module:
    from torchvision import models

    options = {"aux_logits": False, "init_weights": True} if arch == "googlenet" else {}
    return getattr(models, arch)(num_classes=10, **options)


@pytest.mark.parametrize("arch", RESIDUAL)
def test_same_network_as_torchvision(arch: str) -> None:
    torch.manual_seed(0)
    theirs, ours = torchvision_model(arch), build(arch, num_classes=10, in_channels=3, image_size=64)
    assert parameter_count(ours) == parameter_count(theirs)

    drawn = ours.state_dict()
    state = {our_name(name): tensor for name, tensor in theirs.state_dict().items()}
    for name, tensor in state.items():  # initial weights: the same distribution, another draw
        if tensor.numel() > 200:
            assert drawn[name].float().std().item() == pytest.approx(tensor.float().std().item(), rel=0.25, abs=1e-7)
        elif tensor.is_floating_point() and tensor.std() == 0:
            assert torch.equal(drawn[name], tensor), name

    # Fresh running statistics would let a misplaced batch norm pass, and GoogLeNet's small initial
    # weights would leave nothing of the image in its logits.
    for name, tensor in state.items():
        if name.endswith("running_mean"):
            tensor.normal_(std=0.1)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0)
        elif arch == "googlenet" and name.endswith("conv.weight"):
            tensor.mul_(0.1 / tensor.std() * tensor[0].numel() ** -0.5 * 14)
    ours.load_state_dict(state, strict=True)
    theirs.eval(), ours.eval()
    # torchvision's own DenseNet refuses fewer than 29 pixels.
    for size in (32, 64) if arch == "densenet121" else (28, 32, 64):
        images = torch.rand(2, 3, size, size)
        with torch.no_grad():
            expected, measured = theirs(images), ours(images)
        assert (expected[0] - expected[1]).abs().max() > 1e-4 * expected.abs().max()
        torch.testing.assert_close(measured, expected, rtol=1e-4, atol=1e-5 * expected.abs().max().item())


@pytest.mark.parametrize(
    ("arch", "channels_and_size", "stem", "width"),
    [
        (arch, shape, stem, width)
        for arch, shape, stem, width in product(ARCHS, ((1, 28), (3, 32)), ("imagenet", "cifar"), (0.02, 0.25))
        if stem == "imagenet" or arch in RESIDUAL
    ],
)
def test_shapes(arch: str, channels_and_size: tuple[int, int], stem: str, width: float) -> None:
    channels, size = channels_and_size
    size = max(size, SIZE.get(arch, 28))
    model = build(arch, num_classes=7, in_channels=channels, image_size=size, width=width, stem=stem)
    images = torch.rand(2, channels, size, size, requires_grad=True)
    features = model.features(images)
    assert features.shape == (2, model.backbone.feature_dim)
    logits = model(images)
    assert logits.shape == (2, 7)
    logits.square().sum().backward()
    assert images.grad is not None and bool(images.grad.isfinite().all())
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("arch", "size", "features"),
    [
        ("mlp2", 28, 100),
        ("cnn2", 28, 32 * 7 * 7),
        ("cnn3", 28, 100),
        ("cnn3", 32, 100),
        ("lenet5", 28, 84),
        ("lenet5", 32, 84),
        ("cnn8", 28, 256),
        ("vgg13", 32, 512),
        ("vgg13", 64, 512),
    ],
)
def test_small_networks_have_the_stated_layout(arch: str, size: int, features: int) -> None:
    model = build(arch, num_classes=10, in_channels=1, image_size=size)
    weights = {
        "mlp2": 784 * 100 + 100,
        "cnn2": 16 * 25 + 16 + 32 * 16 * 25 + 32,
        "cnn3": 25 * (16 + 16 * 32 + 32 * 64) + (16 + 32 + 64) + 64 * {28: 9, 32: 16}.get(size, 0) * 100 + 100,
        "cnn8": sum(9 * a * b + 2 * b for a, b in pairwise((1, 64, 64, 128, 128, 256, 256))) + 256 * 9 * 256 + 256,
        "vgg13": sum(9 * a * b + 2 * b for a, b in pairwise((1, 64, 64, 128, 128, 256, 256, *[512] * 4)))
        + {32: 512, 64: 2048}.get(size, 0) * 512
        + 512,
        "lenet5": (6 * 25 + 6) + (16 * 6 * 25 + 16) + (400 * 120 + 120) + (120 * 84 + 84),
    }[arch]
    assert model.backbone.feature_dim == features
    assert parameter_count(model) == weights + features * 10 + 10


# Published as 0.46 and 0.85 million (He et al. 2016, table 6), for CIFAR-10.
@pytest.mark.parametrize(("arch", "count"), [("resnet32", 464_154), ("resnet56", 853_018)])
def test_cifar_resnets_have_the_published_parameters(arch: str, count: int) -> None:
    model = build(arch, num_classes=10, in_channels=3, image_size=32)
    assert parameter_count(model) == count
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(layers) == int(arch.removeprefix("resnet"))
    assert all(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("activation", ["post", "pre"])
def test_shortcuts_of_cifar_resnets_are_the_image_and_zeros(activation: str) -> None:
    torch.manual_seed(0)
    model = build("resnet32", num_classes=10, in_channels=1, image_size=28, activation=activation).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and module is not model.backbone.bn:
            torch.nn.init.zeros_(module.weight)  # the second convolution of every block adds nothing
    images = torch.rand(2, 1, 28, 28)
    with torch.no_grad():
        stem = model.backbone.conv1(images)  # type: ignore[operator]
        maps = (stem if activation == "pre" else model.backbone.bn(stem).relu())[:, :, ::4, ::4]  # type: ignore[operator]
        features = model.features(images)
        padded = torch.nn.functional.pad(maps, (0, 0, 0, 0, 0, 48))
        expected = model.backbone.bn(padded).relu() if activation == "pre" else padded  # type: ignore[operator]
    torch.testing.assert_close(features, expected.mean((2, 3)))
    assert features.abs().max() > 0.1


def test_pre_activation_is_another_network() -> None:
    def built(activation: str) -> Classifier:
        torch.manual_seed(0)
        return build("resnet32", num_classes=10, in_channels=3, image_size=32, width=0.25, activation=activation)

    post, pre = built("post"), built("pre")
    assert post.state_dict().keys() == pre.state_dict().keys()  # the same layers, wired and sized otherwise
    assert post.backbone.bn.num_features == 4  # type: ignore[union-attr]
    assert pre.backbone.bn.num_features == 16  # type: ignore[union-attr]
    images = torch.rand(2, 3, 32, 32)
    pre.eval(), post.eval()
    assert (pre.features(images) - post.features(images)).abs().max() > 0.01


def test_the_embedding_has_three_units_of_both_signs_at_any_width() -> None:
    found = []
    for seed, width in enumerate((0.125, 0.125, 0.25, 1.0)):
        torch.manual_seed(seed)
        model = build("resnet32_3d", num_classes=10, in_channels=1, image_size=28, width=width)
        assert model.head.weight.shape == (10, 3)
        found.append(model.features(torch.rand(4, 1, 28, 28)))
        assert found[-1].shape == (4, 3)
    assert torch.cat(found).min() < 0 < torch.cat(found).max()  # a ReLU would leave none below


@pytest.mark.parametrize("arch", ARCHS)
def test_width_shrinks_every_network(arch: str) -> None:
    counts = [
        parameter_count(build(arch, num_classes=10, in_channels=1, image_size=SIZE.get(arch, 28), width=width))
        for width in (0.125, 0.25, 0.5)
    ]
    assert counts[0] < counts[1] < counts[2]


@pytest.mark.parametrize("arch", ["resnet18", "googlenet", "densenet121"])
def test_cifar_stem_keeps_the_image_size(arch: str) -> None:
    for stem, kernel, stride in (("imagenet", 7, 2), ("cifar", 3, 1)):
        model = build(arch, num_classes=10, in_channels=1, image_size=28, width=0.125, stem=stem)
        first = next(module for module in model.modules() if isinstance(module, torch.nn.Conv2d))
        assert (first.kernel_size, first.stride) == ((kernel, kernel), (stride, stride))
        pools = [module for module in model.modules() if isinstance(module, torch.nn.MaxPool2d) and module.stride == 2]
        rest = 3 if arch == "googlenet" else 0  # the pools between its blocks
        assert len(pools) == rest + (stem == "imagenet")


@pytest.mark.parametrize("arch", ARCHS)
def test_equal_seeds_give_equal_weights(arch: str) -> None:
    def weights(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build(arch, num_classes=10, in_channels=1, image_size=SIZE.get(arch, 28), width=0.125).state_dict()

    first, again, other = weights(0), weights(0), weights(1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.parametrize("arch", RESIDUAL)
def test_what_torchvision_draws_while_it_builds_moves_nothing(arch: str) -> None:
    torch.manual_seed(0)
    model = build(arch, num_classes=10, in_channels=1, image_size=28, width=0.125)
    drawn = [module for module in model.modules() if isinstance(module, torch.nn.Conv2d)]
    torch.manual_seed(0)
    for layer in drawn:
        torch.empty_like(layer.weight).uniform_()  # as a layer draws when it is built
    for layer in drawn:
        weight = layer.weight.detach().clone()
        model.backbone.initialise(layer)
        assert torch.equal(layer.weight, weight)


def test_normalisation_is_inside_the_classifier() -> None:
    torch.manual_seed(0)
    plain = build("cnn2", num_classes=10, in_channels=3, image_size=32)
    mean, std = (0.4, 0.5, 0.6), (0.1, 0.2, 0.3)
    inside = Classifier(plain.backbone, plain.head, mean, std)
    images = torch.rand(4, 3, 32, 32)
    outside = (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    assert torch.equal(inside(images), plain(outside))
    assert not torch.allclose(inside(images), plain(images))
    # A network trained with normalisation must not load into one without: its buffers tell them apart.
    assert {"mean", "std"} <= inside.state_dict().keys()
    with pytest.raises(RuntimeError, match="Unexpected key"):
        plain.load_state_dict(inside.state_dict())


@pytest.mark.parametrize(("arch", "size", "share"), [("googlenet", 28, 0.2), ("vgg13", 64, 0.5)])
def test_dropout_is_off_in_evaluation_mode(arch: str, size: int, share: float) -> None:
    torch.manual_seed(0)
    model = build(arch, num_classes=10, in_channels=1, image_size=size, width=0.125).eval()
    images = torch.rand(8, 1, size, size)
    dropped: list[float] = []
    model.backbone.dropout.register_forward_hook(  # type: ignore[operator, union-attr]
        lambda _, inputs, output: dropped.append((output == 0)[inputs[0] > 0].float().mean().item())
    )
    assert torch.equal(model.features(images), model.features(images))
    model.backbone.dropout.train()  # type: ignore[operator, union-attr]
    changed = model.features(images)
    assert dropped == [0, 0, pytest.approx(share, abs=0.06)]
    model.backbone.dropout.eval()  # type: ignore[operator, union-attr]
    assert not torch.equal(changed, model.features(images))


def test_the_catalogue_names_every_architecture_and_its_settings() -> None:
    entries = catalogue("models")
    assert set(ARCHS) <= set(entries)
    assert all(entries[arch].defaults() == {"width": 1.0, "stem": "imagenet"} for arch in RESIDUAL)
    assert all(
        entries[arch].defaults() == {"width": 1.0} for arch in ("mlp2", "cnn2", "cnn3", "lenet5", "cnn8", "vgg13")
    )
    assert all(entries[arch].defaults() == {"width": 1.0, "activation": "post"} for arch in CIFAR)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"arch": "resnet19"}, "unknown architecture 'resnet19'; known: .*resnet18"),
        ({"stem": "tinyimagenet"}, "unknown stem 'tinyimagenet'"),
        ({"arch": "lenet5", "stem": "cifar"}, "lenet5 has no stem"),
        ({"arch": "resnet32", "activation": "before"}, "unknown activation 'before'; known: post, pre"),
        ({"activation": "pre"}, "resnet18 has no activation to choose, so 'pre'"),
        ({"arch": "resnet56", "stem": "cifar"}, "resnet56 has no stem"),
        ({"arch": "cnn8", "image_size": 7}, "cnn8 needs images of at least 8 x 8 pixels"),
        ({"head": "centres"}, "unknown head 'centres'"),
        ({"arch": "lenet5", "image_size": 20}, "lenet5 needs images of at least 28 x 28 pixels, not 20"),
        ({"arch": "googlenet", "image_size": 14}, "googlenet needs images of at least 15 x 15 pixels, not 14"),
        ({"arch": "vgg13", "image_size": 28}, "vgg13 needs images of at least 32 x 32 pixels, not 28"),
        ({"arch": "cnn3", "image_size": 19}, "cnn3 needs images of at least 20 x 20 pixels, not 19"),
        ({"arch": "cnn2", "image_size": 3}, "cnn2 needs images of at least 4 x 4 pixels"),
        ({"image_size": 0}, "resnet18 needs images of at least 1 x 1 pixels"),
        ({"width": 0}, "width must be a positive number"),
        ({"num_classes": 0}, "at least one class"),
        ({"mean": [0.5]}, "both mean and std"),
        ({"mean": [0.5], "std": [0.5, 0.5]}, "need 1 values each"),
        ({"mean": [0.5], "std": [0.0]}, "std must be positive"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], message: str) -> None:
    good: dict[str, object] = {"arch": "resnet18", "num_classes": 10, "in_channels": 1, "image_size": 28, "width": 0.1}
    with pytest.raises(ValueError, match=message):
        build(**(good | settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arch", "stem", "size"),
    [("googlenet", "imagenet", 15), ("googlenet", "cifar", 4), ("cnn3", "imagenet", 20), ("vgg13", "imagenet", 32)],
)
def test_smallest_images_work(arch: str, stem: str, size: int) -> None:
    model = build(arch, num_classes=10, in_channels=1, image_size=size, width=0.125, stem=stem)
    assert model(torch.rand(2, 1, size, size)).shape == (2, 10)
