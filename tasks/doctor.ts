/** `deno task doctor`: checks everything that a slime run needs before the run costs GPU hours. */

import { z } from "zod";
import { parseSet } from "../train/config/config.ts";
import { CHECKS } from "../train/slime/doctor/checks.ts";
import {
  chooseChecks,
  type DoctorOptions,
  preflight,
} from "../train/slime/doctor/doctor.ts";
import { openRecipeFleet } from "../train/slime/launch/fleet.ts";
import { resolveSlime } from "../train/slime/slime_config.ts";
import { anyPath, recipeFile, runPathOnly } from "./_caller_paths.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { countsOf, DoctorLine, doctorText } from "./_doctor_view.ts";
import { readSlimeRecipe } from "./_recipes.ts";
import {
  hostsFlag,
  runsFlag,
  setFlag,
  tau3BenchFlag,
  tauBenchFlag,
  withBenchmark,
} from "./_shared_flags.ts";
import { table } from "../train/progress/text_table.ts";

const flags = z.object({
  recipe: z.string().min(1).default("qwen3-4b").meta({
    description: "slime recipe: a name in train/recipes, or a YAML file",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  set: setFlag,
  hosts: hostsFlag,
  only: z.string().optional().meta({
    description: "Run only these checks (see the list below)",
    value: "CHECK,...",
  }),
  skip: z.string().optional().meta({
    description: "Skip these checks",
    value: "CHECK,...",
  }),
  running: z.boolean().default(false).meta({
    description:
      "Check a run in progress: its router, engines and episode servers",
  }),
  base: z.string().min(1).optional().meta({
    description:
      "Evaluation run of the untrained model; default: the latest one in --runs",
    value: "RUN",
    isPath: runPathOnly,
  }),
  rows: z.array(z.string()).default([]).meta({
    description:
      "Check this file of rows instead of the rows that a launch would write; may be repeated",
    value: "FILE",
    isPath: anyPath,
  }),
  timeout: z.number().gt(0).optional().meta({
    description: "Timeout of each check in seconds; default: set per check",
  }),
  runs: runsFlag,
});

type Flags = z.infer<typeof flags>;

async function run(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const choice = {
    running: flags.running,
    only: wordsOf(flags.only),
    skip: wordsOf(flags.skip),
  };
  const checks = chooseChecks(choice);
  const recipe = await readSlimeRecipe(flags.recipe);
  await using fleet = await openRecipeFleet(
    await withBenchmark(
      resolveSlime(recipe, flags.set.map(parseSet)),
      flags,
      { selectedBy: null },
    ),
    { hostsFile: flags.hosts },
  );
  const line = new DoctorLine(terminal, checks);
  const options: DoctorOptions = {
    ...choice,
    hosts: fleet.shells,
    servers: fleet.servers,
    signal,
    runs: flags.runs,
    rowFiles: flags.rows,
    ...(flags.base === undefined ? {} : { baseRun: flags.base }),
    ...(flags.timeout === undefined ? {} : { timeoutMs: flags.timeout * 1000 }),
    onCheck: (check) => line.end(check),
  };
  const report = await preflight(fleet.slime, options);
  terminal.endProgress();
  terminal.print(doctorText(report));
  const { findings, healthy } = report;
  return {
    json: { recipe: recipe.name, healthy, ...countsOf(findings), findings },
    next: `deno task train --recipe ${flags.recipe}`,
    exitCode: healthy ? EXIT.done : EXIT.failed,
  };
}

function wordsOf(list = ""): string[] {
  return list.split(",").map((word) => word.trim()).filter(Boolean);
}

export const task = await main(import.meta, {
  name: "doctor",
  summary: "Check everything a slime run needs before it spends GPU hours",
  flags,
  examples: [
    {
      command: "deno task doctor --recipe qwen3-4b --tau-bench ../tau-bench",
      does:
        "run all checks and print what to fix; the exit status is 1 if a check fails",
    },
    {
      command: "deno task doctor --only rows,batch,context",
      does:
        "run only checks that need no GPU: they read the benchmark's data, and the model's directory on the head",
    },
    {
      command: "deno task doctor --skip gpus,nvlink --json",
      does: "skip the checks that need GPUs, and print JSON",
    },
    {
      command: "deno task doctor --running",
      does: "check that all of a run's engines are up",
    },
  ],
  notes: `Checks:\n${
    table([
      ["check", "passes if"],
      ...CHECKS.map(({ id, title }) => [id, title]),
    ])
  }`,
  interruptNote: "Stopping the checks; press Ctrl-C again to stop immediately",
  run,
});
