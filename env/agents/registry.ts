/** Maintains the registry of agent strategies. Scripts may register additional strategies. */

import { ConfigError } from "../errors.ts";
import { Registry } from "../registry.ts";
import type { Agent, ChatModel, Dataset } from "../types.ts";
import { fewShotAgent, fewShotExamples } from "./few_shot.ts";
import { textAgent, type TextStrategy } from "./text.ts";
import { type PromptStyle, toolCallingAgent } from "./tool_calling.ts";

/** An agent strategy: how a model sees the world and acts in it. */
export interface AgentStrategy {
  /** Creates an agent that follows the strategy with the given model and settings. */
  open(options: AgentStrategyOptions): Agent | Promise<Agent>;
  /**
   * The form of the agent's actions if they are text. The demonstrations for a cold start use the same form. Default:
   * actions are tool calls.
   */
  readonly text?: TextStrategy;
  /**
   * Whether the strategy requires a prompt: true if it differs from the tool-calling agent only in the prompt. Default:
   * false.
   */
  readonly needsPrompt?: boolean;
}

/** The model and the settings for {@linkcode AgentStrategy.open}. */
export interface AgentStrategyOptions {
  readonly model: ChatModel;
  readonly dataset: Dataset;
  readonly prompt: PromptStyle;
  /** See {@linkcode TextAgentOptions.compat}. */
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
 * Registers an agent strategy, so that configs can name it as `agent`.
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

/**
 * Returns the strategy with this name.
 * @throws {ConfigError} If no strategy has this name.
 */
export function agentStrategy(name: string): AgentStrategy {
  return agents.get(name);
}

/**
 * Returns the schema of an agent's name.
 * @param also Additional names that the schema accepts.
 */
export function agentName(...also: readonly string[]) {
  return agents.schema(also);
}

/** Options for {@linkcode openAgent}. */
export interface OpenAgentOptions extends Partial<AgentStrategyOptions> {
  readonly model: ChatModel;
  readonly dataset: Dataset;
}

/**
 * Creates an agent with the given strategy, by default with the full prompt.
 * @throws {ConfigError} If the strategy is not registered, if it needs a prompt and `prompt` is `none`, or if there are
 * too few examples.
 */
export async function openAgent(
  name: string,
  { prompt = "full", compat = false, ...world }: OpenAgentOptions,
): Promise<Agent> {
  const strategy = agents.get(name);
  if (strategy.needsPrompt && prompt === "none") {
    throw new ConfigError(
      `The agent "${name}" requires a prompt, but prompt is "none"`,
      { hint: 'set prompt to "full", or use the tool-calling agent' },
    );
  }
  return await strategy.open({ ...world, prompt, compat });
}
