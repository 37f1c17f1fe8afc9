/** What an episode server is made of, as a slime recipe has it. */

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

/** A turn may wait for the engine's queue, and never for ever. */
const TURN_TIMEOUT_MS = 600_000;

/**
 * Opens it; a model that plays the user is asked for a word first.
 * @throws {ConfigError} If that model is not there, or an allowed engine is not HOST[:PORT].
 * @throws {DataError} If the data, the tokenizer or its template are damaged or not there.
 */
export async function openEpisodeWorld(
  config: SlimeConfig,
  options: CallOptions & {
    readonly env?: (name: string) => string | undefined;
    /** `HOST[:PORT]` of engines beyond those of the recipe. */
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

/** Of a model in Hugging Face's layout; or of a run of the embedded trainer, whose policy stands in for one. */
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
  const wayOut = "restore it, or name another run";
  const files = await readRunTokenizer(directory, { wayOut });
  if (files !== undefined) return codecOf(files, `"${directory}"`);
  throw new DataError(
    `The run "${directory}" has no tokenizer`,
    { path: directory, hint: wayOut },
  );
}
