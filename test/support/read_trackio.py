"""Reads a run of a project with trackio's own database client. Arguments: project and run."""

import json
import sys

from trackio.sqlite_storage import SQLiteStorage

project, run = sys.argv[1:]
print(json.dumps({
    "logs": SQLiteStorage.get_logs(project, run),
    "config": SQLiteStorage.get_run_config(project, run),
}, default=str))
