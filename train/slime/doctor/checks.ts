/**
 * Loads the checks. Each module in `checks/` exports a check with its position, so that adding a check takes one file.
 */

import type { Check } from "./check.ts";

const FOLDER = new URL("./checks/", import.meta.url);

/** All checks in order, except `hosts`, which runs first because the other checks depend on it. */
export const CHECKS: readonly Check[] = await readChecks();

async function readChecks(): Promise<Check[]> {
  const files = await Array.fromAsync(Deno.readDir(FOLDER));
  const modules: { readonly check: Check }[] = await Promise.all(
    files.filter(({ name }) => name.endsWith(".ts"))
      .map(({ name }) => import(new URL(name, FOLDER).href)),
  );
  return modules.map(({ check }) => check).sort((a, b) => a.order - b.order);
}
