/** Reads prompts in the format of τ-bench's `prompts.json`, and fills their placeholders. */

import { z } from "zod";
import type { Prompts } from "./types.ts";

/** The schema of `prompts.json`, which converts the file to {@linkcode Prompts}; other keys are ignored. */
export const promptsSchema = z.object({
  user_llm_system: z.string(),
  user_react_system: z.string(),
  user_instruction_display: z.string(),
  user_verify: z.string(),
  user_reflect: z.string(),
  role_labels: z.record(z.string(), z.string()),
  first_agent_message: z.string(),
  agent_text_system: z.string(),
  agent_react_instruction: z.string(),
  agent_act_instruction: z.string(),
  agent_text_observation_prefix: z.string(),
  agent_text_action_marker: z.string(),
  agent_tool_calling_system: z.string(),
  agent_few_shot_system: z.string(),
}).transform((file): Prompts => ({
  user: {
    system: file.user_llm_system,
    reactSystem: file.user_react_system,
    instructionDisplay: file.user_instruction_display,
    verify: file.user_verify,
    reflect: file.user_reflect,
    roleLabels: file.role_labels,
    firstAgentMessage: file.first_agent_message,
  },
  agent: {
    textSystem: file.agent_text_system,
    reactInstruction: file.agent_react_instruction,
    actInstruction: file.agent_act_instruction,
    observationPrefix: file.agent_text_observation_prefix,
    actionMarker: file.agent_text_action_marker,
    toolCallingSystem: file.agent_tool_calling_system,
    fewShotSystem: file.agent_few_shot_system,
  },
}));

/** Converts prompts to the format of `prompts.json`. This is the inverse of {@linkcode promptsSchema}. */
export function promptsFile(
  { user, agent }: Prompts,
): z.input<typeof promptsSchema> {
  return {
    user_llm_system: user.system,
    user_react_system: user.reactSystem,
    user_instruction_display: user.instructionDisplay,
    user_verify: user.verify,
    user_reflect: user.reflect,
    role_labels: { ...user.roleLabels },
    first_agent_message: user.firstAgentMessage,
    agent_text_system: agent.textSystem,
    agent_react_instruction: agent.reactInstruction,
    agent_act_instruction: agent.actInstruction,
    agent_text_observation_prefix: agent.observationPrefix,
    agent_text_action_marker: agent.actionMarker,
    agent_tool_calling_system: agent.toolCallingSystem,
    agent_few_shot_system: agent.fewShotSystem,
  };
}

/**
 * Fills the placeholders of a template in one pass. Placeholders inside values are not filled, and a placeholder
 * without a value stays as it is.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { fillPrompt } from "./prompts.ts";
 * equal(fillPrompt("Dear <<name>>", { name: "<<name>>" }), "Dear <<name>>");
 * ```
 */
export function fillPrompt(
  template: string,
  values: Readonly<Record<string, string>>,
): string {
  return template.replace(
    /<<(\w+)>>/g,
    (placeholder, name: string) =>
      Object.hasOwn(values, name) ? values[name]! : placeholder,
  );
}
