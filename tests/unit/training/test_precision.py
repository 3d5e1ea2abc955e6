"""Precision and compilation of training steps: same results within stated bounds, and nothing where not asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from steps import network, ran, run_step
from tiny_training import CPU, DATA, DROPOUT, counted, equal, leave_resume_point, same, tiny, told
from torch import nn

from lossproof import devices
from lossproof.catalogue import PACKAGE
from lossproof.criteria.cross_entropy import CrossEntropy
from lossproof.datasets import prepared
from lossproof.models.backbone import Backbone
from lossproof.models.classifier import Classifier
from lossproof.seeding import seed_of, torch_generator
from lossproof.training import compiled as compiling
from lossproof.training.augmentation import augment
from lossproof.training.compiled import batch_sizes, compile_forward, one_line
from lossproof.training.evaluate import pixels, predictions
from lossproof.training.feeding import Resident
from lossproof.training.forward import training_forward
from lossproof.training.loop import fit, new_model
from lossproof.training.precision import forward_in, switched, usable

CUDA, MPS = torch.device("cuda"), torch.device("mps")
# Against float32, for a few epochs on the learnable toy: mean losses and final weights.
BF16_LOSS = 0.02
COMPILED = 1e-5

COMPILERS = list(dict.fromkeys([os.environ.get("CXX", "g++"), "g++", "clang++"]))
HEADER = Path(sysconfig.get_path("include"), "Python.h")
# Debian has the header in a package of its own, python3-dev.
needs_compiler = pytest.mark.skipif(
    not (any(map(shutil.which, COMPILERS)) and HEADER.is_file()),
    reason=f"torch.compile needs a C++ compiler (one of {', '.join(COMPILERS)}) and {HEADER}",
)


def losses(trained):
    return [row["train_loss"] for row in trained.history]


# float32


def plain_training(settings, data, seed):
    """Training as written down in a textbook: no feed, no switch, no compiler."""
    torch.manual_seed(seed_of("weights", settings["dataset"], settings["arch"], seed))
    model = new_model(settings, data)
    torch.manual_seed(seed_of("dropout", settings["dataset"], settings["arch"], settings["training"], seed))
    groups = [[p for p in model.parameters() if p.dim() > 1], [p for p in model.parameters() if p.dim() <= 1]]
    optimiser = torch.optim.Adam(
        [{"params": group} for group in groups], lr=settings["optimiser"]["learning_rate"], fused=True
    )
    shuffle = torch_generator("shuffle", settings["dataset"], settings["arch"], seed)
    images, labels = torch.from_numpy(data.train_images), torch.from_numpy(data.train_labels)
    model.train()
    for _ in range(settings["epochs"]):
        for index in torch.randperm(len(labels), generator=shuffle).split(settings["batch_size"]):
            batch = augment(pixels(images[index]), settings["augmentation"], shuffle)
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(batch), labels[index]).backward()
            optimiser.step()
    return model.state_dict()


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        (DATA, told(augmentation="crop_flip")),
        (tiny(28, 1, 40), told(arch="cnn2", epochs=2)),
        (tiny(32, 3, 16), told(**DROPOUT)),
    ],
    ids=["mlp2", "cnn2", "googlenet"],
)
def test_fp32_is_plain_training_to_the_byte(data, settings):
    trained = fit(settings, data, 0, CPU)
    assert same(trained.state, plain_training(settings, data, 0))
    figures = trained.figures
    assert (figures["precision_used"], figures["compiled"]) == ("fp32", False)
    assert figures["precision_reason"] is figures["compiled_reason"] is None


def test_without_compile_the_compiler_is_not_imported():
    code = """
