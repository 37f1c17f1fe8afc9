/**
 * Lists the policies that a host's router supports. slime's build and the build on PyPI support different policies.
 */

import { DataError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";
import { lastWords } from "./host_file.ts";

/**
 * Returns the policies that a host's router supports.
 * @param options.python The interpreter for which the router is installed.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the router does not list its policies.
 */
export async function readRouterPolicies(
  host: Shell,
  { python, signal }: CallOptions & { readonly python: string },
): Promise<string[]> {
  const script = quoteWords([
    python,
    "-m",
    "sglang_router.launch_router",
    "--help",
  ]);
  const { code, stdout, stderr } = await host.run({ script }, { signal });
  const policies = parsePolicies(stdout);
  if (code === 0 && policies.length > 0) return policies;
  throw new DataError(
    `Cannot list the policies of the router installed for "${python}": ${
      code === 0 ? "its help names none" : lastWords(stderr, code)
    }`,
    { hint: `install sglang-router with "deno task setup"` },
  );
}

/** Reads the choices of `--policy` from the help text that argparse prints. */
export function parsePolicies(help: string): string[] {
  const choices = /(?:^|[\s[])--policy\s+\{([^}]*)\}/.exec(help)?.[1] ?? "";
  return choices.split(",").map((one) => one.trim()).filter(Boolean);
}
