/**
 * Checks lengths: the prompt and a whole conversation must fit in the context, and an episode that fills the context
 * must fit in the model's positions and in a micro-batch.
 */

import { modelJsonIfAny } from "../../../../env/tokens/model_dir.ts";
import { z } from "zod";
import { openAgent } from "../../../../env/agents/registry.ts";
import { callTool } from "../../../../env/call_tool.ts";
import { domainOf } from "../../../../env/domains/registry.ts";
import { tokenChatModel } from "../../../../env/models/token_chat.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import type { Codec } from "../../../../env/tokens/conversation.ts";
import type { Dataset, Task, TokenModel } from "../../../../env/types.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import { type Check, fail, type Observed, verdict, warn } from "../check.ts";

/**
 * The maximum number of training tasks whose gold actions are replayed. A sample of this size usually contains one of
 * the longest tasks.
 */
const SAMPLE = 100;

/** The estimated number of tokens that a template writes around a call and its result. */
const WRAPPING_TOKENS = 30;

/** The `context` check. */
export const check: Check = {
  id: "context",
  order: 140,
  title:
    "prompt, conversation and answer fit in the context, and the context fits on a GPU",
  async run({ config, facts }) {
    const dataset = await facts.dataset();
    const codec = await facts.codec();
    const lengths = await measure(config, { dataset, codec });
    const text = await facts.modelFile("config.json");
    return verdict(
      [
        ...promptFaults(lengths, config),
        ...modelFaults(text ?? "{}", config),
        ...gpuFaults(config),
      ],
      `${
        describe(lengths)
      }; rollout.maxContextLen is ${config.rollout.maxContextLen}`,
    );
  },
};

/** Lengths in tokens. */
interface Lengths {
  /** The length of the text before the first answer: the policy, the tools and the user's first message. */
  readonly prompt: number;
  /** The length of the gold actions' calls and results, for the median task and for the longest task. */
  readonly gold: { readonly median: number; readonly longest: number };
}

async function measure(
  config: SlimeConfig,
  { dataset, codec }: { dataset: Dataset; codec: Codec },
): Promise<Lengths> {
  const tasks = dataset.tasks("train").slice(0, SAMPLE);
  const golds = tasks.map((task) => goldTokens(task, { dataset, codec }))
    .sort((a, b) => a - b);
  return {
    prompt: await promptTokens(config, { dataset, codec, task: tasks[0]! }),
    gold: {
      median: golds[Math.floor(golds.length / 2)] ?? 0,
      longest: golds.at(-1) ?? 0,
    },
  };
}

/** Returns the number of tokens in the first prompt that the recipe's agent sends. */
async function promptTokens(
  { agent: strategy, prompt, compat }: SlimeConfig,
  { dataset, codec, task }: { dataset: Dataset; codec: Codec; task: Task },
): Promise<number> {
  let length = 0;
  const [end = 0] = codec.tokenizer.stopIds;
  const model: TokenModel = {
    name: "a prompt's length",
    contextLength: Number.MAX_SAFE_INTEGER,
    generate({ ids }) {
      length = ids.length;
      return Promise.resolve({
        ids: [end],
        logprobs: [0],
        finishReason: "stop",
      });
    },
  };
  const agent = await openAgent(strategy, {
    model: tokenChatModel(model, {
      ...codec,
      temperature: 1,
      maxTokensPerTurn: 1,
    }),
    dataset,
    prompt,
    compat,
  });
  // Users usually start with a part of their instruction.
  const firstMessage = task.instruction.slice(0, 200);
  const session = agent.start({ dataset, task, seed: 1, firstMessage });
  await session.act();
  session.close();
  return length;
}

function goldTokens(
  task: Task,
  { dataset, codec: { tokenizer } }: { dataset: Dataset; codec: Codec },
): number {
  const domain = domainOf(task);
  const database = dataset.database.fork();
  const calls = task.actions.map((action) => {
    const observation = callTool(domain, database, action);
    const call = printPythonJson(action.arguments, { ensureAscii: false });
    return tokenizer.encode(observation).length +
      tokenizer.encode(`${action.name}${call}`).length + WRAPPING_TOKENS;
  });
  return calls.reduce((sum, count) => sum + count, 0);
}

function describe({ prompt, gold }: Lengths): string {
  return `the prompt has ${prompt} tokens; gold calls and their results add a median of ${gold.median} and at most ${gold.longest}`;
}

function promptFaults(lengths: Lengths, { rollout }: SlimeConfig): Observed[] {
  const { maxContextLen, maxResponseLen } = rollout;
  const { prompt, gold } = lengths;
  if (prompt + maxResponseLen > maxContextLen) {
    return [fail(
      `the prompt has ${prompt} tokens and an answer may have ${maxResponseLen}, but rollout.maxContextLen is ${maxContextLen}`,
      `set rollout.maxContextLen to ${
        roundUp(prompt + gold.longest + maxResponseLen)
      } or more${
        prompt < maxContextLen ? ", or lower rollout.maxResponseLen" : ""
      }`,
    )];
  }
  const whole = prompt + gold.longest + maxResponseLen;
  return whole <= maxContextLen ? [] : [warn(
    `the longest tasks need about ${whole} tokens, but rollout.maxContextLen is ${maxContextLen}, so their episodes would end without a reward: ${
      describe(lengths)
    }, and an answer may have ${maxResponseLen}`,
    `set rollout.maxContextLen to ${roundUp(whole)} or more`,
  )];
}

const configSchema = z.looseObject({
  max_position_embeddings: z.int().optional(),
});

function modelFaults(
  text: string,
  { rollout, model }: SlimeConfig,
): Observed[] {
  const most = configSchema.safeParse(modelJsonIfAny(text)).data
    ?.max_position_embeddings;
  if (most === undefined || rollout.maxContextLen <= most) return [];
  return [fail(
    `rollout.maxContextLen is ${rollout.maxContextLen}, but ${model.name} supports at most ${most} positions`,
    `set rollout.maxContextLen to ${most} or less`,
  )];
}

function gpuFaults({ rollout, parallel }: SlimeConfig): Observed[] {
  const { dynamicBatch, maxTokensPerGpu, context } = parallel;
  const room = maxTokensPerGpu * context;
  if (!dynamicBatch || rollout.maxContextLen <= room) return [];
  return [warn(
    `an episode may have ${rollout.maxContextLen} tokens, but a micro-batch only ${room} (parallel.maxTokensPerGpu × parallel.context); a longer episode gets a separate micro-batch, which may run out of memory`,
    `set parallel.maxTokensPerGpu to ${
      Math.ceil(rollout.maxContextLen / context)
    } if GPU memory allows it, or raise parallel.context`,
  )];
}

function roundUp(tokens: number): number {
  return Math.ceil(tokens / 1024) * 1024;
}
