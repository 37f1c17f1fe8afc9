/** Defines a task that reports its own permissions. `confine_test.ts` runs this module as the main module. */

import { z } from "zod";
import { main } from "../../tasks/_cli.ts";

const flags = z.object({
  /** The directory that the task may write to. */
  allowed: z.string().default("allowed"),
  busy: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  crash: z.boolean().default(false),
});

export const task = await main(import.meta, {
  name: "confined",
  summary: "Say what may be done",
  flags,
  examples: [{ command: "deno task confined", does: "says it" }],
  confine: ({ flags }) => ({
    write: [flags.allowed],
    net: false,
    run: false,
    env: ["LET_THROUGH"],
    endsAtOnce: flags.dryRun,
  }),
  async run({ allowed, busy, crash }, { terminal, signal, operands: _ }) {
    if (crash) throw new TypeError("crashed");
    terminal.note("at work");
    // Work that never yields, for longer than any test runs.
    const until = Date.now() + 60_000;
    while (busy && Date.now() < until);
    const descriptors: Record<string, Deno.PermissionDescriptor> = {
      inside: { name: "write", path: `${allowed}/below/it` },
      outside: { name: "write", path: `${allowed}.not` },
      net: { name: "net" },
      run: { name: "run" },
      letThrough: { name: "env", variable: "LET_THROUGH" },
      keptBack: { name: "env", variable: "KEPT_BACK" },
    };
    const may = Object.fromEntries(
      Object.entries(descriptors).map(([key, one]) => [
        key,
        Deno.permissions.querySync(one).state === "granted",
      ]),
    );
    if (Deno.args.includes("--json")) return { json: may };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    terminal.note("saved");
    return { json: may };
  },
});
