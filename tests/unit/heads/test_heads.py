"""Heads: built alike, named by the losses, each stale on its own."""

from __future__ import annotations

import pytest
import torch

from lossproof import catalogue as module
from lossproof import sources
from lossproof.catalogue import PACKAGE, catalogue
from lossproof.heads.choice import head_of
from lossproof.models.classifier import build


@pytest.mark.parametrize("name", catalogue("heads"))
def test_every_head_maps_features_to_logits(name: str) -> None:
    head = catalogue("heads")[name].load()(12, 7)
    logits = head(torch.rand(5, 12))
    assert (logits.shape, logits.dtype) == ((5, 7), torch.float32)
    assert isinstance(head.weight, torch.Tensor)  # what the history summarises


def test_the_linear_head_is_the_usual_last_layer() -> None:
    torch.manual_seed(3)
    expected = torch.nn.Linear(12, 7)
    torch.manual_seed(3)
    found = catalogue("heads")["linear"].load()(12, 7)
    assert type(found) is torch.nn.Linear
    assert found.state_dict().keys() == {"weight", "bias"}
    assert all(torch.equal(found.state_dict()[key], value) for key, value in expected.state_dict().items())
    model = build("mlp2", num_classes=7, in_channels=1, image_size=4)
    assert {"head.weight", "head.bias"} <= model.state_dict().keys()


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A catalogue of one head and of losses that name it, another one, and none."""
    for folder, name, text in [
        ("heads", "linear", "CATALOGUE = {'linear': {'build': 'linear'}}"),
        ("criteria", "plain", "CATALOGUE = {'plain': {'build': 'P'}}"),
        ("criteria", "named", "CATALOGUE = {'named': {'build': 'N', 'head': 'linear'}}"),
        ("criteria", "lost", "CATALOGUE = {'lost': {'build': 'L', 'head': 'centres'}}"),
    ]:
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.py").write_text(text + "\n")
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


def test_a_loss_names_its_head(planted) -> None:
    assert head_of("plain") == head_of("named") == "linear"
    with pytest.raises(ValueError, match="criterion 'lost' names head 'centres'; known: linear"):
        head_of("lost")


def test_no_step_knows_a_head_but_by_name() -> None:
    # A head in a step's imports would make every network stale when it changes.
    heads = {entry.module for entry in catalogue("heads").values()}
    for script in (PACKAGE.parents[1] / "workflow/scripts").glob("*.py"):
        assert not heads & sources.script_modules(script), script
    models = {entry.module for entry in catalogue("models").values()}
    assert not heads & sources.closure(models)
