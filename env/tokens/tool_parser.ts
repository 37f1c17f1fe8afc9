/**
 * Reads tool calls out of a model's text, in the format of Qwen 2.5 and Qwen 3:
 *
 *     <tool_call>
 *     {"name": "get_order_details", "arguments": {"order_id": "#W1"}}
 *     </tool_call>
 *
 * @see sgl-project/sglang, `python/sglang/srt/function_call/qwen25_detector.py`: the same rules, to the
 * newline. Differs: what was skipped is reported with its reason, and arguments stay values, so integers
 * and floats keep apart, where SGLang prints them as JSON again.
 */

import { messageOf } from "../errors.ts";
import { type JsonValue, parsePythonJson } from "../python/python_json.ts";

/** How a call begins; without its newline the text is plain. */
export const TOOL_CALL_START = "<tool_call>\n";
/** How a call ends; without its newline the text is plain. */
export const TOOL_CALL_END = "\n</tool_call>";

/** A call as the model wrote it. */
export interface ParsedCall {
  readonly name: string;
  /** `parameters` if Python takes it for true, else `arguments`, else an empty object. Of any type. */
  readonly parameters: JsonValue;
}

/** What a model's text holds. */
export interface ParsedText {
  /** The text before the first call, trimmed; the whole text, untouched, where no call begins. */
  readonly normalText: string;
  /** The calls that survived, in order. */
  readonly calls: readonly ParsedCall[];
  /** Whether a call begins anywhere in the text. */
  readonly hasMarker: boolean;
  /** Why blocks or calls were left out, in words that a model can recover by. */
  readonly skipped: readonly string[];
  /** Where SGLang's parser throws, so that nothing of the text can be acted on: why. */
  readonly failure?: string;
}

/**
 * Reads the tool calls in `text`. Never throws.
 * @param toolNames The tools there are; calls of others are left out. Without it, every name passes.
 */
export function parseToolCalls(
  text: string,
  toolNames?: ReadonlySet<string>,
): ParsedText {
  const start = text.indexOf(TOOL_CALL_START);
  if (start < 0) {
    return { normalText: text, calls: [], hasMarker: false, skipped: [] };
  }
  const normalText = pythonStrip(text.slice(0, start));
  const calls: ParsedCall[] = [];
  const skipped: string[] = [];
  const { blocks, unterminated } = findBlocks(text, start);
  try {
    for (const block of blocks) {
      readBlock(block, { toolNames, calls, skipped });
    }
  } catch (error) {
    if (!(error instanceof UnreadableCall)) throw error;
    const failure = error.message;
    return { normalText, calls: [], hasMarker: true, skipped, failure };
  }
  if (unterminated) {
    skipped.push(
      `A call begins but does not end: each call must end with a newline and </tool_call>`,
    );
  }
  return { normalText, calls, hasMarker: true, skipped };
}

/** Where SGLang's parser throws something that it does not catch. */
class UnreadableCall extends Error {}

/** The text between each start and the nearest end after it. */
function findBlocks(
  text: string,
  start: number,
): { blocks: string[]; unterminated: boolean } {
  const blocks: string[] = [];
  while (start >= 0) {
    const from = start + TOOL_CALL_START.length;
    const to = text.indexOf(TOOL_CALL_END, from);
    if (to < 0) return { blocks, unterminated: true };
    blocks.push(pythonStrip(text.slice(from, to)));
    start = text.indexOf(TOOL_CALL_START, to + TOOL_CALL_END.length);
  }
  return { blocks, unterminated: false };
}

interface BlockSink {
  readonly toolNames: ReadonlySet<string> | undefined;
  readonly calls: ParsedCall[];
  readonly skipped: string[];
}

function readBlock(block: string, sink: BlockSink): void {
  let value: JsonValue;
  try {
    value = parsePythonJson(block);
  } catch (error) {
    const reason = messageOf(error);
    sink.skipped.push(`A call is not valid JSON: ${reason}`);
    return;
  }
  for (const item of Array.isArray(value) ? value : [value]) {
    readCall(item, sink);
  }
}

function readCall(value: JsonValue, sink: BlockSink): void {
  if (!(value instanceof Map)) {
    throw new UnreadableCall(
      `A call must be an object with "name" and "arguments", not ${
        kindOf(value)
      }`,
    );
  }
  const name = value.get("name") ?? null;
  if (isPythonTrue(name) && (Array.isArray(name) || name instanceof Map)) {
    throw new UnreadableCall(
      `The name of a call must be a string, not ${kindOf(name)}`,
    );
  }
  if (typeof name !== "string" || name === "") {
    sink.skipped.push(`A call has no name`);
  } else if (sink.toolNames !== undefined && !sink.toolNames.has(name)) {
    sink.skipped.push(`There is no tool named "${name}"`);
  } else {
    sink.calls.push({ name, parameters: parametersOf(value) });
  }
}

function parametersOf(call: ReadonlyMap<string, JsonValue>): JsonValue {
  const parameters = call.get("parameters") ?? null;
  if (isPythonTrue(parameters)) return parameters;
  const given = call.get("arguments");
  return given === undefined ? new Map() : given;
}

/** Python's truth of a JSON value: zero and whatever is empty are false. */
function isPythonTrue(value: JsonValue): boolean {
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "number") return value !== 0;
  if (value !== null && typeof value === "object") return value.value !== 0;
  return Boolean(value);
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Map) return "an object";
  if (typeof value === "string") return "a string";
  return typeof value === "boolean" ? "a boolean" : "a number";
}

/** What Python's `str.strip` takes for white space; JavaScript's `trim` differs in U+001C–U+001F, U+0085 and U+FEFF. */
const PYTHON_SPACE =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING_SPACE = new RegExp(`^${PYTHON_SPACE}+`);
const TRAILING_CHARACTER = new RegExp(PYTHON_SPACE);

function pythonStrip(text: string): string {
  const start = LEADING_SPACE.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && TRAILING_CHARACTER.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}
