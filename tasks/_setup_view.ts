/** Formats the plan, the progress and the results of `deno task setup` for a terminal. */

import { type HostShells, openHost } from "../train/slime/hosts/host_shells.ts";
import { shellAt } from "../train/slime/hosts/place.ts";
import type { HostPlan } from "../train/slime/setup/setup_plan.ts";
import type { HostReport, SetupEvent } from "../train/slime/setup/run_setup.ts";
import type { Progress } from "../train/slime/setup/run_step.ts";
import {
  checkScript,
  type Line,
  type Step,
} from "../train/slime/setup/step.ts";
import type { HostUndoReport } from "../train/slime/setup/undo.ts";
import type { Terminal } from "./_terminal.ts";
import { duration } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** A step of a plan, as `--json` prints it. */
export interface PlannedStep {
  readonly id: string;
  readonly title: string;
  readonly checks: string;
  readonly check: string;
  /** The commands of the step, ready to paste into a shell on this machine. */
  readonly commands: readonly string[];
}

/** Returns the steps of a host's plan with complete commands. It runs none of them. */
export async function plannedSteps(plan: HostPlan): Promise<PlannedStep[]> {
  await using shells = openHost(plan.host);
  return plan.steps.map((step) => ({
    id: step.id,
    title: step.title,
    checks: step.checks,
    check: checkScript(step),
    commands: (step.commands?.(step.usual ?? "absent") ?? []).map((line) =>
      describeLine(line, { step, plan, shells })
    ),
  }));
}

function describeLine(
  { script, env = {}, input }: Line,
  { step, plan, shells }: { step: Step; plan: HostPlan; shells: HostShells },
): string {
  const shell = step.inside ? shellAt(shells, plan.place) : shells.host;
  const notes = [
    ...Object.entries(env).map(([name, value]) =>
      name === "HF_TOKEN" ? `${name} from this machine` : `${name}=${value}`
    ),
    ...input === undefined ? [] : [`reads ${input.description}`],
  ];
  const note = notes.length === 0 ? "" : `  # ${notes.join(", ")}`;
  return `${shell.describe({ script })}${note}`;
}

/** Returns a host's plan as text. */
export function planText(host: string, steps: readonly PlannedStep[]): string {
  return [
    host,
    ...steps.flatMap(({ id, title, checks, commands }) => [
      `  ${id}: ${title}`,
      `    skipped if ${checks}`,
      ...commands.map((command) => `    $ ${command}`),
    ]),
  ].join("\n");
}

/** Returns a callback that updates the live line and writes a line for each step that has run. */
export function setupProgress(terminal: Terminal): (event: SetupEvent) => void {
  const live = new Map<string, string>();
  return ({ host, step, state, detail, progress }) => {
    const about = [host, step ?? ""].join(" ").trim();
    if (state === "ran") {
      terminal.note(`${about}: ${detail === "" ? "done" : `done, ${detail}`}`);
    }
    const ended = state !== "running" && state !== "checking" &&
      state !== "waiting";
    if (ended) live.delete(host);
    else {
      const text = progress ? progressText(progress) : detail || state;
      live.set(host, `${about}: ${text}`);
    }
    terminal.progress([...live.values()].join(" · "));
  };
}

/** Formats the progress of a download, for example as `2.1 of 8.1 GB, 110 MB/s, 55 s left`. */
export function progressText({ bytes, total, bytesPerS }: Progress): string {
  const gb = (count: number) => (count / 1e9).toFixed(1);
  const amount = `${gb(Math.min(bytes, total))} of ${gb(total)} GB`;
  if (bytesPerS <= 0) return amount;
  const left = duration(Math.max(0, total - bytes) / bytesPerS);
  return `${amount}, ${(bytesPerS / 1e6).toFixed(0)} MB/s, ${left} left`;
}

/** Returns a table with the state of each step on each host. */
export function reportText(reports: readonly HostReport[]): string {
  const ids = [
    ...new Set(reports.flatMap(({ steps }) => steps.map(({ id }) => id))),
  ];
  const rows = ids.map((id) => [
    id,
    ...reports.map(({ steps }) =>
      steps.find((step) => step.id === id)?.state ?? "–"
    ),
  ]);
  const head = ["step", ...reports.map(({ host }) => host)];
  return table([head, ...rows]);
}

/**
 * Returns the findings of the checks as text, one per line, for `--check`. Omits checks that found nothing to report.
 */
export function findingsText(reports: readonly HostReport[]): string {
  return reports.flatMap(({ host, steps }) =>
    steps.filter(({ detail }) => detail !== "").map(({ id, state, detail }) =>
      `${host}: ${id}: ${state}: ${detail}`
    )
  ).join("\n");
}

/** Returns a list of what `--undo` removed and what it kept. */
export function undoText(reports: readonly HostUndoReport[]): string {
  const lines = reports.flatMap(({ host, things }) =>
    things.map(({ state, title, detail }) => {
      const why = detail === "" ? "" : `: ${detail}`;
      return `${host}: ${state}: ${title}${why}`;
    })
  );
  if (lines.length > 0) return lines.join("\n");
  return reports.some(({ error }) => error !== undefined)
    ? "Nothing was undone"
    : "Nothing to undo: setup has created nothing";
}
