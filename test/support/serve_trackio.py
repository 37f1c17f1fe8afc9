"""Serves trackio's dashboard on a port until stdin ends. The first line of output is the URL for writers."""

import json
import sys

import trackio

_, url, _, full = trackio.show(open_browser=False, block_thread=False, host="127.0.0.1", server_port=int(sys.argv[1]))
print(json.dumps(full or url), flush=True)
sys.stdin.read()
