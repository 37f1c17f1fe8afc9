/** The checks: each module of `checks/` is one, and says itself where it stands, so that a new one is a file. */

import type { Check } from "./check.ts";

const FOLDER = new URL("./checks/", import.meta.url);

/** All of them, in order; the check `hosts` is made before, as the others depend on it. */
export const CHECKS: readonly Check[] = await readChecks();

async function readChecks(): Promise<Check[]> {
  const files = await Array.fromAsync(Deno.readDir(FOLDER));
  const modules: { readonly check: Check }[] = await Promise.all(
    files.filter(({ name }) => name.endsWith(".ts"))
      .map(({ name }) => import(new URL(name, FOLDER).href)),
  );
  return modules.map(({ check }) => check).sort((a, b) => a.order - b.order);
}
