"""Serves trackio's dashboard on a port until its standard input ends; the first line that it prints is its URL for writers."""

import json
import sys

import trackio

_, url, _, full = trackio.show(open_browser=False, block_thread=False, host="127.0.0.1", server_port=int(sys.argv[1]))
print(json.dumps(full or url), flush=True)
sys.stdin.read()
