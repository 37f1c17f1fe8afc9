/** Implements the few-shot agent: the tool-calling agent with example conversations in its prompt. */

import { ConfigError } from "../errors.ts";
import { fillPrompt } from "../prompts.ts";
import { createRng, deriveSeed } from "../random.ts";
import { rollout } from "../rollout.ts";
import type { Agent, ChatModel, Dataset, Message } from "../types.ts";
import { scriptedUser } from "../users/scripted.ts";
import { ChatSession, withHistory } from "./_chat_session.ts";
import { expertAgent } from "./expert.ts";
import { toolForm } from "./tool_calling.ts";

/** The default number of examples in a prompt, the same as in τ-bench. */
export const EXAMPLES_SHOWN = 5;

/** Options for {@linkcode fewShotAgent}. */
export interface FewShotOptions {
  readonly model: ChatModel;
  /**
   * Example conversations as text, from {@linkcode fewShotExamples}. An episode's seed determines which of them are
   * shown.
   */
  readonly examples: readonly string[];
  /** The number of examples in a prompt. Default: {@linkcode EXAMPLES_SHOWN}. */
  readonly shown?: number;
}

/**
 * Creates a tool-calling agent with examples in its prompt.
 * @throws {ConfigError} If there are fewer examples than `shown`.
 */
export function fewShotAgent(options: FewShotOptions): Agent {
  const { model, examples, shown = EXAMPLES_SHOWN } = options;
  if (examples.length < shown) {
    throw new ConfigError(
      `Too few examples for the few-shot agent: the dataset has ${examples.length}, but the agent needs ${shown}`,
      { hint: "use a dataset with more examples, or another agent" },
    );
  }
  return {
    name: "few-shot",
    model: model.name,
    start({ dataset, firstMessage, seed, history }) {
      const opening: Message[] = [
        fewShotSystem(dataset, { examples, shown, seed }),
        { role: "user", content: firstMessage },
      ];
      const chat = model.chat({ tools: dataset.tools, seed });
      return new ChatSession(
        chat,
        withHistory(opening, { history, form: toolForm }),
        toolForm,
      );
    },
  };
}

/** Returns the system message with the policy and the examples drawn with the seed. */
export function fewShotSystem(
  dataset: Pick<Dataset, "policy" | "prompts">,
  { examples, shown = EXAMPLES_SHOWN, seed }: {
    readonly examples: readonly string[];
    /** The number of examples in the prompt. Default: {@linkcode EXAMPLES_SHOWN}. */
    readonly shown?: number;
    /** The episode's seed for the agent. */
    readonly seed: number;
  },
): Message {
  const chosen = createRng(seed, "examples").shuffle(examples).slice(0, shown);
  const content = fillPrompt(dataset.prompts().agent.fewShotSystem, {
    wiki: dataset.policy,
    few_shot_examples: chosen.map((text, i) => `Example ${i + 1}:\n${text}`)
      .join("\n\n"),
  });
  return { role: "system", content };
}

/**
 * Returns the dataset's examples or, if it has none, up to `count` of the expert's successful conversations on train
 * tasks.
 * @throws {ConfigError} If there are neither examples nor a train split.
 * @throws {MissingPartError} If there are no examples and the domain has no scripted user.
 */
export async function fewShotExamples(
  dataset: Dataset,
  { seed = 1, count = 2 * EXAMPLES_SHOWN }: { seed?: number; count?: number } =
    {},
): Promise<readonly string[]> {
  if (dataset.fewShot.length > 0) return dataset.fewShot;
  const tasks = createRng(seed, "example tasks").shuffle(
    dataset.tasks("train"),
  );
  const user = scriptedUser(dataset);
  const displays: string[] = [];
  for (const task of tasks) {
    if (displays.length === count) break;
    const episode = await rollout({
      dataset,
      task,
      user,
      userName: "scripted",
      agent: expertAgent({ prompt: "none" }),
      seed: deriveSeed(seed, "example", task.id),
      now: () => 0,
    });
    if (episode.reward?.value === 1) displays.push(display(episode.messages));
  }
  return displays;
}

/**
 * Formats a conversation as in τ-bench's examples: `role: content` for each message, with `None` for an empty agent
 * message.
 */
function display(messages: readonly Message[]): string {
  return messages.map(({ role, content }) =>
    `${role}: ${role === "assistant" && content === "" ? "None" : content}`
  ).join("\n");
}