import sys
from tiny_training import CPU, DATA, fit, told
fit(told(epochs=1), DATA, 0, CPU)
loaded = [name for name in sys.modules if name.startswith(("torch._inductor.compile_fx", "torch._functorch.aot"))]
assert not loaded, loaded
"""
    path = os.pathsep.join([str(PACKAGE.parent), str(PACKAGE.parents[1] / "tests/helpers")])
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


# bfloat16


@pytest.mark.parametrize(
    ("arch", "model", "data"),
    [
        ("mlp2", {"width": 0.2}, DATA),
        ("cnn2", {"width": 0.25}, DATA),
        ("lenet5", {"width": 0.5}, tiny(28, 1, 40)),
        ("resnet18", {"width": 0.125, "stem": "cifar"}, tiny(16, 3, 40)),
    ],
    ids=["mlp2", "cnn2", "lenet5", "resnet18"],
)
def test_bf16_follows_fp32(arch, model, data):
    settings = told(arch=arch, model=model | {"normalise": True}, epochs=3, learning_rate=0.002)
    full, half = (fit(settings | {"precision": name}, data, 0, CPU) for name in ("fp32", "bf16"))
    assert losses(half) == pytest.approx(losses(full), rel=BF16_LOSS)
    assert losses(half) != losses(full)  # it was another arithmetic
    assert half.figures["precision_used"] == "bf16"
    assert half.state.keys() == full.state.keys()
    floating = [value for value in half.state.values() if value.is_floating_point()]
    assert {value.dtype for value in floating} == {torch.float32}
    # Weights are not merely stored wide: steps smaller than bfloat16 resolves are kept.
    weight = half.state["head.weight"]
    assert not torch.equal(weight, weight.bfloat16().float())


def test_bf16_learns_the_toy():
    full, half = (fit(told(precision=name, epochs=15), DATA, 0, CPU) for name in ("fp32", "bf16"))
    assert full.figures["test_accuracy"] > 90
    assert half.figures["test_accuracy"] > 90


def test_evaluation_is_float32_whatever_the_training(monkeypatch):
    seen = set()
    real = Classifier.features

    def watched(self, x):
        features = real(self, x)
        seen.add((self.training, features.dtype, torch.is_autocast_enabled("cpu")))
        return features

    monkeypatch.setattr(Classifier, "features", watched)
    settings = told(precision="bf16", selection="held_out", epochs=1)
    trained = fit(settings, DATA, 0, CPU)
    assert seen == {(True, torch.bfloat16, True), (False, torch.float32, False)}
    # What an attack would load predicts what the record says.
    model = new_model(settings, DATA)
    model.load_state_dict(trained.state)
    found = predictions(model, Resident(DATA.test_images, DATA.test_labels, CPU))
    assert (found.numpy() == trained.predictions["test_prediction"]).all()


def test_bf16_gives_the_loss_float32_logits():
    model = new_model(told(), DATA)
    images = torch.rand(8, 1, 8, 8)
    logits, _ = forward_in(model, "bf16", CPU)(images)
    assert logits.dtype == torch.float32
    # The head itself works in float32: its logits are no bfloat16 numbers.
    assert not torch.equal(logits, logits.bfloat16().float())
    assert torch.equal(forward_in(model, "fp32", CPU)(images).logits, model(images))


def test_bf16_resumes_to_the_same_bytes_and_not_from_fp32(tmp_path, monkeypatch):
    path = tmp_path / "resume.safetensors"
    settings = told(precision="bf16")
    whole = fit(settings, DATA, 0, CPU)
    leave_resume_point(path, settings, monkeypatch)
    assert equal(fit(settings, DATA, 0, CPU, path), whole)
    leave_resume_point(path, told(), monkeypatch)
    assert equal(fit(settings, DATA, 0, CPU, path), whole)


# What a device can do


@pytest.mark.parametrize(
    ("asked", "device", "capability", "used", "says"),
    [
        ("fp32", CUDA, (7, 5), "fp32", None),
        ("tf32", CUDA, (9, 0), "tf32", None),
        ("bf16", CUDA, (8, 0), "bf16", None),
        ("tf32", CUDA, (7, 5), "fp32", "tf32 needs a GPU of compute capability 8.0"),
        ("bf16", CUDA, (7, 0), "fp32", "bf16 needs a GPU of compute capability 8.0"),
        ("tf32", CPU, None, "fp32", "tf32 exists on CUDA only, not on cpu"),
        ("tf32", MPS, None, "fp32", "tf32 exists on CUDA only, not on mps"),
        ("bf16", CPU, None, "bf16", None),
        ("fp32", MPS, None, "fp32", None),
    ],
)
def test_usable(monkeypatch, asked, device, capability, used, says):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    found, reason = usable(asked, device)
    assert found == used
    assert (reason is None) == (says is None)
    assert says is None or reason.startswith(says)


def refused(*size, dtype, device):
    raise TypeError("BFloat16 is not supported on MPS")


@pytest.mark.parametrize(("ones", "used"), [(lambda *size, dtype, device: None, "bf16"), (refused, "fp32")])
def test_bf16_on_mps_depends_on_the_machine(monkeypatch, ones, used):
    monkeypatch.setattr(torch, "ones", ones)
    found, reason = usable("bf16", MPS)
    assert found == used
    assert (reason is None) == (used == "bf16")


def test_an_unknown_precision_is_named():
    with pytest.raises(ValueError, match="no precision 'fp16'; known: fp32, tf32, bf16"):
        usable("fp16", CPU)


def test_tf32_off_cuda_is_fp32_and_is_said_once(capsys):
    one, other = (fit(told(precision=name, epochs=2), DATA, 0, CPU) for name in ("fp32", "tf32"))
    assert same(one.state, other.state)
    assert other.figures["precision_used"] == "fp32"
    assert other.figures["precision_reason"] == "tf32 exists on CUDA only, not on cpu"
    assert capsys.readouterr().out.count("tf32") == 2  # asked, and the reason, in one line


@pytest.fixture
def flags():
    """Reads torch's switches of TF32, and puts them back."""
    backends = torch.backends

    def read():
        return backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32

    before = read()
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield read
    backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32 = before
    torch.use_deterministic_algorithms(deterministic)


