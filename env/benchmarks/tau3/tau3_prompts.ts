/**
 * Creates the prompts of τ³-bench's agents, simulated users and judges from the templates in a bundle's `prompts.json`.
 */

import { z } from "zod";
import { fillPrompt } from "../../prompts.ts";
import { pythonRepr, pythonStr } from "../../python/python_repr.ts";
import { trim } from "../../python/python_space.ts";
import { toPlain } from "../../python/python_value.ts";
import {
  type BundleSource,
  checkedValue,
  dataFiles,
  topFiles,
} from "./bundle_files.ts";
import type { PolicyText } from "./policy_texts.ts";
import type { Tau3Message } from "./tau3_message.ts";
import type { ExpectedAction, Tau3Task } from "./tau3_task.ts";

/** The schema of `prompts.json`. Other keys are ignored. */
export const tau3PromptsSchema = z.object({
  agent_instruction: z.string(),
  agent_system: z.string(),
  agent_gt_instruction: z.string(),
  agent_gt_system: z.string(),
  gt_step_user_with_args: z.string(),
  gt_step_user_without_args: z.string(),
  gt_step_agent_with_args: z.string(),
  gt_step_agent_without_args: z.string(),
  agent_solo_instruction: z.string(),
  agent_solo_system: z.string(),
  telecom_policy: z.string(),
  user_system: z.string(),
  persona_minimal_verbosity: z.string(),
  user_instructions_lines: z.array(z.string()),
  judge_system: z.string(),
  judge_user: z.string(),
  first_agent_message: z.string(),
  user_stop_tokens: z.array(z.string()),
  solo_stop_token: z.string(),
});

/** The templates in `prompts.json`. */
export type Tau3Prompts = z.infer<typeof tau3PromptsSchema>;

/** The general guidelines of simulated users. */
export interface Guidelines {
  /** The guidelines for users without tools. */
  readonly talking: string;
  /** The guidelines for users with tools. */
  readonly tools: string;
}

/**
 * Reads the guidelines of simulated users from a bundle's files.
 * @throws {DataError} If a file is missing.
 */
export async function readGuidelines(
  source: BundleSource,
): Promise<Guidelines> {
  const files = await dataFiles(source, "user_simulator");
  const tools = await files.first("simulation_guidelines_tools.md");
  const talking = await files.first("simulation_guidelines.md");
  return { talking: talking.text, tools: tools.text };
}

/**
 * Reads the prompt templates of a bundle.
 * @throws {DataError} If the file or a template is missing or invalid.
 */
export async function readTau3Prompts(
  source: BundleSource,
): Promise<Tau3Prompts> {
  const { path, value } = await topFiles(source).value("prompts.json");
  return checkedValue(tau3PromptsSchema, { value: toPlain(value), path });
}

/** Returns a policy as a single string. */
export function policyText(
  prompts: Pick<Tau3Prompts, "telecom_policy">,
  text: PolicyText,
): string {
  if ("policy" in text) return text.policy;
  return fillPrompt(prompts.telecom_policy, {
    main_policy: text.mainPolicy,
    tech_support: text.techSupport,
  });
}

/**
 * Returns the agent's system prompt.
 * @param policy The result of {@linkcode policyText}.
 */
export function agentSystem(prompts: Tau3Prompts, policy: string): string {
  const { agent_system, agent_instruction } = prompts;
  return fillPrompt(agent_system, { agent_instruction, policy });
}

/**
 * Returns the system prompt of an agent that is given the expected actions.
 * @param options.args Whether to include the actions' arguments. Default: true.
 */
export function groundTruthSystem(
  prompts: Tau3Prompts,
  { policy, task, args = true }: {
    policy: string;
    task: Tau3Task;
    args?: boolean;
  },
): string {
  const { agent_gt_system, agent_gt_instruction } = prompts;
  const steps = (task.criteria?.actions ?? []).map((action, i) =>
    `[Step ${i + 1}] ${stepText(prompts, { action, args })}`
  );
  return fillPrompt(agent_gt_system, {
    agent_gt_instruction,
    policy,
    resolution_steps: steps.join("\n"),
  });
}

