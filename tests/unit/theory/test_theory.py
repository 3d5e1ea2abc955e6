"""The numerical checks: their verdicts, key numbers and counterexamples."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from typing import Any

import pytest
import torch

from lossproof.catalogue import catalogue
from lossproof.criteria.cross_entropy import CrossEntropy
from lossproof.criteria.stationary_point_ce import StationaryPointCE
from lossproof.theory.cases import case, statement
from lossproof.theory.linear_fit import crossing, fit
from lossproof.theory.loss_curves import loss_curves
from lossproof.theory.scalar_model import TARGETS, logits

VERDICTS = {
    "theorem_1": "yes",
    "lemma_1": "yes",
    "corollary_1": "yes",
    "corollary_2": "under a condition",
    "theorem_2": "under a condition",
    "theorem_3": "under a condition",
    "eq_11": "under a condition",
    "eq_42": "yes",
    "isce_eq_10": "under a condition",
    "isce_eq_13": "under a condition",
    "isce_property_1": "under a condition",
    "isce_minmax_1": "under a condition",
    "isce_prediction_rule": "under a condition",
    "isce_mean_values": "under a condition",
    "pc_eq_7": "yes",
    "pc_eq_10": "yes",
    "pc_eq_14": "under a condition",
    "pc_case_analysis_1": "yes",
    "pc_optimal_gap": "under a condition",
}
CURVES = {"loss_curves", "isce_surface", "isce_regression"}


@cache
def record(name: str) -> dict[str, Any]:
    entry = catalogue("theory")[name]
    return entry.load()(**entry.defaults())


def cases(name: str, quantity: str = "", where: str = "", role: str = "") -> list[dict[str, Any]]:
    return [
        entry
        for entry in record(name)["cases"]
        if quantity in entry["quantity"] and where in entry["case"] and role in entry["role"]
    ]


def test_every_statement_is_offered() -> None:
    assert set(catalogue("theory")) == set(VERDICTS) | CURVES


@pytest.mark.parametrize(("name", "verdict"), VERDICTS.items())
def test_verdict(name: str, verdict: str) -> None:
    result = record(name)
    assert result["holds"] == verdict
    assert [entry for entry in result["cases"] if entry["role"] == "check" and not entry["holds"]] == []
    assert bool(cases(name, role="counterexample")) == (verdict == "under a condition")
    assert result["claim"].endswith(".")
    assert result["condition"].endswith(".")


@pytest.mark.parametrize("name", VERDICTS)
def test_records_are_finite_json_with_unique_cases(name: str) -> None:
    result = record(name)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    keys = [(entry["case"], entry["quantity"]) for entry in result["cases"]]
    assert len(keys) == len(set(keys))
    for entry in result["cases"]:
        assert entry["residual"] == entry["measured"] - entry["expected"]


def test_a_second_check_gives_the_same_record() -> None:
    entry = catalogue("theory")["theorem_2"]
    assert entry.load()() == record("theorem_2")


def test_verdict_follows_from_the_cases() -> None:
    right, wrong = case("a", "q", 1, 1), case("a", "q", 1, 1 + 1e-7)
    assert right["holds"]
    assert not wrong["holds"]
    assert case("a", "q", 1, 1 + 1e-7, digits=6)["holds"]
    assert statement("c", [right])["holds"] == "yes"
    assert statement("c", [right, wrong | {"role": "control"}])["holds"] == "yes"
    assert statement("c", [right, wrong | {"role": "counterexample"}])["holds"] == "under a condition"
    assert statement("c", [right, wrong])["holds"] == "no"


def test_theorem_1_covers_scaling_shifting_and_the_padded_convolution() -> None:
    assert len(cases("theorem_1", "share with smaller mean CE, last layer")) == 3
    assert len(cases("theorem_1", "boundary shifted")) == 6
    (inner,) = cases("theorem_1", "inner pixels")
    (everywhere,) = cases("theorem_1", "all pixels")
    assert inner["holds"]
    assert everywhere["measured"] > 0.1
    assert all(entry["holds"] for entry in cases("theorem_1", "finite scale"))


def test_theorem_1_would_notice_a_loss_with_a_finite_minimum() -> None:
    from lossproof.theory.theorem_1 import Network, _scaling, _turning_point

    nets = [Network(3, index) for index in range(3)]
    assert not _turning_point(nets, "ce", CrossEntropy())["holds"]  # type: ignore[arg-type]
    wrong = [Network(3, index) for index in range(3)]
    for net in wrong:
        net.labels = (net.labels + 1) % 3
    assert not _scaling(wrong, "wrong labels")[1]["holds"]


def test_corollary_1_weights() -> None:
    weights = [entry["measured"] for entry in cases("corollary_1") if entry["quantity"] == "w"]
    assert weights == pytest.approx([1.39579, 0.99222, 0.72182, 0.38383, 0.17251], abs=6e-6)
    biases = [entry["measured"] for entry in cases("corollary_1") if entry["quantity"] == "b"]
    assert biases == pytest.approx([0.5] * 5, abs=1e-8)


def test_corrected_gradients_of_the_proof_of_corollary_1() -> None:
    # Eqs. 36 to 39 with the sign turned, at w = 0.37, b = 0.21, eta = 0.9.
    parameters = torch.tensor([0.37, 0.21], dtype=torch.float64, requires_grad=True)
    first, second = StationaryPointCE(eta=0.9)(logits(parameters), TARGETS).flip(0)
    gradients = [torch.autograd.grad(loss, parameters, retain_graph=True)[0].tolist() for loss in (first, second)]
    assert gradients[0] == pytest.approx([-0.84878, -0.84878], abs=6e-6)
    assert gradients[1] == pytest.approx([-0.07523, 0.07523], abs=6e-6)


def test_corollary_2_fails_above_its_bound() -> None:
    (threshold,) = cases("corollary_2", "reaches probability 1/2")
    assert threshold["measured"] == pytest.approx(0.298287, abs=6e-7)
    wrong = cases("corollary_2", "accuracy", role="counterexample")
    assert [entry["case"] for entry in wrong] == ["sp_focal, eta 0.3", "sp_focal, eta 0.5", "sp_focal, eta 1"]
    assert [entry["measured"] for entry in wrong] == [0, 0, 0]
    assert all(entry["measured"] == 100 for entry in cases("corollary_2", "accuracy", role="check"))


def test_theorem_2_counterexample_and_remedy() -> None:
    (placed,) = cases("theorem_2", where="sp_ce, form C, eta 1, K = 3, false logits", role="counterexample")
    assert placed["measured"] == pytest.approx(0.3744, abs=5e-5)
    trained = cases("theorem_2", where="trained", role="counterexample")
    assert len(trained) == 2
    assert all(abs(entry["measured"] - 0.5) > 0.05 for entry in trained)
    assert len(cases("theorem_2", where="trained", role="check")) == 4


def test_theorem_3_leaves_the_correct_side_at_eta_2() -> None:
    wrong = [entry["note"] for entry in cases("theorem_3", "accuracy", role="counterexample")]
    assert wrong == [f"true-class probability {value}" for value in ("0.50000", "0.40825", "0.25000")]


def test_eq_11_zeros_and_the_other_reading() -> None:
    zeros = {entry["case"].split()[-1]: entry["measured"] for entry in cases("eq_11", "at the zero")}
    assert zeros["0.03"] == pytest.approx(0.77203, abs=6e-6)
    assert len(zeros) == 12
    assert all(entry["measured"] > 1e-3 for entry in cases("eq_11", role="counterexample"))


def test_eq_42_and_the_printed_slips() -> None:
    measured = [entry["measured"] for entry in cases("eq_42", "stationary probability", "form C")][::2]
    assert measured == pytest.approx([0.94222, 0.87915, 0.80902, 0.68301, 0.58541], abs=6e-6)
    printed = [entry["measured"] for entry in cases("eq_42", where="as reported")]
    assert printed == pytest.approx([0.44098, 2.44098], abs=6e-6)


def test_a_fit_reaches_a_known_minimum_and_crossing() -> None:
    features = torch.tensor([[-1.0, 0.0], [3.0, 0.0]], dtype=torch.float64)
    start = torch.full((6,), 0.1, dtype=torch.float64) * torch.arange(6)
    fitted = fit(StationaryPointCE(eta=1), features, torch.tensor([0, 1]), 2, start)
    gap = math.log(0.8090169943749475 / 0.1909830056250525)
    assert (fitted[:, 0] - fitted[:, 1]).tolist() == pytest.approx([gap, -gap], abs=1e-9)
    assert crossing(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0]), (0, 1)) == 0.75


def test_loss_curves() -> None:
    curves = loss_curves(
        trainings={
            "ce": {"criterion": "ce"},
            "focal": {"criterion": "focal", "alpha": 0.25, "gamma": 2},
            "sp": {"criterion": "sp_focal", "eta": 0.03},
        },
        points=161,
    )
    assert set(curves) == {"x"} | {f"{name}/{part}" for name in ("ce", "focal", "sp") for part in ("loss", "gradient")}
    x = curves["x"]
    assert (x[0], x[-1], len(x)) == (-6, 10, 161)
    for z, loss, gradient in zip(x, curves["ce/loss"], curves["ce/gradient"], strict=True):
        assert loss == pytest.approx(math.log1p(math.exp(-z)), rel=1e-9)
        assert gradient == pytest.approx(-1 / (1 + math.exp(z)), rel=1e-9)
    assert max(curves["focal/gradient"]) < 0
    turning = [
        z
        for z, before, after in zip(x[1:], curves["sp/gradient"], curves["sp/gradient"][1:], strict=False)
        if before < 0 <= after
    ]
    assert turning == pytest.approx([1.220], abs=0.1)


def test_loss_curves_refuse_an_unknown_criterion() -> None:
    with pytest.raises(KeyError, match=r"known: .*sp_focal"):
        loss_curves(trainings={"x": {"criterion": "nothing"}})


# isce


def test_isce_the_last_step_of_eq_10_needs_a_positive_logit() -> None:
    wrong = cases("isce_eq_10", where="s > (f-m) / f where f < 0", role="counterexample")
    assert [entry["measured"] for entry in wrong] == [0, 0]
    (slip, _) = cases("isce_eq_10", where="e^(sf+m) > 1")
    assert 0.5 < slip["measured"] < 1


def test_isce_z_and_where_it_turns_negative() -> None:
    values = {entry["case"]: entry["measured"] for entry in cases("isce_eq_13", "z, from the autograd derivative")}
    assert values == pytest.approx(
        {
            "f = 0.97, S = 8, s = 1, m = 0": 0,
            "f = 0.97, S = 8, s = 1, m = 0.1": 0.0011586,
            "f = 0.97, S = 8, s = 1.5, m = 0.1": 0.020484,
            "f = 0.97, S = 8, s = 2, m = 0.1": 0.039165,
        },
        abs=5e-7,
    )
    negative = [entry["measured"] for entry in cases("isce_eq_13", "turns negative")]
    assert negative == pytest.approx([5.444, 5.574, 2.21888, 2.2923], abs=5e-4)
    assert [entry["measured"] for entry in cases("isce_eq_13", role="counterexample")] == [0, 0, 0]
    # All that the record says of z was seen by autograd; none of it fails, the check of the sum S aside.
    assert [entry["case"] for entry in cases("isce_eq_13", role="control") if not entry["holds"]] == [
        "logits of unit norm, K = 10, f = 0.5, s = 1, m = 0.1"
    ]


def test_isce_property_1_and_its_reversals() -> None:
    gaps = {entry["case"].split(":")[0]: entry["measured"] for entry in cases("isce_property_1", "L_I - L")}
    assert gaps == pytest.approx({"confident network": -0.0249, "normalised logits": 0.0063}, abs=5e-5)
    reversals = cases("isce_property_1", "exceeds L (1", role="counterexample")
    assert len(reversals) == 4
    assert not any(entry["holds"] for entry in reversals)
    thresholds = [entry["measured"] for entry in cases("isce_property_1", where="s = 1, m = 0.1")]
    assert thresholds[:2] == pytest.approx([0.4875026] * 2, abs=1e-7)


def test_isce_a_random_attack_would_notice_a_wrong_sign() -> None:
    from lossproof.theory.isce_property_1 import difference

    assert difference(0.97, 0.3, 1, 0.1, 8, 8) == -difference(0.3, 0.97, 1, 0.1, 8, 8) > 0
    assert difference(0.97, 0.3, 1, 0, 8, 8) == 0


def test_isce_minmax_compares_two_losses_of_one_network() -> None:
    lower = {entry["case"]: entry for entry in cases("isce_minmax_1", "lower objective")}
    assert {entry["measured"] for name, entry in lower.items() if "s = 1, " in name} == {1}
    failing = cases("isce_minmax_1", role="counterexample")
    assert len(failing) == 2
    assert all(entry["measured"] < 1 for entry in failing)
    assert all(entry["measured"] == 0 for entry in cases("isce_minmax_1", "accuracies"))


def test_isce_decision_that_fails_for_s_above_1() -> None:
    (logit,) = cases("isce_prediction_rule", "logit of the predicted class")
    (decision,) = cases("isce_prediction_rule", role="counterexample")
    assert (logit["measured"], decision["measured"]) == (pytest.approx(-0.15), 0)
    some = [entry["case"] for entry in cases("isce_prediction_rule", role="check") if "those with" in entry["case"]]
    assert some, "no draw would break the rule, so the condition is not tested"


def test_isce_mean_values_and_the_optimum() -> None:
    at_means = {entry["quantity"]: entry["measured"] for entry in cases("isce_mean_values", where="f = 0.97")}
    assert (at_means["smallest S"], at_means["largest S"]) == pytest.approx((8.2995, 9.7597), abs=5e-5)
    best = [entry["measured"] for entry in cases("isce_mean_values", where="smallest loss")]
    assert best == pytest.approx([0.9487, 8.0996, 1.4199, 0.2417, 0.9487, 8.0996, 1.3450, 0.2605], abs=6e-5)
    (short,) = cases("isce_mean_values", role="counterexample")
    assert short["measured"] == pytest.approx(0.2995, abs=5e-5)


def test_isce_surface_covers_both_ranges() -> None:
    found = catalogue("theory")["isce_surface"].load()()
    fields = {name: torch.tensor(values, dtype=torch.float64) for name, values in found["fields"].items()}
    assert (fields["printed/z"] > 0).all()
    assert (fields["wide/z"] < 0).any() and (fields["wide/z"] > 0).any()
    for panel, (s, m) in {"printed": (2, 0.1), "wide": (8, 4)}.items():
        assert fields[f"{panel}/z"].shape == (len(fields[f"{panel}/m"]), len(fields[f"{panel}/s"]))
        assert (fields[f"{panel}/s"][[0, -1]].tolist(), fields[f"{panel}/m"][-1]) == ([1, s], pytest.approx(m))
        assert fields[f"{panel}/m"][0] > 0
    # Rows are m, columns are s: far out along s alone the sign changes.
    assert fields["wide/z"][1, -1] < 0 < fields["wide/z"][1, 10]
    signs = [(row["s"], row["m"]) for row in found["measures"] if row["quantity"] == "sign_change"]
    assert signs == [(1.0, pytest.approx(2.21888, abs=1e-5)), (2.0, pytest.approx(2.2922, abs=1e-4)),
                     (pytest.approx(5.4445, abs=1e-4), 0.1)]  # fmt: skip


def test_isce_regression_directions() -> None:
    entry = catalogue("theory")["isce_regression"]
    found = entry.load()()
    assert found == entry.load()(**entry.defaults())
    measured = {(row["training"], row["quantity"]): row["value"] for row in found["measures"]}
    for one_way in ("ce", "isce_formula"):
        assert measured[one_way, "one_direction"] == pytest.approx(1)
        assert (one_way, "gap") not in measured
    assert measured["label_smoothing", "gap"] == pytest.approx(math.log(0.95 / 0.05))
    for on_circle, angle in (("arcface", -(90 - math.degrees(0.5)) / 2), ("isce", -45), ("nce", -45)):
        assert measured[on_circle, "radial"] < 1e-9
        assert measured[on_circle, "angle"] == pytest.approx(angle)
    fields = {name: torch.tensor(values) for name, values in found["fields"].items()}
    lengths = torch.stack([fields["isce/true"], fields["isce/other"]]).norm(dim=0)
    assert ((lengths - 1).abs() < 1e-6).sum() + (lengths == 0).sum() == lengths.numel()
    # s = 1: the margin changes the loss's height, but no direction.
    torch.testing.assert_close(fields["isce/true"], fields["nce/true"])
    assert (fields["isce/loss"] < fields["nce/loss"]).all()
    tilted = entry.load()(s=2.0)
    (angle,) = [row["value"] for row in tilted["measures"] if (row["training"], row["quantity"]) == ("isce", "angle")]
    assert angle == pytest.approx(-math.degrees(math.atan(1 / 2)))


# pc


def test_pc_eq_7_covers_every_kind_of_logit_and_both_states_of_a_term() -> None:
    assert len(cases("pc_eq_7", where="one active term")) == 9
    mixed = [int(entry["note"].split(": ")[1].split()[0]) for entry in cases("pc_eq_7", where="xi = 0.3")]
    assert min(mixed) > 0, "no draw has active and inactive terms"
    far = [entry["measured"] for entry in cases("pc_eq_7", where="all terms active")]
    assert far == pytest.approx([0.198, 2e-3, 2e-7], rel=1e-3)
    assert all(entry["measured"] < -0.98 for entry in cases("pc_eq_7", where="cross entropy"))


def test_pc_eq_7_would_notice_the_gradient_of_another_loss() -> None:
    from lossproof.theory.pc_eq_7 import _one_term

    logits = torch.randn(5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert all(entry["holds"] for entry in _one_term(logits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lossproof.theory.pc_eq_7.terms", lambda at: at.softmax(1)[:, 1:] - 2 * at.softmax(1)[:, :1])
        assert not any(entry["holds"] for entry in _one_term(logits))


def test_pc_eq_8_is_of_first_order_only() -> None:
    small, large = (abs(entry["measured"]) for entry in cases("pc_eq_10", role="control"))
    assert 0 < small < 1e-4 < 0.05 < large


def test_pc_eq_14_and_its_exceptions_in_both_directions() -> None:
    (robust,) = cases("pc_eq_14", role="counterexample")
    assert robust["measured"] < 0.9
    small, large = (entry["measured"] for entry in cases("pc_eq_14", role="control"))
    assert small == 0 < 0.05 < large


def test_pc_the_nearest_error_is_the_second_class_in_probabilities_alone() -> None:
    assert {entry["measured"] for entry in cases("pc_case_analysis_1", "second most", role="check")} == {1}
    (inputs,) = cases("pc_case_analysis_1", role="control")
    assert 0.5 < inputs["measured"] < 0.95
    for entry in cases("pc_case_analysis_1", "closer than case 2"):
        possible, times = (float(part) for part in re.findall(r"[\d.]+", entry["note"].split(":", 1)[1])[1:4:2])
        assert possible > 3
        assert times > math.sqrt(2)


@pytest.mark.parametrize(
    ("reading", "printed"), [("as reported", (7.4855, 9.899, 10.592)), ("code", (5.202, 7.494, 8.186))]
)
def test_pc_best_gaps(reading: str, printed: tuple[float, ...]) -> None:
    found = [entry["measured"] for entry in cases("pc_optimal_gap", "logits", reading, "check")]
    assert found == pytest.approx(printed, abs=5e-4)


def test_pc_gaps_where_terms_end_and_the_idle_bound() -> None:
    inactive = [entry["measured"] for entry in cases("pc_optimal_gap", where="inactive")]
    assert inactive == pytest.approx([7.596, 9.899, 10.592, 5.989], abs=5e-4)
    (idle,) = cases("pc_optimal_gap", where="against C' = 0")
    assert (idle["measured"], idle["role"]) == (0, "check")
    (above,) = cases("pc_optimal_gap", "exceeds C'")
    assert above["measured"] == pytest.approx(2.485, abs=1e-3)
    (below,) = cases("pc_optimal_gap", where="from below")
    assert (below["expected"], below["measured"]) == (-0.05, 0)


def test_pc_objective_in_figures() -> None:
    from lossproof.theory.pc_objective import objective

    logits = torch.tensor([[0.9, 0.05, 0.05], [0.2, 0.5, 0.3]], dtype=torch.float64).log()
    hinges = torch.tensor([[0.145, 0.145], [1.295, 1.095]], dtype=torch.float64)
    gap = math.log(18)
    penalty = torch.tensor([0.05 * gap, 0], dtype=torch.float64)
    torch.testing.assert_close(objective(logits, mean=False), hinges.sum(1) + penalty)
    torch.testing.assert_close(objective(logits, mean=True), hinges.mean(1) + penalty)
    assert (objective(logits, mean=False, bound=2.0) - objective(logits, mean=False)).tolist() == pytest.approx(
        [-0.1] * 2
    )
