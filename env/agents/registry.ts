/** The agents by the names of their strategies, and what a script adds to them. */

import { ConfigError } from "../errors.ts";
import { Registry } from "../registry.ts";
import type { Agent, ChatModel, Dataset } from "../types.ts";
import { fewShotAgent, fewShotExamples } from "./few_shot.ts";
import { textAgent, type TextStrategy } from "./text.ts";
import { type PromptStyle, toolCallingAgent } from "./tool_calling.ts";

/** How a model serves users. */
export interface AgentStrategy {
  /** Makes the agent. */
  open(options: AgentWorld): Agent | Promise<Agent>;
  /** The form of its actions where they are text; a cold start writes demonstrations so. Default: tool calls. */
  readonly text?: TextStrategy;
  /** Whether the prompt is what distinguishes it, so that it refuses to be shown none. Default: false. */
  readonly needsPrompt?: boolean;
}

/** What an agent is made of. */
export interface AgentWorld {
  readonly model: ChatModel;
  readonly dataset: Dataset;
  readonly prompt: PromptStyle;
  /** As {@linkcode TextAgentOptions.compat}. */
  readonly compat: boolean;
}

const agents = new Registry<AgentStrategy>("agent", {
  "tool-calling": { open: toolCallingAgent },
  act: textStrategy("act"),
  react: textStrategy("react"),
  "few-shot": {
    open: async ({ model, dataset }) =>
      fewShotAgent({ model, examples: await fewShotExamples(dataset) }),
    needsPrompt: true,
  },
});

function textStrategy(strategy: TextStrategy): AgentStrategy {
  return {
    open: ({ model, prompt, compat }) =>
      textAgent({ model, strategy, prompt, compat }),
    text: strategy,
  };
}

/**
 * Adds an agent that configs name by `agent`.
 * @throws {ConfigError} If the name is taken.
 * @example
 * ```ts
 * import { registerAgent, toolCallingAgent } from "../../mod.ts";
 * registerAgent("silent", {
 *   open: ({ model }) => toolCallingAgent({ model, prompt: "none" }),
 * });
 * ```
 */
export function registerAgent(name: string, strategy: AgentStrategy): void {
  agents.register(name, strategy);
}

/** The strategy of a name. @throws {ConfigError} If it is not registered. */
export function agentStrategy(name: string): AgentStrategy {
  return agents.get(name);
}

/** The schema of an agent's name. @param also Names that are valid beside those of strategies. */
export function agentName(...also: readonly string[]) {
  return agents.schema(also);
}

/** Settings of {@linkcode openAgent}. */
export interface OpenAgentOptions extends Partial<AgentWorld> {
  readonly model: ChatModel;
  readonly dataset: Dataset;
}

/**
 * The agent of a strategy; by default it is shown the full prompt.
 * @throws {ConfigError} If it is not registered, is to be shown nothing though its prompt is what distinguishes it,
 * or has too few examples.
 */
export async function openAgent(
  name: string,
  { prompt = "full", compat = false, ...world }: OpenAgentOptions,
): Promise<Agent> {
  const strategy = agents.get(name);
  if (strategy.needsPrompt && prompt === "none") {
    throw new ConfigError(
      `The ${name} agent without a prompt is the tool-calling agent`,
      { hint: "set prompt: full, or choose tool-calling" },
    );
  }
  return await strategy.open({ ...world, prompt, compat });
}
