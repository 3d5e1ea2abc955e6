# Where no file system is shared, as on Kubernetes, results go through a storage: Snakemake fetches the inputs of a job to
# copies in a folder of its own and takes its outputs from there. Without a storage nothing here changes anything.
import contextlib

STORED = workflow.storage_settings.default_storage_provider is not None


def repository(path):
    """A file of this repository as an input. It comes with the code, so it is not looked for in the storage."""
    if STORED:
        return workflow.source_path(f"../../{path}")
    return str(ROOT / path) if ELSEWHERE else path


# Steps know files by their paths in the project: in the folder of a job, links lead from there to the copies.
if STORED and workflow.remote_exec:
    for FOLDER in (PATHS.results, PATHS.figures):
        COPIES = Path(workflow.modifier.path_modifier.apply_default_storage(FOLDER)).absolute()
        COPIES.mkdir(parents=True, exist_ok=True)
        Path(FOLDER).parent.mkdir(exist_ok=True)
        with contextlib.suppress(FileExistsError):  # jobs of a group share the folder
            Path(FOLDER).symlink_to(COPIES)
