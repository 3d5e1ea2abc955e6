"""A logger plugin that writes what Snakemake says of each job as a line of JSON; its messages have no other such form.

Snakemake finds it where the folder above is on PYTHONPATH: ``-n --logger joblist --logger-joblist-file FILE``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from logging import LogRecord
from pathlib import Path

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    file: Path | None = field(default=None, metadata={"help": "where to write", "required": True, "type": Path})


class LogHandler(LogHandlerBase):
    """Appends a line per job that is announced."""

    writes_to_stream = False
    writes_to_file = True
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        assert isinstance(self.settings, LogHandlerSettings) and self.settings.file
        self.baseFilename = str(self.settings.file)  # Snakemake tells the user where a log file lies
        self.lines = self.settings.file.open("w", encoding="utf-8")

    def emit(self, record: LogRecord) -> None:
        said = vars(record)
        if said.get("event") != LogEvent.JOB_INFO:
            return
        job = {
            "id": said["jobid"],
            "rule": said["rule_name"],
            "inputs": [*said["input"]],
            "outputs": [*said["output"]],
            "threads": said["threads"],
            "gpus": said["resources"].get("gpu", 0),
            "priority": said["priority"],
        }
        self.lines.write(json.dumps(job) + "\n")

    def close(self) -> None:
        self.lines.close()
        super().close()
