/** Runs the Python scripts in this folder with JSON input and output. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { testPython } from "./python.ts";

/**
 * Runs a script in this folder.
 * @param input The JSON text for the script's standard input.
 * @param options.python The path of the interpreter. Default: the result of {@linkcode testPython}.
 * @returns The parsed JSON from the script's standard output.
 * @throws {AssertionError} If the script fails. The message contains its stderr.
 */
export async function askPython(
  script: string,
  input: string,
  { python = testPython() ?? "python3" }: { readonly python?: string } = {},
): Promise<unknown> {
  const child = new Deno.Command(python, {
    args: ["-B", fileURLToPath(new URL(script, import.meta.url))],
    // transformers loads PyTorch if it can, which takes seconds; tokenizers and templates do not need it.
    env: {
      HF_HUB_OFFLINE: "1",
      TOKENIZERS_PARALLELISM: "false",
      USE_TORCH: "0",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [output] = await Promise.all([
    child.output(),
    // If Python exits early, its stderr explains why; the broken pipe does not matter.
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(output.code, 0, decode(output.stderr));
  return JSON.parse(decode(output.stdout));
}
