"""Executes a notebook in Jupyter and reports its progress to execute.ts, one JSON object per line.

Usage: execute.py NOTEBOOK EXECUTED DIRECTORY KERNEL

Stops at the first cell that fails. EXECUTED is written even then, with the outputs so far. SIGTERM and SIGINT end the
kernel, then this program.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from queue import Empty

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

# How long to wait for outputs that Deno's kernel sends after it has reported a cell as done, in seconds.
LATE_S = 0.1


def tell(**event):
    print(json.dumps(event), flush=True)


async def take_late_outputs(client, cell, index):
    while True:
        try:
            message = await client.kc.get_iopub_msg(timeout=LATE_S)
        except Empty:
            return
        if message["header"]["msg_type"] != "status":
            client.process_message(message, cell, index)


async def execute_cells(client):
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type != "code":
            continue
        began = time.monotonic()
        tell(event="begin", cell=index)
        try:
            await client.async_execute_cell(cell, index)
        except CellExecutionError as error:
            trace = "\n".join(cell.outputs[-1].get("traceback", [])) if cell.outputs else ""
            tell(event="error", cell=index, name=error.ename, message=error.evalue, trace=trace)
            return False
        except DeadKernelError:
            tell(event="error", cell=index, name="DeadKernel", message="the kernel ended while the cell ran", trace="")
            return False
        await take_late_outputs(client, cell, index)
        tell(event="end", cell=index, seconds=time.monotonic() - began)
    return True


async def execute(source, directory, kernel):
    notebook = nbformat.read(source, as_version=4)
    client = NotebookClient(notebook, timeout=None, kernel_name=kernel, resources={"metadata": {"path": directory}})
    client.create_kernel_manager()
    try:
        await client.async_start_new_kernel()
        tell(event="kernel", pid=client.km.provisioner.pid)
        await client.async_start_new_kernel_client()
        client.reset_execution_trackers()
        return await execute_cells(client), notebook
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        if client.km is not None and client.km.has_kernel:
            await client.km.shutdown_kernel(now=True)


async def main(source, target, directory, kernel):
    task = asyncio.ensure_future(execute(source, directory, kernel))
    # The process may receive two signals; the kernel is ended only once.
    cancel_once = iter([task.cancel])
    for name in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows does not support signal handlers.
            asyncio.get_running_loop().add_signal_handler(name, lambda: next(cancel_once, lambda: None)())
    try:
        done, notebook = await task
    except asyncio.CancelledError:
        return 130
    nbformat.write(notebook, target)
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
