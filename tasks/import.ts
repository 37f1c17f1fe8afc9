/** `deno task import`: converts a checkout of τ-bench or τ³-bench to a data directory that the other tasks read. */

import { z } from "zod";
import { openCheckout } from "../env/benchmarks/tau/import/checkout.ts";
import {
  cloneOf,
  partialOf,
  requireReplaceable,
  writeImport,
} from "../env/benchmarks/tau/import/import_dir.ts";
import {
  importTauBench,
  MANIFEST,
} from "../env/benchmarks/tau/import/import_tau_bench.ts";
import {
  importTau3,
  isTau3Checkout,
} from "../env/benchmarks/tau3/import/import_tau3.ts";
import { count } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";
import { readTextIfThere, writing } from "../train/runs/storage.ts";
import { anyPath } from "./_caller_paths.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { LOCAL_WORK } from "./_confine.ts";

const flags = z.object({
  from: z.string().min(1).optional().meta({
    description:
      "Checkout of tau-bench or tau3-bench: the directory with tau_bench/ or src/tau2/",
    value: "DIR",
    isPath: anyPath,
  }),
  git: z.string().min(1).optional().meta({
    description: "Repository to clone and import, instead of --from",
    value: "URL",
  }),
  commit: z.string().regex(
    /^[0-9a-f]{7,40}$/,
    "expected a commit hash of 7 to 40 lowercase hex digits",
  ).optional()
    .meta({ description: "Commit to check out", value: "SHA" }),
  out: z.string().min(1).default("tau-bench-data").meta({
    description: "Directory to write to",
    value: "DIR",
    isPath: anyPath,
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Read the checkout and print counts; nothing is written",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const { out, dryRun } = flags;
  await requireReplaceable(out, readTextIfThere);
  await using checkout = await openCheckout(flags, {
    signal,
    clone: cloneOf(out),
  });
  terminal.progress(`reading ${checkout.root}`);
  const isTau3 = await isTau3Checkout(checkout);
  const imported = isTau3
    ? await importTau3(checkout)
    : await importTauBench(checkout);
  if (!dryRun) await writing(out, () => writeImport(out, imported));
  terminal.endProgress();
  const { counts, files } = imported;
  terminal.print(table([
    ["what", "count"],
    ...Object.entries(counts).map(([what, n]) => [what, count(n)]),
  ]));
  if (!dryRun) {
    terminal.print(
      `\n${out}: ${files.size} files, hashes in ${MANIFEST}; use it with ${
        isTau3 ? "--tau3-bench" : "--tau-bench"
      } ${out}`,
    );
  }
  return {
    json: { out, written: !dryRun, counts, files: [...files.keys()] },
    next: dryRun
      ? undefined
      : isTau3
      ? `deno task evaluate --tau3-bench ${out} --env telecom --split base --model NAME --user llm --user-model NAME`
      : `deno task train --recipe tau-retail --tau-bench ${out}`,
  };
}

export const task = await main(import.meta, {
  name: "import",
  summary:
    "Import a checkout of tau-bench or tau3-bench from its Python source, without running Python",
  flags,
  examples: [
    {
      command: "deno task import --from ../tau-bench --out tau-bench-data",
      does: "import tau-bench: data, policies, tools, tasks and prompts",
    },
    {
      command: "deno task import --from ../tau2-bench --out tau3-bench-data",
      does: "import tau3-bench: a bundle of data, tools and prompts",
    },
    {
      command:
        "deno task import --git https://github.com/sierra-research/tau-bench --commit 59a200c6d575d595120f1cb70fea53cef0632f6b",
      does: "clone the repository at a commit, and import it",
    },
  ],
  confine: ({ flags: { out, git, dryRun } }) => ({
    ...LOCAL_WORK,
    write: [
      ...dryRun ? [] : [out, partialOf(out)],
      ...git === undefined ? [] : [cloneOf(out)],
    ],
    run: git !== undefined,
  }),
  run,
});
