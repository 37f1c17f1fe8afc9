/** How a model writes tool calls into its text: what every format reads, and what comes of it. */

import type { JsonValue } from "../../python/python_json.ts";
import type { ToolSchema } from "../../types.ts";

/** The formats, by the names of SGLang's `--tool-call-parser`. */
export const TOOL_CALL_FORMATS = [
  "qwen25",
  "qwen3_coder",
  "glm45",
  "hermes",
  "pythonic",
  "deepseekv3",
  "gpt-oss",
] as const;

/** The name of a format. */
export type ToolCallFormat = typeof TOOL_CALL_FORMATS[number];

/** A call as the model wrote it. */
export interface ParsedCall {
  readonly name: string;
  /** Mostly an object; formats that write JSON may hold anything. */
  readonly parameters: JsonValue;
}

/** What a model's text holds. */
export interface ParsedText {
  /** The text beside the calls, as the format keeps it; the whole text where no call begins. */
  readonly normalText: string;
  /** The calls that survived, in order. */
  readonly calls: readonly ParsedCall[];
  /** Whether a call begins anywhere in the text. */
  readonly hasMarker: boolean;
  /** Why blocks or calls were left out, in words that a model can recover by. */
  readonly skipped: readonly string[];
  /** Where SGLang's parser gives up on the whole text: why. There are no calls then. */
  readonly failure?: string;
}

/** Parameters of the tools there are, as JSON schemas, by the tools' names. */
export type KnownTools = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/**
 * Reads the tool calls in a text, in linear time. Never throws.
 * @param tools The tools there are; without them every name passes, and no value has a type.
 */
export type ToolCallParser = (text: string, tools?: KnownTools) => ParsedText;

/** The tools of a prompt as parsers take them; of two with one name the last counts. */
export function knownTools(tools: readonly ToolSchema[]): KnownTools {
  return new Map(
    tools.map(({ function: { name, parameters } }) => [name, parameters]),
  );
}

/** A text in which no call begins. */
export function plainText(text: string): ParsedText {
  return { normalText: text, calls: [], hasMarker: false, skipped: [] };
}

/** A text that SGLang's parser gives up on. */
export class UnreadableCalls extends Error {}

/** What is found in a text, block by block. */
export interface CallSink {
  readonly tools: KnownTools | undefined;
  readonly calls: ParsedCall[];
  readonly skipped: string[];
}

/**
 * Reads blocks into a {@linkcode ParsedText}.
 * @param read Fills the sink; an {@linkcode UnreadableCalls} that it throws becomes the failure.
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
