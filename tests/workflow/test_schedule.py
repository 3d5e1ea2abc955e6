"""The simulated scheduler on graphs that can be reckoned by hand."""

from __future__ import annotations

from graphlib import CycleError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scale.schedule import Task, behind, busy, critical_path, makespan

CORES = {"cores": 2}


def tasks(*given):
    return dict(enumerate(given))


def test_a_chain_takes_the_sum_of_its_tasks_on_any_machine():
    chain = tasks(Task(3.0), Task(4.0, frozenset([0])), Task(5.0, frozenset([1])))
    assert [makespan(chain, {"cores": count}) for count in (1, 2, 9)] == [12.0] * 3
    assert critical_path(chain) == 12.0


@pytest.mark.parametrize(("cores", "seconds"), [(1, 12.0), (2, 6.0), (4, 4.0), (6, 2.0), (9, 2.0)])
def test_a_fan_takes_as_many_rounds_as_it_must(cores, seconds):
    fan = tasks(*[Task(2.0)] * 6)
    assert makespan(fan, {"cores": cores}) == seconds
    assert critical_path(fan) == 2.0


def test_the_last_task_of_a_diamond_waits_for_the_longer_side():
    diamond = tasks(Task(1.0), Task(5.0, frozenset([0])), Task(2.0, frozenset([0])), Task(1.0, frozenset([1, 2])))
    assert makespan(diamond, CORES) == critical_path(diamond) == 7.0
    assert makespan(diamond, {"cores": 1}) == busy(diamond, "cores") == 9.0


def test_a_task_waits_for_each_resource_that_it_takes():
    on_gpu = Task(4.0, takes={"cores": 1, "gpus": 1})
    mixed = tasks(on_gpu, on_gpu, Task(4.0), Task(4.0))
    # The one GPU serves two tasks in turn, and the other core the rest meanwhile.
    assert makespan(mixed, {"cores": 2, "gpus": 1}) == 8.0
    assert makespan(mixed, {"cores": 4, "gpus": 2}) == 4.0
    assert makespan(mixed, {"cores": 1, "gpus": 2}) == 16.0
    assert (busy(mixed, "gpus"), busy(mixed, "cores")) == (8.0, 16.0)


def test_cores_that_a_wide_task_takes_are_not_there_for_others():
    wide = tasks(Task(3.0, takes={"cores": 2}), Task(3.0), Task(3.0))
    assert makespan(wide, CORES) == 6.0


def test_what_is_more_urgent_starts_first():
    # The long chain hangs on the urgent task: started last, it would end at 1 + 1 + 9.
    urgent = Task(1.0, priority=20)
    graph = tasks(Task(1.0), Task(1.0), urgent, Task(9.0, frozenset([2])))
    assert {makespan(graph, {"cores": 1}, seed=draw) for draw in range(9)} == {12.0}
    assert {makespan(graph, CORES, seed=draw) for draw in range(9)} == {10.0}
    even = {**graph, 2: Task(1.0)}
    assert {makespan(even, CORES, seed=draw) for draw in range(9)} == {10.0, 11.0}


def test_of_many_ready_tasks_only_some_are_looked_at():
    graph = tasks(*[Task(1.0)] * 40, Task(1.0, priority=20), Task(40.0, frozenset([40]), priority=20))
    assert {makespan(graph, CORES, seed=draw) for draw in range(9)} == {41.0}
    # An urgent task that is not among them has to wait.
    assert max(makespan(graph, CORES, looked_at=2, seed=draw) for draw in range(9)) > 41.0
    # And of the two that may start at once, one is looked at: the other starts when the first one ends.
    assert makespan(tasks(Task(1.0), Task(1.0)), CORES, looked_at=1) == 2.0


def test_tasks_without_duration_hold_nothing_up():
    graph = tasks(Task(0.0), Task(2.0, frozenset([0])), Task(0.0, frozenset([0, 1])))
    assert makespan(graph, {"cores": 1}) == critical_path(graph) == 2.0
    assert makespan({}, {"cores": 1}) == critical_path({}) == 0.0


def test_a_task_that_fits_nowhere_is_named():
    with pytest.raises(ValueError, match=r"^job 7 takes 5 cores, there are 2$"):
        makespan({7: Task(1.0, takes={"cores": 5})}, CORES)
    assert makespan({7: Task(1.0, takes={"cores": 5}).within(2)}, CORES) == 1.0
    with pytest.raises(ValueError, match=r"^job 0 takes 1 gpus, there are 0$"):
        makespan(tasks(Task(1.0, takes={"gpus": 1})), CORES)


def test_a_ring_has_no_longest_chain():
    with pytest.raises(CycleError):
        critical_path(tasks(Task(1.0, frozenset([1])), Task(1.0, frozenset([0]))))


def test_what_stands_behind_a_task():
    graph = tasks(Task(1.0), Task(1.0), Task(1.0, frozenset([0])), Task(1.0, frozenset([2])))
    assert [*behind(graph, 3)] == [0, 2, 3]


@st.composite
def graphs(draw):
    """Tasks that wait for some of those before them."""
    count = draw(st.integers(1, 12))
    return tasks(
        *(
            Task(
                draw(st.integers(0, 9)) * 1.0,
                frozenset(draw(st.sets(st.integers(0, at - 1), max_size=3)) if at else ()),
                {"cores": draw(st.integers(1, 2))},
                draw(st.sampled_from([0, 10, 20])),
            )
            for at in range(count)
        )
    )


@settings(max_examples=200, deadline=None)
@given(graphs(), st.integers(2, 5), st.sampled_from([None, 1, 3]), st.integers(0, 3))
def test_no_schedule_beats_the_longest_chain_or_the_work(graph, cores, looked_at, seed):
    took = makespan(graph, {"cores": cores}, looked_at=looked_at, seed=seed)
    work = busy(graph, "cores")
    assert max(critical_path(graph), work / cores) <= took <= sum(task.seconds for task in graph.values())
    single = {name: task.within(1) for name, task in graph.items()}
    assert makespan(single, {"cores": 1}, looked_at=looked_at, seed=seed) == busy(single, "cores")
