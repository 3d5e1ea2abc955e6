"""Jobs of a plan on several GPUs: graphs that can be reckoned by hand, and the test edition's."""

from __future__ import annotations

from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editions import edition, plan
from lossproof.planning.forecast import Forecast
from lossproof.planning.plan_text import plan_text
from lossproof.planning.schedule import Job, bound, greedy, jobs_of, longest_chain

CHAIN = {"a": Job(3), "b": Job(4, frozenset("a")), "c": Job(5, frozenset("b"))}
FAN = {name: Job(2) for name in "abcdef"}
DIAMOND = {"a": Job(1), "b": Job(5, frozenset("a")), "c": Job(2, frozenset("a")), "d": Job(1, frozenset("bc"))}
# The long chain must begin at once, though shorter jobs come first by name.
MIXED = {"a": Job(2), "b": Job(2), "y": Job(3), "z": Job(3, frozenset("y"))}
# On two GPUs the last long job finds both taken: greedy ends at 7, the best schedule at 6.
GREEDY = {"a": Job(3), "b": Job(3), "c": Job(2), "d": Job(2), "e": Job(2)}


@pytest.mark.parametrize(
    ("jobs", "gpus", "least", "took"),
    [
        *((CHAIN, gpus, 12, 12) for gpus in (1, 2, 9)),
        *((FAN, gpus, least, took) for gpus, least, took in ((1, 12, 12), (2, 6, 6), (4, 3, 4), (6, 2, 2), (9, 2, 2))),
        *((DIAMOND, gpus, least, least) for gpus, least in ((1, 9), (2, 7), (3, 7))),
        *((MIXED, gpus, least, took) for gpus, least, took in ((1, 10, 10), (2, 6, 6))),
        (GREEDY, 2, 6, 7),
        ({"a": Job(0), "b": Job(0, frozenset("a"))}, 1, 0, 0),
        ({}, 3, 0, 0),
    ],
)
def test_small_graphs_by_hand(jobs, gpus, least, took):
    assert bound(jobs, gpus) == least
    assert greedy(jobs, gpus) == took


def test_the_longest_chain_is_named_in_its_order():
    assert longest_chain(CHAIN) == ["a", "b", "c"]
    assert longest_chain(DIAMOND) == ["a", "b", "d"]
    assert longest_chain(MIXED) == ["y", "z"]
    assert longest_chain({}) == []
    with pytest.raises(CycleError):
        longest_chain({"a": Job(1, frozenset("b")), "b": Job(1, frozenset("a"))})


@st.composite
def graphs(draw):
    """Up to ten jobs, each after some of those before it."""
    jobs = {}
    for at in range(draw(st.integers(1, 10))):
        after = draw(st.frozensets(st.sampled_from(sorted(jobs)))) if jobs else frozenset()
        jobs[f"job{at}"] = Job(draw(st.integers(0, 20)), after)
    return jobs


@given(jobs=graphs(), gpus=st.integers(1, 5))
def test_a_greedy_schedule_lies_between_the_bound_and_twice_the_bound(jobs, gpus):
    took = greedy(jobs, gpus)
    assert bound(jobs, gpus) <= took <= 2 * bound(jobs, gpus)
    assert took == greedy(dict(reversed(jobs.items())), gpus)
    assert greedy(jobs, 1) == sum(job.hours for job in jobs.values())
    assert greedy(jobs, len(jobs)) == sum(jobs[name].hours for name in longest_chain(jobs))


@pytest.mark.parametrize("seeds", ["all", "one"])
def test_the_jobs_of_the_test_edition(seeds):
    made = plan(edition("test"), cli={"seeds_per_job": seeds})
    forecast = Forecast(made)
    jobs = jobs_of(forecast)
    whole = forecast.amount(forecast.whole)
    rate = made.config["plan"]["gpu_tflops"] * 1e12
    total = (whole.training_flop + whole.attack_flop) / rate / 3600
    assert sum(job.hours for job in jobs.values()) == pytest.approx(total)
    assert {name for job in jobs.values() for name in job.after} <= jobs.keys()
    counts = {"all": len(made.runs), "one": len(forecast.whole.models)}
    assert sum(name.startswith(("train ", "rescale ")) for name in jobs) == counts[seeds]
    seed = " seed0" if seeds == "one" else ""
    first = next(run for run in made.diagnosed if made.twin(run))
    twin = made.twin(first)
    kinds = ["rescale" if one.training in made.config["controls"] else "train" for one in (first, twin)]
    assert jobs[f"diagnose {first}{seed}"].after == {f"{kinds[0]} {first}{seed}", f"{kinds[1]} {twin}{seed}"}
    control = next(run for run in made.runs if made.made_from(run))
    assert jobs[f"rescale {control}{seed}"].after == {f"train {base}{seed}" for base in made.made_from(control)}
    run, attack = next(pair for pair in made.attacks if made.substitute(*pair))
    bundle = next(name for name, members in made.config["bundles"].items() if attack in members)
    network = {f"{kind} {one}{seed}" for kind in ("train", "rescale") for one in (run, made.substitute(run, attack))}
    assert len(jobs[f"attack_{bundle} {run}{seed}"].after & network) == 2
    assert all(job.after for name, job in jobs.items() if not name.startswith("train "))
    for gpus in (1, 2, 8, 1000):
        assert bound(jobs, gpus) * (1 - 1e-9) <= greedy(jobs, gpus) <= 2 * bound(jobs, gpus)
    assert greedy(jobs, 3) == greedy(jobs_of(Forecast(plan(edition("test"), cli={"seeds_per_job": seeds}))), 3)


@pytest.mark.parametrize(
    ("gpus", "says"),
    [(1, "On 1 GPU (plan.gpus): at least"), (8, "h (bound: the total / 8)"), (99_999, "h (bound: the longest chain)")],
)
def test_the_plan_tells_the_hours(gpus, says):
    told = plan_text(Forecast(plan(edition("test"), cli={"plan": {"gpus": gpus, "gpu_tflops": 1e-6}})))
    told = " ".join(told.split())
    assert says in told
    assert "by a greedy schedule of 335 jobs. Longest chain, " in told
    assert "h: train digits_colour/vgg13/pc+at, then attack_colour digits_colour/vgg13/pc+at." in told
