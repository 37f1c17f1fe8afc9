/**
 * Finds the Python interpreters for tests that need slime's dependencies, such as PyTorch, Ray, SGLang, Megatron-Core
 * and transformers, or the clients of other trainers.
 *
 * `.ci/run` installs the interpreter and sets `TAULAB_TEST_PYTHON`. Without that variable, the tests are ignored. The
 * name of a test says which packages it needs.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Returns the path of the interpreter for tests; `undefined` if there is none. */
export function testPython(): string | undefined {
  return Deno.env.get("TAULAB_TEST_PYTHON") || undefined;
}

/**
 * Returns the value of `ignore` for a test that needs the Python of {@linkcode testPython}.
 * @example
 * ```ts ignore
 * Deno.test({ name: "readTorchDist() … (needs Python with torch)", ignore: withoutPython(), fn });
 * ```
 */
export function withoutPython(): boolean {
  return testPython() === undefined;
}

/** The name of a trainer's environment client. The package versions that it needs conflict with slime's. */
export type ClientName = "nemo-gym" | "openenv" | "verifiers" | "verl";

/**
 * Returns the Python that `.ci/test-python` installs for a client. The Python for `openenv` has openenv-core and TRL.
 * @returns The path of the interpreter; `undefined` if there is none.
 */
export function clientPython(client: ClientName): string | undefined {
  const python = testPython();
  if (python === undefined) return undefined;
  const path = join(dirname(python), "..", client, "bin", "python");
  return existsSync(path) ? path : undefined;
}
