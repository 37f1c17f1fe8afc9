/**
 * The Python for tests of slime's dependencies: PyTorch, Ray, SGLang's router and parsers, Megatron-Core, transformers.
 *
 * `.ci/run` installs it and sets `TAULAB_TEST_PYTHON`. Without it, those tests are ignored; their names say what they
 * need.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Returns the path of the interpreter; `undefined` if there is none. */
export function testPython(): string | undefined {
  return Deno.env.get("TAULAB_TEST_PYTHON") || undefined;
}

/**
 * Returns the value of `ignore` for a test that needs this Python.
 * @example
 * ```ts ignore
 * Deno.test({ name: "readTorchDist() … (needs Python with torch)", ignore: withoutPython(), fn });
 * ```
 */
export function withoutPython(): boolean {
  return testPython() === undefined;
}

/** Environment clients of trainers. The package versions that they need conflict with slime's. */
export type ClientName = "nemo-gym" | "openenv" | "verifiers" | "verl";

/**
 * Returns the Python that `.ci/test-python` installs for a client: `openenv` has openenv-core and TRL.
 * @returns The path of the interpreter; `undefined` if there is none.
 */
export function clientPython(client: ClientName): string | undefined {
  const python = testPython();
  if (python === undefined) return undefined;
  const path = join(dirname(python), "..", client, "bin", "python");
  return existsSync(path) ? path : undefined;
}
