/** SGLang's tool-call parsers, asked by one Python process for all cases of a test. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ToolCallFormat } from "../../env/tokens/tool_calls/tool_call_format.ts";
import type { ToolSchema } from "../../env/types.ts";
import { testPython } from "./python.ts";

/** A text for a parser. */
export interface SglangCase {
  readonly parser: ToolCallFormat;
  readonly text: string;
}

/** What a parser makes of a text. */
export interface SglangAnswer {
  /** `has_tool_call`. */
  readonly marker: boolean;
  /** `null` where the parser raises. */
  readonly normal: string | null;
  /** Arguments as JSON. */
  readonly calls: readonly (readonly [name: string, parameters: string])[];
  /** The exception's name. */
  readonly error: string | null;
}

/**
 * Asks SGLang.
 * @throws {AssertionError} If Python fails, with what it said.
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
    // Where Python ends early, what it said of it is what matters.
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(output.code, 0, decode(output.stderr));
  return JSON.parse(decode(output.stdout));
}
