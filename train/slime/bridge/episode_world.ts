/** Opens what an episode server needs to run the episodes of a slime recipe. */

import { join } from "node:path";
import { DataError } from "../../../env/errors.ts";
import { createMeter } from "../../../env/models/meter.ts";
import { createCaller } from "../../../env/models/call_policy.ts";
import type { EpisodeWorld } from "../../../env/serve/episode_service.ts";
import { loadChatTemplate } from "../../../env/tokens/chat_template.ts";
import { loadTokenizer } from "../../../env/tokens/tokenizer.ts";
import { thinkingVariables } from "../../../env/models/thought.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { Codec } from "../../../env/tokens/conversation.ts";
import { openDataset } from "../../config/open_dataset.ts";
import { codecOf } from "../../cpu/policy_agent.ts";
import { readRunTokenizer } from "../../cpu/run_tokenizer.ts";
import { readTextIfThere } from "../../runs/storage.ts";
import { openUser } from "../../config/open_user.ts";
import { ROUTER_KEY } from "../router_key.ts";
import { engineHostsOf } from "./run_engines.ts";
import type { SlimeConfig } from "../slime_schema.ts";

/**
 * The time limit in milliseconds of one attempt of a request to an engine, including the wait in the engine's queue.
 */
const TURN_TIMEOUT_MS = 600_000;

/**
 * Opens the dataset, tokenizer and user of a recipe. If a model plays the user, the model is probed first.
 * @throws {ConfigError} If the model that plays the user does not answer, the address of an engine is not
 * `HOST[:PORT]`, or the settings of the dataset are invalid.
 * @throws {DataError} If the dataset, the tokenizer or the chat template is damaged or missing.
 */
export async function openEpisodeWorld(
  config: SlimeConfig,
  options: CallOptions & {
    readonly env?: (name: string) => string | undefined;
    /** Engines to allow in addition to the recipe's, each as `HOST[:PORT]`. Default: none. */
    readonly allowEngines?: readonly string[] | undefined;
  } = {},
): Promise<EpisodeWorld> {
  const { agent, prompt, compat, model, rollout } = config;
  const dataset = await openDataset(config.data);
  const codec = await openCodec(model);
  const meter = createMeter({ ...config.budget, prices: config.prices });
  const { env = Deno.env.get } = options;
  const engineKey = env(ROUTER_KEY) || undefined;
  const user = await openUser(config, { ...options, dataset, meter });
  return {
    dataset,
    codec,
    strategy: agent,
    prompt,
    compat,
    user,
    userName: user.label ?? "custom",
    meter,
    caller: createCaller({
      source: "model",
      timeoutMs: TURN_TIMEOUT_MS,
      retries: 6,
      backoffMs: 250,
    }),
    engineHosts: engineHostsOf(config, options.allowEngines),
    ...(engineKey === undefined ? {} : { engineKey }),
    modelName: model.name,
    contextLength: rollout.maxContextLen,
    maxTokensPerTurn: rollout.maxResponseLen,
    maxTurns: rollout.maxTurns,
  };
}

/**
 * Opens a model's tokenizer and chat template. The model's directory is either in Hugging Face's layout, or a run dir
 * of the embedded trainer.
 */
async function openCodec(
  { directory, thinking, toolCalls }: SlimeConfig["model"],
): Promise<Codec> {
  if (await readTextIfThere(join(directory, "run.json")) === undefined) {
    const tokenizer = await loadTokenizer(directory);
    const template = await loadChatTemplate(directory, {
      tokenizer,
      variables: thinkingVariables(thinking),
    });
    return { tokenizer, template, toolCalls: toolCalls ?? undefined };
  }
  const hint =
    "restore the tokenizer from a backup, or set model.directory to another model";
  const files = await readRunTokenizer(directory, { hint });
  if (files !== undefined) return codecOf(files, directory);
  throw new DataError(
    `The run "${directory}" has no tokenizer`,
    { path: directory, hint: hint },
  );
}
