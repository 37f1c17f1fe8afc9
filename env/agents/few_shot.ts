/** The few-shot agent: the tool-calling agent with example conversations in its prompt. */

import { ConfigError } from "../errors.ts";
import { fillPrompt } from "../prompts.ts";
import { createRng, deriveSeed } from "../random.ts";
import { rollout } from "../rollout.ts";
import type { Agent, ChatModel, Dataset, Message } from "../types.ts";
import { scriptedUser } from "../users/scripted.ts";
import { ChatSession, withHistory } from "./_chat_session.ts";
import { expertAgent } from "./expert.ts";
import { toolForm } from "./tool_calling.ts";

/** How many examples a prompt shows, as in τ-bench. */
export const EXAMPLES_SHOWN = 5;

/** Settings of {@linkcode fewShotAgent}. */
export interface FewShotOptions {
  readonly model: ChatModel;
  /** Conversations as text; each episode shows some of them, drawn by its seed. See {@linkcode fewShotExamples}. */
  readonly examples: readonly string[];
  /** Default: {@linkcode EXAMPLES_SHOWN}. */
  readonly shown?: number;
}

/**
 * A tool-calling agent that is shown examples.
 * @throws {ConfigError} If there are fewer examples than are to be shown.
 */
export function fewShotAgent(options: FewShotOptions): Agent {
  const { model, examples, shown = EXAMPLES_SHOWN } = options;
  if (examples.length < shown) {
    throw new ConfigError(
      `The few-shot agent shows ${shown} examples and there are ${examples.length}`,
      { hint: "use a dataset with more, or another agent" },
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

/** The system message with the policy and the examples that the seed draws. */
export function fewShotSystem(
  dataset: Pick<Dataset, "policy" | "prompts">,
  { examples, shown = EXAMPLES_SHOWN, seed }: {
    readonly examples: readonly string[];
    /** Default: {@linkcode EXAMPLES_SHOWN}. */
    readonly shown?: number;
    /** The agent's seed of the episode. */
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
 * The dataset's own examples, or where it has none what the expert does on train tasks.
 * @throws {ConfigError} If there are neither examples nor a train split.
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

/** A conversation as τ-bench's examples show it: a line a message, `None` for what was not said. */
function display(messages: readonly Message[]): string {
  return messages.map(({ role, content }) =>
    `${role}: ${role === "assistant" && content === "" ? "None" : content}`
  ).join("\n");
}
