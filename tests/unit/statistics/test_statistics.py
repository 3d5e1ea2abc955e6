"""Intervals over images and seeds against known cases and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from lossproof.statistics.intervals import accuracy, difference, mean


def hits(right: int, images: int) -> np.ndarray:
    return (np.arange(images) < right)[None]


@pytest.mark.parametrize(("right", "images"), [(7, 20), (90, 100), (1, 50), (499, 1000)])
def test_one_seed_is_wilson_with_a_t_quantile(right, images):
    share, z = right / images, student.ppf(0.975, images - 1)
    # The sample variance divides by n - 1, so the effective size is n - 1.
    size = images - 1
    centre = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z / (1 + z**2 / size) * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2))
    assert accuracy(hits(right, images)) == pytest.approx((100 * share, 100 * (centre - half), 100 * (centre + half)))


def test_wilson_known_value():
    # Wilson 95 % of 50/100 with z = 1.96 is 40.38 to 59.62; the t quantile and n - 1 widen it a little.
    value, low, high = accuracy(hits(50, 100))
    assert value == 50
    assert 40.0 < low < 40.38
    assert 59.62 < high < 60.0


def test_a_mean_of_one_seed_has_the_t_interval_of_its_images():
    values = np.array([[0.1, -0.4, 0.8, 0.3]])
    half = student.ppf(0.975, 3) * values.std(ddof=1) / 2
    assert mean(values) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    # Seeds that disagree widen it; of outcomes it is the difference from nothing, in points.
    apart = mean(np.array([[0.1, 0.2, 0.3], [0.7, 0.8, 0.9]]))
    assert apart.value == pytest.approx(0.5) and apart.high - apart.low > 1
    right = np.array([[1, 0, 1, 1]])
    assert difference(right, 0 * right) == pytest.approx([100 * part for part in mean(right)])


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("right", [0, 25])
def test_no_variance_is_no_certainty(seeds, right):
    value, low, high = accuracy(np.repeat(hits(right, 25), seeds, axis=0))
    z = student.ppf(0.975, 24) ** 2
    reach = 100 * z / (25 + z)
    assert value == 4 * right
    assert (low, high) == pytest.approx((100 - reach, 100.0) if right else (0.0, reach))


def test_equal_seeds_add_nothing():
    once = accuracy(hits(30, 40))
    thrice = accuracy(np.repeat(hits(30, 40), 3, axis=0))
    assert thrice.value == once.value
    assert thrice.high - thrice.low == pytest.approx(once.high - once.low, rel=0.02)


def test_seeds_that_disagree_widen():
    rng = np.random.default_rng(0)
    agree = rng.random((3, 400)) < 0.7
    disagree = rng.random((3, 400)) < np.array([[0.4], [0.7], [1.0]])
    narrow, wide = accuracy(agree), accuracy(disagree)
    assert abs(narrow.value - wide.value) < 5
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)
    narrow, wide = difference(agree, np.zeros_like(agree)), difference(disagree, np.zeros_like(agree))
    # Two degrees of freedom: 4.30 standard errors of three seeds 0.3 apart.
    assert wide.high - wide.value == pytest.approx(100 * 4.303 * 0.3 / np.sqrt(3), rel=0.15)
    assert narrow.high - narrow.low < 15


def test_more_images_narrow():
    widths = [np.ptp(accuracy(hits(6 * images // 10, images))[1:]) for images in (50, 500, 5000)]
    assert widths[0] > 3 * widths[1] > 9 * widths[2]


def test_paired_difference_is_narrower():
    rng = np.random.default_rng(2)
    hard = rng.random(500)
    one, other = hard[None] < np.array([[0.6], [0.61], [0.62]]), hard[None] < np.array([[0.5], [0.51], [0.52]])
    paired, unpaired = difference(one, other), difference(one, rng.permuted(other, axis=1))
    assert paired.value == pytest.approx(unpaired.value) == pytest.approx(accuracy(one)[0] - accuracy(other)[0])
    assert paired.high - paired.low < 0.6 * (unpaired.high - unpaired.low)
    assert paired.low > 0


def test_difference_is_antisymmetric():
    rng = np.random.default_rng(3)
    one, other = rng.random((2, 3, 50)) < 0.5
    value, low, high = difference(one, other)
    assert difference(other, one) == pytest.approx((-value, -high, -low))
    assert difference(one, one) == (0, 0, 0)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (2, 2), (1, 2)])
def test_tiny_samples_stay_in_range(shape):
    for outcomes in (np.zeros(shape, bool), np.ones(shape, bool), np.arange(np.prod(shape)).reshape(shape) % 2 > 0):
        value, low, high = accuracy(outcomes)
        assert 0 <= low <= value + 1e-9
        assert value <= high + 1e-9 <= 100 + 1e-9
        assert np.isfinite(difference(outcomes, ~outcomes)).all()


@pytest.mark.parametrize(
    ("seeds", "images", "by_seed", "by_image"),
    [(3, 100, 0.0, 0.0), (3, 200, 0.1, 0.5), (3, 100, 0.4, 1.5), (5, 60, 0.8, 1.0)],
)
def test_coverage_of_crossed_effects(seeds, images, by_seed, by_image):
    # Logit of a hit = level + seed effect + image effect; truth over new seeds and images.
    rng = np.random.default_rng([seeds, images])

    def outcomes(count, images):
        shape = (count, images)
        logits = 1.0 + by_seed * rng.normal(size=(count, 1)) + by_image * rng.normal(size=(1, images))
        return rng.random(shape) < 1 / (1 + np.exp(-logits))

    truth = 100 * np.mean([outcomes(200, 2000).mean() for _ in range(10)])
    trials = 400
    found = [accuracy(outcomes(seeds, images)) for _ in range(trials)]
    coverage = np.mean([low <= truth <= high for _, low, high in found])
    assert 0.90 <= coverage <= 0.995


def test_coverage_of_paired_differences():
    rng = np.random.default_rng(7)

    def pair(seeds, images):
        image = rng.normal(size=(1, images))
        logits = [level + 0.3 * rng.normal(size=(seeds, 1)) + 1.5 * image for level in (1.0, 0.5)]
        return [rng.random((seeds, images)) < 1 / (1 + np.exp(-logit)) for logit in logits]

    one, other = pair(4000, 4000)
    truth = 100 * (one.mean() - other.mean())
    found = [difference(*pair(3, 150)) for _ in range(400)]
    assert 0.90 <= np.mean([low <= truth <= high for _, low, high in found]) <= 0.995
