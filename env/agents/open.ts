/** The agents by the names of their strategies. */

import { ConfigError } from "../errors.ts";
import type { Agent, ChatModel, Dataset } from "../types.ts";
import { fewShotAgent, fewShotExamples } from "./few_shot.ts";
import { textAgent } from "./text.ts";
import { type PromptStyle, toolCallingAgent } from "./tool_calling.ts";

/** The strategies that ask a model. */
export type AgentStrategy = "tool-calling" | "act" | "react" | "few-shot";

/** Settings of {@linkcode openAgent}. */
export interface OpenAgentOptions {
  readonly model: ChatModel;
  /** Where the few-shot agent has its examples from. */
  readonly dataset: Dataset;
  /** Default: `full`. */
  readonly prompt?: PromptStyle;
  /** As {@linkcode TextAgentOptions.compat}. */
  readonly compat?: boolean;
}

/**
 * The agent of a strategy.
 * @throws {ConfigError} If the few-shot agent is to be shown nothing, or has too few examples.
 */
export async function openAgent(
  strategy: AgentStrategy,
  { model, dataset, prompt = "full", compat = false }: OpenAgentOptions,
): Promise<Agent> {
  switch (strategy) {
    case "tool-calling":
      return toolCallingAgent({ model, prompt });
    case "act":
    case "react":
      return textAgent({ model, strategy, prompt, compat });
    case "few-shot":
      if (prompt === "none") {
        throw new ConfigError(
          "The few-shot agent without a prompt is the tool-calling agent",
          { hint: "set prompt: full, or choose tool-calling" },
        );
      }
      return fewShotAgent({ model, examples: await fewShotExamples(dataset) });
  }
}
