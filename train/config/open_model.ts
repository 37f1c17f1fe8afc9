/** The models that a config names, behind their endpoints. */

import type { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import { createCaller } from "../../env/models/call_policy.ts";
import { checkModel } from "../../env/models/check_model.ts";
import { type Endpoint, resolveEndpoint } from "../../env/models/endpoints.ts";
import { createMeter, type Meter } from "../../env/models/meter.ts";
import { openaiChatModel } from "../../env/models/openai.ts";
import { createRateLimiter } from "../../env/models/rate_limit.ts";
import type { CallOptions, ChatModel } from "../../env/types.ts";
import type { DeepReadonly } from "./config_schema.ts";
import { endpointSchema } from "./config_sections.ts";

/** A model at an endpoint, as configs have it. */
export type EndpointConfig = DeepReadonly<z.infer<typeof endpointSchema>>;

/** What a model is opened with. */
export interface OpenModelOptions extends CallOptions {
  /** Whose failures its failures are. */
  readonly source: "model" | "user";
  readonly meter: Meter;
  /** The flag that names it, for errors: `--user-model`. */
  readonly flag: string;
  /** Reads a variable of the environment. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
  /** Hears each answer of the server. */
  readonly onResponse?: (response: Response) => void;
}

/**
 * Opens a chat model, and asks it for a word before anything depends on it.
 * @throws {ConfigError} If no model is named, its key is missing, a budget cannot be kept, or it does not answer.
 */
export async function openChatModel(
  config: EndpointConfig,
  options: OpenModelOptions,
): Promise<ChatModel> {
  const { source, meter, flag, signal, onResponse } = options;
  const model = modelName(config, flag);
  meter.requirePrice(model);
  const endpoint = resolveEndpoint({ ...config, ...options });
  const chat = openaiChatModel({
    ...config,
    endpoint,
    model,
    source,
    meter,
    caller: callerOf(config, source),
    ...(onResponse === undefined ? {} : { onResponse }),
  });
  await checkModel(chat, whereabouts(flag, model, endpoint), {
    endpoint,
    signal,
  });
  return chat;
}

/**
 * Opens a chat model for a script, and asks it for a word before anything depends on it:
 *
 *     const model = await connectModel({ provider: "vllm", model: "Qwen/Qwen3-4B" });
 *
 * Keys come from the environment: `OPENAI_API_KEY` and the like.
 * @throws {ConfigError} If a setting is wrong, no model is named, its key is missing, or it does not answer.
 */
export async function connectModel(
  input: z.input<typeof endpointSchema>,
  options: Partial<Omit<OpenModelOptions, "flag">> = {},
): Promise<ChatModel> {
  const parsed = endpointSchema.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const key = issue.path.map(String).join(".");
    throw new ConfigError(
      `Cannot connect to a model: ${key || "the settings"}: ${issue.message}`,
      { cause: parsed.error },
    );
  }
  return await openChatModel(parsed.data, {
    source: "model",
    meter: createMeter(),
    ...options,
    flag: "model",
  });
}

/** Makes the calls of an endpoint, with its own rate limit. */
export function callerOf(
  { calls }: Pick<EndpointConfig, "calls">,
  source: "model" | "user",
) {
  const { timeoutS, retries, backoffMs, requestsPerMinute } = calls;
  return createCaller({
    source,
    timeoutMs: timeoutS * 1000,
    retries,
    backoffMs,
    limiter: createRateLimiter({ requestsPerMinute }),
  });
}

/** @throws {ConfigError} If none is named. */
export function modelName({ model }: EndpointConfig, flag: string): string {
  if (model !== null) return model;
  throw new ConfigError("No model is named", { hint: `pass ${flag} NAME` });
}

function whereabouts(flag: string, model: string, endpoint: Endpoint): string {
  return `${flag} ${model} (${endpoint.provider}, ${endpoint.baseUrl})`;
}
