"""What trackio has of the one run of a project, read by its own client of the database. Arguments: the project and the run."""

import json
import sys

from trackio.sqlite_storage import SQLiteStorage

project, run = sys.argv[1:]
print(json.dumps({
    "logs": SQLiteStorage.get_logs(project, run),
    "config": SQLiteStorage.get_run_config(project, run),
}, default=str))
