/** The router that is installed on a host: slime's own build and PyPI's differ in their policies. */

import { DataError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";
import { lastWords } from "./host_file.ts";

/**
 * The policies that a host's router can be started with.
 * @param options.python The interpreter that has it.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the router does not tell.
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
    `The router of "${python}" does not tell its policies: ${
      lastWords(stderr, code)
    }`,
    { hint: `install sglang-router by "deno task setup"` },
  );
}

/** The choices of `--policy` in argparse's help. */
export function parsePolicies(help: string): string[] {
  const choices = /(?:^|[\s[])--policy\s+\{([^}]*)\}/.exec(help)?.[1] ?? "";
  return choices.split(",").map((one) => one.trim()).filter(Boolean);
}
