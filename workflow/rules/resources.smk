# What a job asks a cluster for: memory (MB) and time (minutes), more with each attempt. Nothing here changes a result.
#
# Measured peaks of memory, all editions so far: 810 MB where networks run on a CPU, 760 MB for checks and toys. Drivers
# and libraries of a GPU take about two gigabytes more of the host's memory; those and what data need are not measured.
# Times: what `plan` forecasts at the rate of config `plan`, six times over, since small networks are far from that rate,
# beside half an hour. A training that runs out of time goes on from its resume point, an attack starts anew.
NETWORK_MB = 3000
SMALL_MB = 1500
COPIES = 4  # of the prepared data, at most, while they are read
SPARE = 6
NETWORK_MINUTES = 30
SMALL_MINUTES = 15
FORECAST = Forecast(PLAN)


def small_memory(wildcards, attempt):
    """Megabytes of a step that draws, checks or trains toys."""
    return SMALL_MB * attempt


def small_runtime(wildcards, attempt):
    """Minutes of a step that draws, checks or trains toys."""
    return SMALL_MINUTES * 2 ** (attempt - 1)


def data_memory(wildcards, attempt):
    """Megabytes of a step that holds a data set, and of one that runs networks on it."""
    extent = FORECAST.extents.get(wildcards.dataset)
    held = extent.prepared if extent and not extent.encoded else 0
    return attempt * (NETWORK_MB + math.ceil(COPIES * held / MEGA))


def network_runtime(work):
    """Minutes of a step, of what it runs: ``work`` of its wildcards."""

    def minutes(wildcards, attempt):
        rate = config["plan"]["gpu_tflops"] * TERA if gpus(wildcards) else config["plan"]["cpu_gflops"] * GIGA
        forecast = 60 * hours(FORECAST.flop(work(wildcards)), rate)
        return math.ceil((NETWORK_MINUTES + SPARE * forecast) * 2 ** (attempt - 1))

    return minutes


def models_of(wildcards, seeds=None):
    """The networks of a job."""
    return frozenset(Model(run_of(wildcards), int(seed)) for seed in seeds or seeds_of(wildcards))


def trained(wildcards):
    return Work(models=models_of(wildcards))


def attacked(names):
    """What a job of attacks runs."""

    def work(wildcards):
        return Work(
            records=frozenset(
                Record(model, split, name)
                for model in models_of(wildcards)
                for name in names
                for split in PLAN.splits[name]
            )
        )

    return work


def diagnosed(wildcards):
    return Work(diagnoses=models_of(wildcards, diagnosed_seeds_of(wildcards)))


def surveyed(wildcards):
    return Work(landscapes=frozenset((run_of(wildcards), method) for method in LANDSCAPE_METHODS))


def embedded(wildcards):
    return Work(embeddings=models_of(wildcards))


def embedded_attacked(wildcards):
    return Work(attacked_embeddings=frozenset((model, wildcards.attack) for model in models_of(wildcards)))


def differentiated(wildcards):
    return Work(sensitivities=models_of(wildcards))
