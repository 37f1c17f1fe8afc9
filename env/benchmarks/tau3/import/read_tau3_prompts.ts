/** The prompts of agents, simulated users and judges, out of the source of a τ³-bench checkout. */

import type { PythonModules } from "../../python_source/python_modules.ts";
import type { Checkout } from "../../tau/import/import_tau_bench.ts";
import { GREETING, SOLO_STOP_TOKEN } from "../orchestrator.ts";
import type { Tau3Prompts } from "../tau3_prompts.ts";
import { constantText, textBeginning } from "./source_texts.ts";

/** Where a user who is to say little is told so, since upstream has moved it. */
const TERSE = "## MINIMAL VERBOSITY";

const TERSE_FILES = [
  "user/user_simulator.py",
  "user/user_simulator_base.py",
  "user/base.py",
  "user/persona.py",
  "data_model/persona.py",
  "data_model/tasks.py",
  "config.py",
];

/**
 * Reads the prompts.
 * @param python The directory that holds `tau2/`.
 * @throws {DataError} If one is not where it is known to be; names the file.
 */
export async function importTau3Prompts(
  modules: PythonModules,
  { python, read }: { python: string; read: Checkout["read"] },
): Promise<Tau3Prompts> {
  const file = (name: string) => modules.source(`${python}/tau2/${name}`);
  const agent = await file("agent/llm_agent.py");
  const user = await file("user/user_simulator.py");
  const base = await file("user/base.py");
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
  const solo = await constant(agent, "AGENT_SOLO_INSTRUCTION");
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
    agent_solo_instruction: solo.replaceAll("{stop_function_name}", "done"),
    agent_solo_system: await constant(
      agent,
      "SYSTEM_PROMPT_SOLO",
      instructions("agent_solo_instruction"),
    ),
    telecom_policy:
      "<main_policy>\n<<main_policy>>\n</main_policy>\n<tech_support_policy>\n<<tech_support>>\n</tech_support_policy>",
    user_system: await constant(user, "SYSTEM_PROMPT", {
      global_user_sim_guidelines: "guidelines",
      instructions: "instructions",
    }),
    persona_minimal_verbosity: await terseText(modules, { python, read }),
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
    first_agent_message: GREETING,
    user_stop_tokens: [
      await constant(base, "STOP"),
      await constant(base, "TRANSFER"),
      await constant(base, "OUT_OF_SCOPE"),
    ],
    solo_stop_token: SOLO_STOP_TOKEN,
  };
}

/** What a user is told who says little; empty where this version of upstream has no such user. */
async function terseText(
  modules: PythonModules,
  { python, read }: { python: string; read: Checkout["read"] },
): Promise<string> {
  for (const name of TERSE_FILES) {
    const path = `${python}/tau2/${name}`;
    if (!(await read(path))?.includes(TERSE)) continue;
    const source = await modules.source(path);
    return textBeginning(source, { begins: TERSE }).trim();
  }
  return "";
}
