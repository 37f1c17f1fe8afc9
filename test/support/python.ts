/**
 * The Python that tests of what slime brings run with: PyTorch, Ray, SGLang's router and parsers, Megatron-Core,
 * transformers.
 *
 * `.ci/run` makes it and names it in `TAULAB_TEST_PYTHON`; without it, those tests are skipped and say what they need.
 */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The interpreter, if there is one. */
export function testPython(): string | undefined {
  return Deno.env.get("TAULAB_TEST_PYTHON") || undefined;
}

/**
 * `ignore` of a test that needs it.
 * @example
 * ```ts ignore
 * Deno.test({ name: "readTorchDist() … (needs Python with torch)", ignore: withoutPython(), fn });
 * ```
 */
export function withoutPython(): boolean {
  return testPython() === undefined;
}

/** Trainers' clients of environments, which want other versions than slime's side. */
export type ClientName = "openenv" | "verifiers";

/**
 * The Python that `.ci/test-python` makes for a client: `openenv` has openenv-core and TRL.
 * @returns The interpreter, if there is one.
 */
export function clientPython(client: ClientName): string | undefined {
  const python = testPython();
  if (python === undefined) return undefined;
  const path = join(dirname(python), "..", client, "bin", "python");
  return existsSync(path) ? path : undefined;
}
