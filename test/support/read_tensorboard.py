"""Reads a directory of event files with TensorBoard: scalars as [step, value], texts, and the table of settings."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

events = EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "scalars": 0})
events.Reload()
tags = events.Tags()
found = {"scalars": {}, "texts": {}, "settings": {}}
for tag in tags["scalars"]:
    found["scalars"][tag] = [[event.step, event.value] for event in events.Scalars(tag)]
for tag in tags["tensors"]:
    plugin = events.SummaryMetadata(tag).plugin_data
    if plugin.plugin_name == "text":
        found["texts"][tag] = [event.tensor_proto.string_val[0].decode() for event in events.Tensors(tag)]
    elif plugin.plugin_name == "scalars":
        found["scalars"][tag] = [[event.step, event.tensor_proto.float_val[0]] for event in events.Tensors(tag)]
for tag in events.PluginTagToContent("hparams"):
    content = events.PluginTagToContent("hparams")[tag]
    if tag == metadata.SESSION_START_INFO_TAG:
        start = metadata.parse_session_start_info_plugin_data(content)
        for name, value in start.hparams.items():
            found["settings"][name] = getattr(value, value.WhichOneof("kind"))
    elif tag == metadata.SESSION_END_INFO_TAG:
        found["status"] = metadata.parse_session_end_info_plugin_data(content).status
print(json.dumps(found))
