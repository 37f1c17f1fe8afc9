/**
 * Parses the tool calls of Hermes and compatible models, with or without line breaks around the object:
 *
 *     <tool_call>{"name": "get_order_details", "arguments": {"order_id": "#W1"}}</tool_call>
 *
 * The last call may lack its closing tag. If one call is not valid JSON, all calls are rejected.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/hermes_detector.py`.
 */

import { readJson, takeJsonCalls } from "./_json_call.ts";
import { blocksBetween, pythonStrip } from "./_python_text.ts";
import {
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
  UnreadableCalls,
} from "./tool_call_format.ts";

const START = "<tool_call>";
const END = "</tool_call>";

/** Parses the calls in a text. Text before the first call is kept, and text between and after calls is dropped. */
export function parseHermes(text: string, tools?: KnownTools): ParsedText {
  const start = text.indexOf(START);
  if (start < 0) return plainText(text);
  return collectCalls(pythonStrip(text.slice(0, start)), tools, (sink) => {
    for (const { body } of blocksBetween(text, START, END)) {
      if (body === "") continue;
      const value = readJson(pythonStrip(body), (fault) => {
        throw new UnreadableCalls(fault);
      });
      if (value !== undefined) takeJsonCalls(value, sink);
    }
  });
}
