/** Replays prompt records, each of which contains the hashes of all system prompts of a task. */

import { createHash } from "node:crypto";
import type { JsonObject } from "../../../python/python_value.ts";
import type { Checker } from "../../tau/replay/mismatch.ts";
import type { Tau3Tasks } from "../load_bundle.ts";
import type { PolicyText } from "../policy_texts.ts";
import {
  agentSystem,
  groundTruthSystem,
  type Guidelines,
  policyText,
  soloSystem,
  type Tau3Prompts,
  userSystem,
} from "../tau3_prompts.ts";
import type { Tau3Task } from "../tau3_task.ts";

/** The data and the checker for replaying the prompts of a task. */
export interface PromptContext {
  readonly checker: Checker;
  readonly bundle: Tau3Tasks;
  /** The same domain with the workflow manual; `undefined` if the domain has only one manual. */
  readonly workflow: Tau3Tasks | undefined;
  readonly prompts: Tau3Prompts;
  readonly guidelines: Guidelines;
  /** Whether the user has tools. */
  readonly userHasTools: boolean;
}

const HASH = "_sha256";

/**
 * Creates the prompts of a record's task and compares their hashes with the recorded hashes. If the record also has the
 * text of the user's prompt, the text is compared too.
 * @returns The number of compared prompts.
 */
export function replayPrompts(
  record: JsonObject,
  { checker, ...context }: PromptContext,
): number {
  const task = context.bundle.task(String(record.get("task_id")));
  const makers = promptMakers(task, context);
  let compared = 0;
  for (const [key, expected] of record) {
    if (!key.endsWith(HASH)) continue;
    compared++;
    const text = makers[key.slice(0, -HASH.length)]?.();
    checker.equal(key, {
      expected,
      got: text === undefined ? undefined : sha256Of(text),
    });
  }
  const text = record.get("user_system");
  if (text !== undefined) {
    checker.equal("user_system", {
      expected: text,
      got: makers.user_system?.(),
    });
  }
  return compared;
}

/** Returns the functions that create a task's prompts, keyed by the names of the prompts in recordings. */
function promptMakers(
  task: Tau3Task,
  { bundle, workflow, prompts, guidelines, userHasTools }: Omit<
    PromptContext,
    "checker"
  >,
): Readonly<Record<string, () => string | undefined>> {
  const user = userHasTools ? guidelines.tools : guidelines.talking;
  const policy = policyText(prompts, bundle.policies.agent);
  const solo = (text: PolicyText | undefined) =>
    text && soloSystem(prompts, { policy: policyText(prompts, text), task });
  const other = workflow?.policies;
  return {
    user_system: () => userSystem(prompts, { guidelines: user, task }),
    user_system_minimal: () =>
      userSystem(prompts, { guidelines: user, task, terse: true }),
    agent_system: () => agentSystem(prompts, policy),
    agent_gt_system: () => groundTruthSystem(prompts, { policy, task }),
    agent_gt_noargs_system: () =>
      groundTruthSystem(prompts, { policy, task, args: false }),
    workflow_agent_system: () =>
      other && agentSystem(prompts, policyText(prompts, other.agent)),
    solo_system: () => solo(bundle.policies.solo),
    workflow_solo_system: () => solo(other?.solo),
  };
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
