/** Defines types and helper functions for the formats in which models write tool calls as text. */

import type { JsonValue } from "../../python/python_json.ts";
import type { ToolSchema } from "../../types.ts";

/** The supported formats, named as in SGLang's `--tool-call-parser`. */
export const TOOL_CALL_FORMATS = [
  "qwen25",
  "qwen3_coder",
  "glm45",
  "hermes",
  "pythonic",
  "deepseekv3",
  "gpt-oss",
] as const;

/** The name of a tool call format. */
export type ToolCallFormat = typeof TOOL_CALL_FORMATS[number];

/** A call as written by the model. */
export interface ParsedCall {
  readonly name: string;
  /** The arguments. They are usually an object, but JSON formats allow any value. */
  readonly parameters: JsonValue;
}

/** The result of parsing a model's text. */
export interface ParsedText {
  /**
   * The text outside calls. Most formats keep only the text before the first call. If there is no call, this is the
   * whole text.
   */
  readonly normalText: string;
  /** The valid calls, in order. */
  readonly calls: readonly ParsedCall[];
  /** Whether the text contains the beginning of a call. */
  readonly hasMarker: boolean;
  /** The reasons why blocks or calls were skipped, as messages to the model. */
  readonly skipped: readonly string[];
  /**
   * The reason why SGLang's parser would reject the whole text, in which case `calls` is empty. Omitted if it accepts
   * the text.
   */
  readonly failure?: string;
}

/** The JSON schemas of the known tools' parameters, keyed by tool name. */
export type KnownTools = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/**
 * A parser for the tool calls in a text. It runs in linear time and never throws.
 * @param tools The known tools. If omitted, every tool name is accepted and values have no types.
 */
export type ToolCallParser = (text: string, tools?: KnownTools) => ParsedText;

/**
 * Returns the parameter schemas of a prompt's tools, keyed by tool name. If a name occurs twice, the last tool is used.
 */
export function knownTools(tools: readonly ToolSchema[]): KnownTools {
  return new Map(
    tools.map(({ function: { name, parameters } }) => [name, parameters]),
  );
}

/** Returns the parsing result for a text without calls. */
export function plainText(text: string): ParsedText {
  return { normalText: text, calls: [], hasMarker: false, skipped: [] };
}

/** An error that is thrown if SGLang's parser would reject the whole text. */
export class UnreadableCalls extends Error {}

/** An object to which a parser adds the calls of a text. */
export interface CallSink {
  readonly tools: KnownTools | undefined;
  readonly calls: ParsedCall[];
  readonly skipped: string[];
}

/**
 * Collects calls into a {@linkcode ParsedText}.
 * @param read Adds the calls of the text to the sink. If it throws {@linkcode UnreadableCalls}, the message of the
 * error becomes {@linkcode ParsedText.failure}.
 */
export function collectCalls(
  normalText: string,
  tools: KnownTools | undefined,
  read: (sink: CallSink) => void,
): ParsedText {
  const sink: CallSink = { tools, calls: [], skipped: [] };
  const { calls, skipped } = sink;
  try {
    read(sink);
  } catch (error) {
    if (!(error instanceof UnreadableCalls)) throw error;
    const failure = error.message;
    return { normalText, calls: [], hasMarker: true, skipped, failure };
  }
  return { normalText, calls, hasMarker: true, skipped };
}