def test_tf32_is_on_inside_steps_only(flags):
    devices.allow_tf32(False)
    seen = []

    def failing():
        with switched("tf32"):
            seen.append(flags())
            raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert seen == [(True, True)]
    assert flags() == (False, False)
    for used in ("fp32", "bf16"):
        with switched(used):
            assert flags() == (False, False)


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_prepare_asks_for_true_float32(flags, monkeypatch, kind):
    # Of the GPU no more is needed here than its name.
    torch.backends.cudnn.allow_tf32 = True
    monkeypatch.setattr(devices, "pick_device", torch.device)
    assert devices.prepare(torch.get_num_threads(), kind) == torch.device(kind)
    assert flags()[1] == (kind == "mps")
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()


@pytest.mark.parametrize(
    ("used", "device", "channels_last", "expected"),
    [
        ("fp32", CUDA, True, False),
        ("tf32", CUDA, True, True),
        ("tf32", CUDA, False, False),
        ("fp32", CPU, True, False),  # there the classifier itself does it
    ],
)
def test_layout_on_its_way_to_the_network(monkeypatch, used, device, channels_last, expected):
    model = new_model(told(arch="cnn2"), tiny(8, 3))
    seen = []
    monkeypatch.setattr(model.backbone, "channels_last", channels_last, raising=False)
    monkeypatch.setattr(model, "features", lambda x: seen.append(x) or torch.zeros(4, model.backbone.feature_dim))
    images = torch.rand(4, 3, 8, 8)
    forward_in(model, used, device)(images)
    assert torch.equal(seen[0], images)
    assert seen[0].is_contiguous(memory_format=torch.channels_last) == expected


# Compilation


class Small(Backbone):
    """Convolution, batch norm and dropout: everything that keeps a state or draws."""

    channels_last = True

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)
        self.feature_dim = 4 * 6 * 6

    def forward(self, x):
        return self.drop(self.norm(self.conv(x)).relu_().flatten(1))


