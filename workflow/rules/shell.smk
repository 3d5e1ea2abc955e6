# How commands run here: which Python, on which device, in which process.
import json
import shlex

from snakemake.settings.types import DeploymentMethod

DEPLOYED = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
# Steps find the package by its path in every environment, without an installation.
# In a rule `python` is the one that runs Snakemake, unless the rule's own environment is deployed.
# `warm_python` forks a step from a process that has imported what is slow to import (warm.py), on this
# machine's CPU; elsewhere the two are the same.
# `device_python N` runs a step that computes on the device, with N GPUs: on this machine it leases one (lease.py), so
# that steps that run at once do not share it, or hides them all; on a cluster's node the job has its own already.
PYTHON = "python" if DEPLOYED else sys.executable
WARM = [] if DEPLOYED or workflow.remote_exec else ["workflow/scripts/warm.py"]
LEASE = f"python workflow/scripts/lease.py --jobs-per-device {config['gpu_jobs_per_device']}"
ON_DEVICE = (
    'shift; warm_python "$@"'
    if workflow.remote_exec
    else f'local gpus=$1; shift; if [ "$gpus" = 0 ]; then CUDA_VISIBLE_DEVICES= warm_python "$@"; else {LEASE} "$@"; fi'
)
# Commands name scripts by their paths in the project.
ARGUMENTS = f'"${{{{@/#workflow\\/scripts/{shlex.quote(str(ROOT))}/workflow/scripts}}}}"' if ELSEWHERE else '"$@"'
# DEVICE, CACHE, MIRRORS, RESUME_EVERY, WORKERS and PREFETCH change where and how a step runs, not what comes out, so
# they are no params and make nothing stale. Braces are doubled: Snakemake formats the prefix like a command.
shell.prefix(
    f"export PYTHONPATH={shlex.quote(str(ROOT / 'src'))}${{{{PYTHONPATH:+:$PYTHONPATH}}}}; "
    f"python() {{{{ command {shlex.quote(PYTHON)} {ARGUMENTS}; }}}}; "
    f"warm_python() {{{{ python {' '.join(WARM)} \"$@\"; }}}}; "
    f"device_python() {{{{ {ON_DEVICE}; }}}}; "
    f"DEVICE={config['device']}; CACHE={shlex.quote(config['data']['cache'])}; "
    f"MIRRORS={shlex.quote(json.dumps(config['data']['mirrors']))}; "
    f"RESUME_EVERY={config['training']['resume_every_seconds']}; "
    f"WORKERS={config['data']['workers']}; PREFETCH={config['data']['prefetch']}; "
)


def gpus(wildcards):
    """How many GPUs a step asks for. The nodes of a cluster have what the machine that submits may lack."""
    elsewhere = workflow.remote_exec or not workflow.local_exec
    return devices.gpus_wanted(config["device"], elsewhere)
