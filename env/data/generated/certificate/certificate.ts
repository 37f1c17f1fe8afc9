/**
 * The certificate of a generated task, checked when the task is made: its gold replays without an error and
 * changes what it should, the expert solves it through the scripted user, and doing nothing scores 0.
 *
 * @module
 */

import { expertAgent } from "../../../agents/expert.ts";
import { callTool } from "../../../call_tool.ts";
import { domainNamed } from "../../../domains.ts";
import { createEnvironment } from "../../../environment.ts";
import { rollout } from "../../../rollout.ts";
import type { Dataset, Task, ToolAction, UserFactory } from "../../../types.ts";
import { scriptedUser } from "../../../users/scripted.ts";

/** What a task is certified in. */
export interface CertificateOptions {
  readonly dataset: Dataset;
  readonly task: Task;
  /** Default: the scripted user. */
  readonly user?: UserFactory;
}

/** Most turns of the expert; above what any generated task takes. */
const MAX_TURNS = 60;

/** Checks a task. @returns Why it fails, or `null` if it holds. */
export async function certify(
  { dataset, task, user = scriptedUser(dataset) }: CertificateOptions,
): Promise<string | null> {
  return checkGold(dataset, task) ??
    checkIdleness({ dataset, task, user }) ??
    await checkExpert({ dataset, task, user });
}

function checkGold(dataset: Dataset, task: Task): string | null {
  const domain = domainNamed(task.domain);
  const database = dataset.database.fork();
  for (const action of task.actions) {
    const shown = callTool(domain, database, action);
    if (shown.startsWith("Error")) return `gold ${action.name}: ${shown}`;
  }
  const changed = new Set(database.changes().map(({ id }) => id));
  for (const action of task.actions.filter(isWrite)) {
    const id = action.arguments.get("order_id") ??
      action.arguments.get("user_id");
    if (!changed.has(String(id))) {
      return `gold ${action.name} changes nothing of "${id}"`;
    }
  }
  return changed.size > 0 && !task.actions.some(isWrite)
    ? "gold reads change the database"
    : null;
}

function checkIdleness(
  { dataset, task, user }: Required<CertificateOptions>,
): string | null {
  const environment = createEnvironment({
    dataset,
    task,
    user: user(task, { seed: 0 }),
  });
  return environment.reward().value === 0 ? null : "doing nothing scores 1";
}

async function checkExpert(
  { dataset, task, user }: Required<CertificateOptions>,
): Promise<string | null> {
  const episode = await rollout({
    dataset,
    task,
    user,
    agent: EXPERT,
    userName: "scripted",
    seed: 0,
    maxTurns: MAX_TURNS,
    now: () => 0,
  });
  if (episode.failure !== null) return `expert: ${episode.failure.message}`;
  if (episode.stopReason !== "user_stop") {
    return `expert: ended by ${episode.stopReason}`;
  }
  return episode.reward?.value === 1 ? null : "expert scores 0";
}

const EXPERT = expertAgent({ prompt: "none" });

function isWrite({ name }: ToolAction): boolean {
  return /^(cancel|return|exchange|modify)_/.test(name);
}

/** What was found of a task. */
export interface Certificate {
  readonly version: 1;
}

/** Why a task is refused. */
export interface Refusal {
  readonly part: string;
  readonly reason: string;
}

/** A certificate, or why there is none. */
export type Verdict =
  | { readonly certificate: Certificate; readonly refused: null }
  | { readonly certificate: null; readonly refused: Refusal };

/** Makes what certifies the tasks of a dataset. */
export function createCertifier(
  dataset: Dataset,
): (task: Task) => Promise<Verdict> {
  const user = scriptedUser(dataset);
  return async (task) => {
    const reason = await certify({ dataset, task, user });
    return reason === null
      ? { certificate: { version: 1 }, refused: null }
      : { certificate: null, refused: { part: "old", reason } };
  };
}