def small() -> Classifier:
    torch.manual_seed(0)
    backbone = Small()
    return Classifier(backbone, nn.Linear(backbone.feature_dim, 3))


def step(model, forward, images):
    """Logits, gradients and buffers of one step in training mode."""
    model.train()
    model.zero_grad(set_to_none=True)
    torch.manual_seed(5)
    logits, _ = forward(images)
    CrossEntropy()(logits, torch.arange(len(images)) % 3).mean().backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return [logits.detach(), *gradients, *(buffer.clone() for buffer in model.buffers())]


@needs_compiler
@pytest.mark.parametrize(("used", "bound"), [("fp32", COMPILED), ("bf16", BF16_LOSS)])
def test_compiled_steps_are_uncompiled_steps(used, bound):
    model, twin = small().eval(), small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(9)
    drawn = torch.get_rng_state()
    compiled, reason = compile_forward(forward_in(model, used, CPU), model, [(6, 1, 8, 8)], CPU)
    assert reason is None
    # The trial left no trace.
    assert same(model.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert not model.training
    assert all(parameter.grad is None for parameter in model.parameters())
    images = torch.rand(6, 1, 8, 8)
    for found, expected in zip(
        step(model, compiled, images), step(twin, forward_in(twin, used, CPU), images), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=bound, atol=bound)


# 16 images per batch and none left over: one shape to compile.
COMPILE_DATA = tiny(train=64)


@needs_compiler
def test_compiled_training_is_uncompiled_training_and_resume_points_interchange(tmp_path, monkeypatch, capsys):
    plain_settings, settings = told(), told(compile=True)
    plain, whole = fit(plain_settings, COMPILE_DATA, 0, CPU), fit(settings, COMPILE_DATA, 0, CPU)
    assert whole.figures["compiled"] is True
    assert whole.figures["compiled_reason"] is None
    assert losses(whole) == pytest.approx(losses(plain), rel=COMPILED)
    assert whole.state.keys() == plain.state.keys()
    for key, value in plain.state.items():
        torch.testing.assert_close(whole.state[key], value, rtol=1e-4, atol=1e-5)
    path = tmp_path / "resume.safetensors"
    for first, second in ((settings, settings), (settings, plain_settings), (plain_settings, settings)):
        leave_resume_point(path, first, monkeypatch, data=COMPILE_DATA)
        resumed, epochs = counted(monkeypatch, second, COMPILE_DATA, path)
        assert 0 < epochs < settings["epochs"]  # it did go on from there
        if first == second:
            assert equal(resumed, whole)
        assert losses(resumed) == pytest.approx(losses(plain), rel=COMPILED)
    assert "not compiled" not in capsys.readouterr().out


@needs_compiler
def test_more_trainings_than_torch_keeps_variants(monkeypatch):
    # torch stops compiling a function after some variants; a job's trainings must not add up to that.
    import torch._dynamo.config

    monkeypatch.setattr(torch._dynamo.config, "accumulated_recompile_limit", 1)
    for seed in range(3):
        assert fit(told(compile=True, epochs=1), COMPILE_DATA, seed, CPU).figures["compiled"] is True


def check_fallback(trained, capsys, says):
    plain = fit(told(epochs=2), DATA, 0, CPU)
    assert same(trained.state, plain.state)
    assert trained.history == plain.history
    assert trained.figures["compiled"] is False
    assert says in trained.figures["compiled_reason"]
    assert "\n" not in trained.figures["compiled_reason"]
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not compiled: ")]
    assert said == [f"not compiled: {trained.figures['compiled_reason']}"]


def test_a_compiler_that_fails_costs_speed_only(tmp_path):
    compiler = tmp_path / "c++"
    compiler.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo planted; exit 0 ;; esac\necho "no headers" >&2\nexit 1\n'
    )
    compiler.chmod(0o755)
    prepared.save(tmp_path / "results/e/datasets" / told()["dataset"], DATA)
    settings = told(epochs=2, compile=True)
    (run,) = (plan := {"networks": network(settings)})["networks"]
    environment = {"CXX": str(compiler), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    arguments = ("--run", run, "--seeds", 0, "--device", "cpu")
    done = run_step(tmp_path, "train", plan, *arguments, **environment)
    ran(done)
    out = tmp_path / f"results/e/models/{run}/seed0"
    record = json.loads((out / "record.json").read_text())
    assert record["compiled"] is False
    assert record["run"]["compile"] is True
    reason = record["compiled_reason"]
    assert "\n" not in reason and str(tmp_path) not in reason  # equal for equal runs
    assert "compile" in reason.lower()
    assert [line for line in done.stdout.splitlines() if "compiled" in line] == [f"not compiled: {reason}"]
    plain = fit(told(epochs=2), DATA, 0, CPU)
    assert same(load_file(out / "model.safetensors"), plain.state)


class BrokenBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits):
        return logits.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("backward does not compile\nsecond line")


