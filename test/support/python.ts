/**
 * The Python that tests of what slime brings run with: PyTorch, Ray, SGLang's router and parsers, Megatron-Core,
 * transformers.
 *
 * `.ci/run` makes it and names it in `TAULAB_TEST_PYTHON`; without it, those tests are skipped and say what they need.
 */

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
