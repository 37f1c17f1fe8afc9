/**
 * Parses the tool calls of Qwen 2.5 and Qwen 3:
 *
 *     <tool_call>
 *     {"name": "get_order_details", "arguments": {"order_id": "#W1"}}
 *     </tool_call>
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/qwen25_detector.py`, which has the same rules,
 * including the rules for newlines. Unlike SGLang, this parser reports skipped calls with the reason.
 */

import { readJson, takeJsonCalls } from "./_json_call.ts";
import { blocksBetween, pythonStrip } from "./_python_text.ts";
import {
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
} from "./tool_call_format.ts";

/** The beginning of a call. `<tool_call>` without a following newline is plain text. */
export const TOOL_CALL_START = "<tool_call>\n";
/** The end of a call. `</tool_call>` without a preceding newline does not end the call. */
export const TOOL_CALL_END = "\n</tool_call>";

/** Parses the calls in a text. Text before the first call is kept, and text between and after calls is dropped. */
export function parseQwen25(text: string, tools?: KnownTools): ParsedText {
  const start = text.indexOf(TOOL_CALL_START);
  if (start < 0) return plainText(text);
  const normalText = pythonStrip(text.slice(0, start));
  return collectCalls(normalText, tools, (sink) => {
    const { skipped } = sink;
    for (
      const { body, isOpen } of blocksBetween(
        text,
        TOOL_CALL_START,
        TOOL_CALL_END,
      )
    ) {
      if (isOpen) {
        skipped.push(
          `A call begins but does not end: each call must end with a newline and </tool_call>`,
        );
        continue;
      }
      const value = readJson(pythonStrip(body), (fault) => skipped.push(fault));
      if (value !== undefined) takeJsonCalls(value, sink);
    }
  });
}
