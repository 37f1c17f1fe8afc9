"""Reads the only run of an experiment with MLflow's client. Arguments: server, experiment, directory for files."""

import json
import sys
from pathlib import Path

import mlflow

uri, experiment, directory = sys.argv[1:]
mlflow.set_tracking_uri(uri)
client = mlflow.MlflowClient(uri)
found = client.get_experiment_by_name(experiment)
[run] = client.search_runs([found.experiment_id])
names = [file.path for file in client.list_artifacts(run.info.run_id)]
files = {name: Path(client.download_artifacts(run.info.run_id, name, directory)).read_text() for name in names}
print(json.dumps({
    "name": run.info.run_name,
    "status": run.info.status,
    "params": run.data.params,
    "tags": run.data.tags,
    "metrics": {
        name: [[metric.step, metric.value] for metric in client.get_metric_history(run.info.run_id, name)]
        for name in run.data.metrics
    },
    "files": files,
}))
