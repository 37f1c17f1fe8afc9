/**
 * Parses the tool calls of DeepSeek V3, which are enclosed in control tokens:
 *
 *     <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_order_details
 *     ```json
 *     {"order_id": "#W1"}
 *     ```<｜tool▁call▁end｜><｜tool▁calls▁end｜>
 *
 * If one call is malformed, all calls are rejected. A call without its end token is skipped.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/deepseekv3_detector.py`.
 */

import { isPythonTrue, readJson, takeCall } from "./_json_call.ts";
import { blocksBetween, pythonStrip } from "./_python_text.ts";
import {
  type CallSink,
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
  UnreadableCalls,
} from "./tool_call_format.ts";

const CALLS_START = "<｜tool▁calls▁begin｜>";
const CALL_START = "<｜tool▁call▁begin｜>";
const CALL_END = "<｜tool▁call▁end｜>";
const SEPARATOR = "<｜tool▁sep｜>";
const FENCE = "\n```json\n";
const FENCE_END = "\n```";

/** Parses the calls in a text. Text before the first call is kept, and text between and after calls is dropped. */
export function parseDeepseekV3(text: string, tools?: KnownTools): ParsedText {
  const start = text.indexOf(CALLS_START);
  if (start < 0) return plainText(text);
  return collectCalls(pythonStrip(text.slice(0, start)), tools, (sink) => {
    for (const { body, isOpen } of blocksBetween(text, CALL_START, CALL_END)) {
      if (isOpen) {
        sink.skipped.push(`A call begins but does not end with ${CALL_END}`);
      } else readCall(body, sink);
    }
  });
}

/** Parses a call. Its name is between the last separator and the last code fence. */
function readCall(body: string, sink: CallSink): void {
  const inner = body.endsWith(FENCE_END)
    ? body.slice(0, -FENCE_END.length)
    : "";
  const fence = inner.lastIndexOf(FENCE);
  const separator = inner.slice(0, Math.max(0, fence)).lastIndexOf(SEPARATOR);
  if (separator < 0) {
    throw new UnreadableCalls(
      `A call must consist of function${SEPARATOR}NAME and a \`\`\`json block with the arguments`,
    );
  }
  const name = inner.slice(separator + SEPARATOR.length, fence);
  const given = readJson(inner.slice(fence + FENCE.length), (fault) => {
    throw new UnreadableCalls(fault);
  });
  takeCall(
    name,
    given !== undefined && isPythonTrue(given) ? given : new Map(),
    sink,
  );
}
