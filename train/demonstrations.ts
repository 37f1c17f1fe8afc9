/** Demonstrations: the expert's conversations on train tasks, and their token sequences. */

import { expertAgent } from "../env/agents/expert.ts";
import { agentStrategy } from "../env/agents/registry.ts";
import { fewShotExamples, fewShotSystem } from "../env/agents/few_shot.ts";
import { textConversation } from "../env/agents/text_conversation.ts";
import { createRng, deriveSeed } from "../env/random.ts";
import { rolloutAll } from "../env/rollout.ts";
import type { Codec } from "../env/tokens/conversation.ts";
import { demonstrationTrajectory } from "../env/tokens/demonstration.ts";
import {
  type Agent,
  type Dataset,
  type Message,
  STAND_IN,
  type ToolSchema,
} from "../env/types.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import type { Config } from "./config/config.ts";
import type { TrainSequence } from "./trainer.ts";

/** An expert's conversations. */
export interface Conversations {
  /** The conversations that earned the reward, `[N]`, in the form of the config's agent. */
  readonly solved: readonly (readonly Message[])[];
  /**
   * The same conversations, `[N]`, with structured tool calls and results, so that a tokenizer can tell data from
   * prose.
   */
  readonly asCalls: readonly (readonly Message[])[];
  /** The number of train tasks that the expert tried and did not solve. */
  readonly unsolved: number;
}

/** Runs the expert with the scripted user on train tasks and keeps the conversations that earn the reward. */
export async function expertConversations(
  dataset: Dataset,
  config: Config,
): Promise<Conversations> {
  const all = dataset.tasks("train");
  const { demonstrations } = config.coldStart;
  const tasks = demonstrations === 0
    ? all
    : createRng(config.seed, "demonstrated tasks").shuffle(all).slice(
      0,
      demonstrations,
    );
  const agent = await demonstrator(dataset, config);
  const user = scriptedUser(dataset);
  const specs = tasks.map((task) => ({
    dataset,
    task,
    agent,
    user,
    judge: STAND_IN,
    seed: deriveSeed(config.seed, "demonstration", task.id),
    maxTurns: config.rollout.maxTurns,
  }));
  const episodes = await rolloutAll(specs, { concurrency: 1, now: () => 0 });
  const solved = episodes.filter(({ reward }) => reward?.value === 1);
  const asCalls = solved.map(({ messages }) => messages);
  return {
    solved: asCalls.map((messages) => inForm(messages, dataset, config)),
    asCalls,
    unsolved: episodes.length - solved.length,
  };
}

/** Returns the expert, with the prompt of the config's agent. */
async function demonstrator(
  dataset: Dataset,
  { agent, prompt }: Config,
): Promise<Agent> {
  if (agent !== "few-shot") return expertAgent({ prompt });
  const examples = await fewShotExamples(dataset);
  return expertAgent({
    system: ({ seed }) => fewShotSystem(dataset, { examples, seed }),
  });
}

/** Converts the expert's conversation to the form of the config's agent. */
function inForm(
  messages: readonly Message[],
  dataset: Dataset,
  { agent, prompt }: Config,
): readonly Message[] {
  const { text } = agentStrategy(agent);
  return text === undefined
    ? messages
    : textConversation(messages, { dataset, strategy: text, prompt });
}

/** Options for {@linkcode demonstrationSequences}. */
export interface SequenceOptions extends Codec {
  /** The tools in the policy's prompt; may be empty. */
  readonly tools: readonly ToolSchema[];
  /** The maximum length of a sequence in tokens; longer conversations are dropped. */
  readonly maxTokens: number;
}

/**
 * Converts conversations to the token sequences that the policy would have sampled, and counts and drops those that are
 * too long.
 */
export function demonstrationSequences(
  conversations: readonly (readonly Message[])[],
  options: SequenceOptions,
): { sequences: TrainSequence[]; tooLong: number } {
  const all = conversations.map((messages) => ({
    ...demonstrationTrajectory({ ...options, messages }),
    advantage: 1,
  }));
  const sequences = all.filter(({ ids }) => ids.length <= options.maxTokens);
  return { sequences, tooLong: all.length - sequences.length };
}
