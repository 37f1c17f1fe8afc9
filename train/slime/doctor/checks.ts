/**
 * Loads the doctor's checks. Each module in `checks/` exports one check with its position in the order, so a new check
 * only needs a new file.
 */

import type { Check } from "./check.ts";

const FOLDER = new URL("./checks/", import.meta.url);

/**
 * All checks in order, except `hosts`. The doctor creates that check itself, because it must contact the hosts before
 * any other check can run.
 */
export const CHECKS: readonly Check[] = await readChecks();

async function readChecks(): Promise<Check[]> {
  const files = await Array.fromAsync(Deno.readDir(FOLDER));
  const modules: { readonly check: Check }[] = await Promise.all(
    files.filter(({ name }) => name.endsWith(".ts"))
      .map(({ name }) => import(new URL(name, FOLDER).href)),
  );
  return modules.map(({ check }) => check).sort((a, b) => a.order - b.order);
}
