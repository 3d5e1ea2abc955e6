# What jobs ask a cluster for (lossproof.planning.resources), as functions of their wildcards.
FORECAST = Forecast(PLAN)


def small_memory(wildcards, attempt):
    return resources.small_memory(attempt)


def small_runtime(wildcards, attempt):
    return resources.small_runtime(attempt)


def data_memory(wildcards, attempt):
    return resources.data_memory(FORECAST, wildcards.dataset, attempt)


def network_runtime(work):
    """Minutes of a step that runs networks; ``work`` says of its wildcards what."""
    return lambda wildcards, attempt: resources.network_runtime(
        FORECAST, work(wildcards), bool(gpus(wildcards)), attempt
    )


def models_of(wildcards, seeds=None):
    return frozenset(Model(run_of(wildcards), int(seed)) for seed in seeds or seeds_of(wildcards))


def trained(wildcards):
    return Work(models=models_of(wildcards))


def attacked(names):
    """What a job makes the attacks ``names`` of."""
    return lambda wildcards: Work(
        records=frozenset(
            Record(model, split, name)
            for model in models_of(wildcards)
            for name in names
            for split in PLAN.splits[name]
        )
    )


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
