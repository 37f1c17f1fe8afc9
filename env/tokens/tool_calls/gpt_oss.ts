/**
 * Parses the tool calls of gpt-oss, which are messages to functions in the Harmony format:
 *
 *     <|start|>assistant<|channel|>commentary to=functions.look <|constrain|>json<|message|>{"id": 1}<|call|>
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/gpt_oss_detector.py`.
 */

import { harmonyEvents } from "./_harmony.ts";
import { readJson, takeCall } from "./_json_call.ts";
import { PYTHON_SPACE, pythonStrip } from "./_python_text.ts";
import {
  type CallSink,
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
} from "./tool_call_format.ts";

const START = "<|start|>assistant<|channel|>commentary";
const HEADER = new RegExp(
  `to=([a-zA-Z_][a-zA-Z0-9_.-]*)${PYTHON_SPACE}*<\\|constrain\\|>json<\\|message\\|>`,
);
const END = "<|call|>";

/** Parses the calls in a text. Text in other messages is kept, and thoughts are dropped. */
export function parseGptOss(text: string, tools?: KnownTools): ParsedText {
  if (!text.includes(START)) return plainText(text);
  const events = harmonyEvents(text);
  const said = events.filter(({ kind }) => kind === "normal")
    .map((event) => event.text).join(" ");
  return collectCalls(pythonStrip(said), tools, (sink) => {
    const calls = events.filter(({ kind }) => kind === "call");
    if (calls.length === 0) {
      sink.skipped.push(`A call begins but does not end with ${END}`);
    }
    for (const call of calls) readCall(call.text, sink);
  });
}

function readCall(text: string, sink: CallSink): void {
  const header = HEADER.exec(text);
  if (header === null) {
    sink.skipped.push(
      `A call must have to=functions.NAME <|constrain|>json before its <|message|>`,
    );
    return;
  }
  const begin = header.index + header[0].length;
  const end = text.indexOf(END, begin);
  const json = text.slice(begin, end < 0 ? text.length : end);
  const given = pythonStrip(json) === ""
    ? new Map()
    : readJson(json, (fault) => sink.skipped.push(fault));
  const name = header[1]!.slice(header[1]!.lastIndexOf(".") + 1);
  if (given !== undefined) takeCall(name, given, sink);
}
