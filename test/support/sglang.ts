/** Runs SGLang's tool-call parsers in one Python process for all test cases. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ToolCallFormat } from "../../env/tokens/tool_calls/tool_call_format.ts";
import type { ToolSchema } from "../../env/types.ts";
import { testPython } from "./python.ts";

/** A text to parse, and the name of the parser in SGLang. */
export interface SglangCase {
  readonly parser: ToolCallFormat;
  readonly text: string;
}

/** The result of an SGLang parser for a text. */
export interface SglangAnswer {
  /** The result of the parser's `has_tool_call`. */
  readonly marker: boolean;
  /** The text outside the calls; `null` if the parser raised an exception. */
  readonly normal: string | null;
  /** The name of each call, and its arguments as JSON. */
  readonly calls: readonly (readonly [name: string, parameters: string])[];
  /** The name of the exception that the parser raised; `null` if there was none. */
  readonly error: string | null;
}

/**
 * Runs SGLang's parsers on all test cases.
 * @throws {AssertionError} If Python fails. The message contains its stderr.
 */
export async function askSglang(
  tools: readonly ToolSchema[],
  cases: readonly SglangCase[],
): Promise<SglangAnswer[]> {
  const script = fileURLToPath(new URL("ask_sglang.py", import.meta.url));
  const child = new Deno.Command(testPython() ?? "python3", {
    args: ["-B", script],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = JSON.stringify({ tools, cases });
  const [output] = await Promise.all([
    child.output(),
    // If Python exits early, its stderr explains why; the broken pipe does not matter.
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(output.code, 0, decode(output.stderr));
  return JSON.parse(decode(output.stdout));
}
