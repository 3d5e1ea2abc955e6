"""The forecast of an edition as text for a terminal: a line per exhibit, a total, and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from lossproof.planning.cost import GIGA, MEGA, TERA, hours
from lossproof.planning.forecast import Amount, Forecast, Model
from lossproof.planning.schedule import bound, greedy, jobs_of, longest_chain
from lossproof.settings.resolved import all_epochs

WIDTH = 118
LEAST = 0.001
HEADS = (
    ("", "exhibit"),
    ("models", "(shared)"),
    ("attack", "records"),
    ("training", "M passes"),
    ("attack", "M passes"),
    ("toy", "nets"),
    ("loss", "surfaces"),
    ("training", "CPU h"),
    ("training", "GPU h"),
    ("attack", "CPU h"),
    ("attack", "GPU h"),
    ("disk", ""),
)


def plan_text(forecast: Forecast) -> str:
    """The whole text, wrapped for a wide terminal."""
    plan = forecast.plan
    made, config = plan.made, plan.config
    title = (
        f"Plan of the edition '{config['edition']}' (protocol {config['protocol']}, {config['seeds']} seeds): "
        f"{len(made)} of {len(plan.exhibits)} exhibits. Nothing has been run."
    )
    amounts = {name: forecast.amount(work) for name, work in forecast.work.items()}
    worked = {name: amount for name, amount in amounts.items() if amount.models or amount.toys}
    rows = [_row(name, amount, forecast) for name, amount in worked.items()]
    total = forecast.amount(forecast.whole)
    rows.append(_row("total, shared once", total, forecast))
    parts = [[title], list(_table(rows))]
    checks = [name for name in amounts if name not in worked]
    if checks:
        parts.append(_wrapped(f"Checks and equations only: {', '.join(checks)}."))
    left = [
        line
        for name, why in (plan.missing | plan.in_part).items()
        for line in _wrapped(f"  {name}: {why}", indent="    ")
    ]
    if left:
        parts.append(["Skipped, or made in part:", *left])
    if forecast.whole.models:
        parts.append(["Networks (* serves several exhibits):", *_networks(forecast)])
        parts.append(list(_data(forecast)))
        parts.append(_on_gpus(forecast))
    parts.append(list(_reading(forecast, total)))
    return "\n\n".join("\n".join(part) for part in parts)


def _row(name: str, amount: Amount, forecast: Forecast) -> list[str]:
    rates = forecast.plan.config["plan"]
    speeds = (rates["cpu_gflops"] * GIGA, rates["gpu_tflops"] * TERA)
    return [
        name,
        f"{amount.models:,} ({amount.shared:,})" if amount.models else "-",
        _count(amount.records),
        _few(amount.training_passes / MEGA),
        _few(amount.attack_passes / MEGA),
        _count(amount.toys),
        _count(amount.landscapes),
        *(_few(hours(amount.training_flop, speed)) for speed in speeds),
        *(_few(hours(amount.attack_flop, speed)) for speed in speeds),
        size(amount.disk) if amount.disk else "-",
    ]


def _count(number: int) -> str:
    return f"{number:,}" if number else "-"


def _few(number: float) -> str:
    """About two digits: 12,345.6 -> 12,346; 1.234 -> 1.2; 0.0123 -> 0.012."""
    if number < LEAST:
        return f"<{LEAST}" if number > 0 else "-"
    return f"{number:,.0f}" if number >= 10 else f"{number:.1f}" if number >= 1 else f"{number:.2g}"


def size(number: float) -> str:
    """Bytes in the largest unit that leaves at least 1, e.g. '1.2 GB'."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:,.3g} TB"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they must be, the first to the left, a rule above the total."""
    heads = list(zip(*HEADS, strict=True))
    widths = [max(len(row[at]) for row in (*heads, *rows)) for at in range(len(HEADS))]

    def line(cells: Sequence[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return "  ".join([cells[0].ljust(widths[0]), *numbers]).rstrip()

    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    yield from (*map(line, heads), rule, *map(line, rows[:-1]), rule, line(rows[-1]))


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _networks(forecast: Forecast) -> Iterator[str]:
    """A line per data set, architecture and number of epochs, with the trainings."""
    groups: dict[tuple[str, str, int], list[str]] = {}
    for run in forecast.plan.runs:
        key = (run.dataset, run.arch, all_epochs(forecast.settings[run]))
        # Seed 0 is trained for every exhibit that uses a run.
        mark = "*" if forecast.users[Model(run, 0)] > 1 else ""
        groups.setdefault(key, []).append(run.training + mark)
    for (dataset, arch, epochs), trainings in groups.items():
        yield f"  {dataset} / {arch}, {epochs} epochs: {', '.join(trainings)}"


def _data(forecast: Forecast) -> Iterator[str]:
    """What each data set is and what must be fetched for it."""
    extents = forecast.extents
    known = [extent.download for extent in extents.values() if extent and extent.download and not extent.by_hand]
    more = any(extent is None or (extent.download is None and not extent.by_hand) for extent in extents.values())
    fetched = f"to fetch, where data.cache does not hold it: {size(sum(known))}" if known else "nothing to fetch"
    yield f"Data ({fetched}{', and sets of unknown size' if more else ''}):"
    for name, extent in extents.items():
        if extent is None:
            yield f"  {name}: number of images not known before it is prepared"
            continue
        fetched = "to be put there by hand, see README" if extent.by_hand else "size of the download not known"
        if not extent.by_hand and extent.download is not None:
            fetched = f"download {size(extent.download)}" if extent.download else "nothing to download"
        form = f"{extent.image_size}x{extent.image_size}x{extent.channels}"
        yield f"  {name}: {extent.train:,} + {extent.test:,} images of {form}, {extent.classes} classes; {fetched}"


def _on_gpus(forecast: Forecast) -> list[str]:
    """How long all jobs take on the GPUs of config ``plan``, at least and by one schedule."""
    gpus, jobs = forecast.plan.config["plan"]["gpus"], jobs_of(forecast)
    chain = longest_chain(jobs)
    alone = sum(jobs[name].hours for name in chain)
    least = bound(jobs, gpus)
    why = "the longest chain" if least <= alone else f"the total / {gpus}" if gpus > 1 else "the total"
    return _wrapped(
        f"On {gpus:,} GPU{'s' if gpus > 1 else ''} (plan.gpus): at least {_few(least)} h (bound: {why}), "
        f"{_few(greedy(jobs, gpus))} h by a greedy schedule of {len(jobs):,} jobs. "
        f"Longest chain, {_few(alone)} h: {', then '.join(chain)}."
    )


def _reading(forecast: Forecast, total: Amount) -> Iterator[str]:
    """How the numbers were made."""
    rates = forecast.plan.config["plan"]
    said = [
        f"CPU h: one core at {rates['cpu_gflops']:g} GFLOP/s effective (plan.cpu_gflops; benchmarks/plan.py measures "
        "it; networks as small as LeNet-5 reach a third).",
        f"GPU h: assumes {rates['gpu_tflops']:g} TFLOP/s effective on one GPU (plan.gpu_tflops), which small "
        "networks and images will not reach.",
        "A pass is an image going forward and backward; evaluations are in the hours too, and loss "
        "surfaces, embeddings and input gradients in those of attacks. Worst-case attacks "
        "stop with an image once it is fooled, so theirs are upper bounds. Attacks, and toys, of one bundle are run "
        "and counted together.",
        "Not in the hours: toy networks, checks, drawing and each job's start (minutes). Disk: prepared data, models "
        "and outcomes, without the downloads.",
    ]
    scaled = sorted(
        {
            f"{run.arch} at {known[0].image_size} from {known[1].scaled_from} pixels"
            for run, known in forecast.networks.items()
            if not isinstance(known, str) and known[1].scaled_from
        }
    )
    if scaled:
        said.append(f"Scaled by the number of pixels, not counted: {', '.join(scaled)}.")
    if total.uncounted:
        said.append(f"NOT in the sums, because it is not known: {'; '.join(sorted(total.uncounted))}.")
    for one in said:
        yield from _wrapped(one)