function stepText(
  prompts: Tau3Prompts,
  { action, args }: { action: ExpectedAction; args: boolean },
): string {
  const who = action.requestor === "user" ? "user" : "agent";
  const { name } = action;
  if (!args) {
    return fillPrompt(prompts[`gt_step_${who}_without_args`], { name });
  }
  const list = Array.from(
    action.arguments,
    ([key, value]) => `${key}=${pythonStr(value)}`,
  );
  const call = `${name}(${list.join(", ")})`;
  return fillPrompt(prompts[`gt_step_${who}_with_args`], { call });
}

/** Returns the system prompt of a solo agent, which works on a ticket without a user. */
export function soloSystem(
  prompts: Tau3Prompts,
  { policy, task }: { policy: string; task: Tau3Task },
): string {
  const { agent_solo_system, agent_solo_instruction } = prompts;
  return fillPrompt(agent_solo_system, {
    agent_solo_instruction,
    policy,
    ticket: pythonStr(task.ticket),
  });
}

/** The placeholder for the user's persona in the guidelines. */
export const PERSONA = "<PERSONA_GUIDELINES>";

/**
 * Returns the simulated user's system prompt.
 * @param options.terse Whether the user is as terse as possible. Default: false.
 */
export function userSystem(
  prompts: Tau3Prompts,
  { guidelines, task, terse = false }: {
    /** The text from {@linkcode Guidelines} that applies to the user. */
    guidelines: string;
    task: Tau3Task;
    terse?: boolean;
  },
): string {
  const persona = terse ? `\n\n${prompts.persona_minimal_verbosity}\n` : "";
  return fillPrompt(prompts.user_system, {
    guidelines: guidelines.replaceAll(PERSONA, () => persona),
    instructions: scenarioText(prompts, task.scenario),
  });
}

/** Formats a scenario for the simulated user's prompt. */
export function scenarioText(
  prompts: Pick<Tau3Prompts, "user_instructions_lines">,
  { persona, instructions }: Tau3Task["scenario"],
): string {
  const text = typeof instructions === "string"
    ? instructions
    : instructionLines(prompts, instructions);
  const lines = persona === null ? [] : ["Persona:", indent(persona)];
  return [...lines, "Instructions:", indent(text)].join("\n");
}

function instructionLines(
  { user_instructions_lines }: Pick<Tau3Prompts, "user_instructions_lines">,
  instructions: Exclude<Tau3Task["scenario"]["instructions"], string>,
): string {
  const values: Record<string, string | null> = {
    domain: instructions.domain,
    reason_for_call: instructions.reasonForCall,
    known_info: instructions.knownInfo,
    unknown_info: instructions.unknownInfo,
    task_instructions: instructions.taskInstructions,
  };
  return user_instructions_lines.flatMap((line) => {
    const name = /<<(\w+)>>/.exec(line)?.[1] ?? "";
    const value = values[name];
    if (value === undefined || value === null) return [];
    const text = name === "domain" ? value : indent(value);
    return [fillPrompt(line, { [name]: text })];
  }).join("\n");
}

/** Implements Python's `textwrap.indent(text, "\t")`: lines that contain only white space are unchanged. */
function indent(text: string): string {
  return text.split("\n").map((line) => trim(line) === "" ? line : `\t${line}`)
    .join("\n");
}

/** A judge's prompt about a conversation. */
export interface JudgePrompt {
  readonly system: string;
  readonly user: string;
}

/** Creates the judge's prompt that asks whether assertions hold in a conversation. */
export function judgePrompt(
  prompts: Pick<Tau3Prompts, "judge_system" | "judge_user">,
  { messages, assertions }: {
    messages: readonly Tau3Message[];
    assertions: readonly string[];
  },
): JudgePrompt {
  const trajectory = messages.map(({ role, content }) =>
    `${role}: ${pythonStr(content)}`
  );
  return {
    system: prompts.judge_system,
    user: fillPrompt(prompts.judge_user, {
      trajectory: trajectory.join("\n"),
      nl_assertions: pythonRepr([...assertions]),
    }),
  };
}
