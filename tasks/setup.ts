/**
 * `deno task setup`: installs slime and its dependencies on GPU hosts, and the software for episodes on the hosts that
 * serve them.
 */

import type { SetupOptions } from "../train/slime/setup/setup_options.ts";
import { planSetup } from "../train/slime/setup/setup_plan.ts";
import {
  checkSetup,
  type HostReport,
  runSetup,
  type SetupContext,
} from "../train/slime/setup/run_setup.ts";
import { undoSetup } from "../train/slime/setup/undo.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { type SetupFlags, setupFlags, setupOptions } from "./_setup_flags.ts";
import {
  findingsText,
  plannedSteps,
  planText,
  reportText,
  setupProgress,
  undoText,
} from "./_setup_view.ts";

async function run(
  flags: SetupFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const options = await setupOptions(flags);
  if (flags.undo) return await undo(flags, options, context);
  if (flags.dryRun) return await dryRun(options, context);
  const plans = planSetup(options);
  const how = setupContext(options, context);
  const reports = flags.check
    ? await checkSetup(plans, how)
    : await runSetup(plans, how);
  return show(reports, { flags, context });
}

function setupContext(
  { token }: SetupOptions,
  { terminal, signal }: TaskContext,
): SetupContext {
  return {
    run: crypto.randomUUID(),
    signal,
    secrets: token === undefined ? [] : [token],
    now: () => new Date(),
    onEvent: setupProgress(terminal),
  };
}

function show(
  reports: readonly HostReport[],
  { flags, context: { terminal, signal } }: {
    flags: SetupFlags;
    context: TaskContext;
  },
): TaskResult {
  terminal.endProgress();
  terminal.print(reportText(reports));
  if (flags.check) terminal.print(`\n${findingsText(reports)}`);
  const errors = reports.flatMap(({ error }) => error ?? []);
  for (const error of errors) terminal.note(`\n${error}`);
  const done = reports.every(({ error, steps }) =>
    error === undefined &&
    steps.every(({ state }) => state === "done" || state === "ran")
  );
  const exitCode = signal.aborted
    ? EXIT.interrupted
    : done
    ? EXIT.done
    : EXIT.failed;
  const next = `deno task doctor --recipe ${flags.recipe}`;
  return { json: { done, hosts: reports }, exitCode, next };
}

async function dryRun(
  options: SetupOptions,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const hosts = await Promise.all(
    planSetup(options).map(async (plan) => ({
      host: plan.name,
      steps: await plannedSteps(plan),
    })),
  );
  for (const { host, steps } of hosts) {
    terminal.print(`${planText(host, steps)}\n`);
  }
  return { json: { hosts } };
}

async function undo(
  { dryRun }: SetupFlags,
  options: SetupOptions,
  context: TaskContext,
): Promise<TaskResult> {
  const plans = planSetup({ ...options, only: [] });
  const hosts = await undoSetup(plans, {
    ...setupContext(options, context),
    only: options.only,
    dryRun,
  });
  context.terminal.print(undoText(hosts));
  for (const { error } of hosts) if (error) context.terminal.note(`\n${error}`);
  const kept = hosts.some(({ error, things }) =>
    error !== undefined || things.some(({ state }) => state === "refused")
  );
  return { json: { hosts }, ...kept ? { exitCode: EXIT.failed } : {} };
}

export const task = await main(import.meta, {
  name: "setup",
  summary:
    "Set up hosts for slime: image, slime, packages, model and, on hosts that run episodes, the benchmark's data",
  flags: setupFlags,
  examples: [
    {
      command: "deno task setup --host gpu1,gpu2 --dry-run",
      does: "print the commands for two hosts from hosts.yaml",
    },
    {
      command: "deno task setup --host gpu1,gpu2",
      does: "set up both hosts concurrently; run the command again to resume",
    },
    {
      command: "deno task setup --in bare --venv ~/slime-env",
      does: "set up this machine without a container, in a virtual environment",
    },
    {
      command: "deno task setup --host gpu1 --only model --check",
      does: "check that the model on gpu1 is complete",
    },
    {
      command: "deno task setup --host gpu1 --undo --dry-run",
      does: "list what undoing the setup of gpu1 would remove",
    },
  ],
  notes:
    "Each step is checked first, and run only if it is not done. Nothing that already exists is overwritten:\n" +
    "if setup finds a checkout with local changes, or a directory or container that it did not create, it stops on that host and prints a hint.\n" +
    "Everything that setup creates is listed on the host in ~/.taulab (or the directory set by dir in hosts.yaml); --undo removes exactly that.\nHF_TOKEN is passed on to the hosts if it is set.",
  interruptNote:
    "Stopping; run the same command again to resume. Press Ctrl-C again to stop immediately",
  run,
});