def broken_backward(function, **options):
    return lambda images: function(images)._replace(logits=BrokenBackward.apply(function(images).logits))


def broken_at_once(function, **options):
    raise ImportError("no backend")


@pytest.mark.parametrize(
    ("broken", "says"),
    [(broken_backward, "RuntimeError: backward does not compile"), (broken_at_once, "ImportError: no backend")],
)
def test_whatever_fails_costs_speed_only(monkeypatch, capsys, broken, says):
    monkeypatch.setattr(torch, "compile", broken)
    check_fallback(fit(told(epochs=2, compile=True), DATA, 0, CPU), capsys, says)


def test_a_failed_trial_leaves_no_trace(monkeypatch):
    monkeypatch.setattr(torch, "compile", broken_backward)
    model = small()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    drawn = torch.get_rng_state()
    forward = forward_in(model, "fp32", CPU)
    found, reason = compile_forward(forward, model, [(6, 1, 8, 8)], CPU)
    assert found is forward
    assert reason
    assert same(model.state_dict(), before)
    assert torch.equal(torch.get_rng_state(), drawn)


def test_an_interrupt_is_no_failed_compilation(monkeypatch):
    def interrupted(function, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "compile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compile_forward(small(), small(), [(2, 1, 8, 8)], CPU)


def test_cuda_gets_graphs_and_mps_nothing(monkeypatch):
    told_options = {}

    def watched(function, **options):
        told_options.update(options)
        raise RuntimeError("enough")

    monkeypatch.setattr(torch, "compile", watched)
    model = small()
    assert compile_forward(model, model, [], MPS) == (model, "torch.compile is used on cpu and cuda only, not on mps")
    assert not told_options
    compile_forward(model, model, [], CPU)
    assert told_options["options"]["triton.cudagraphs"] is False
    monkeypatch.setattr(torch.random, "fork_rng", lambda *args, **more: nullcontext())  # it asks the GPU
    compile_forward(model, model, [], CUDA)
    assert told_options["options"]["triton.cudagraphs"] is True


def test_batch_sizes():
    assert batch_sizes(64, 16) == [16]
    assert batch_sizes(60, 16) == [16, 12]
    assert batch_sizes(65, 16) == [16]  # a last batch of one is left out
    assert batch_sizes(10, 16) == [10]


def test_reasons_are_one_short_line():
    assert one_line(ValueError("\n  first \nsecond")) == "ValueError: first"
    assert one_line(ValueError("")) == "ValueError: "
    assert len(one_line(ValueError("x" * 1000))) == 200


def test_the_record_says_what_was_used():
    figures = training_forward(new_model(told(), DATA), told(precision="bf16"), CPU, 60, (1, 8, 8)).figures
    assert figures == {
        "precision_used": "bf16",
        "precision_reason": None,
        "compiled": False,
        "compiled_reason": None,
    }
    assert compiling.TRIALS >= 3  # a CUDA graph is warmed up, recorded, replayed
