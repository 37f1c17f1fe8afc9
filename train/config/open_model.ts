/** Opens the models that a config names, at their endpoints. */

import type { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import { createCaller } from "../../env/models/call_policy.ts";
import { checkModel } from "../../env/models/check_model.ts";
import { type Endpoint, resolveEndpoint } from "../../env/models/endpoints.ts";
import { createMeter, type Meter } from "../../env/models/meter.ts";
import { openaiChatModel } from "../../env/models/openai.ts";
import { createRateLimiter } from "../../env/models/rate_limit.ts";
import { explainIssue } from "../../env/schema_issue.ts";
import type { CallOptions, ChatModel } from "../../env/types.ts";
import type { DeepReadonly } from "./config_schema.ts";
import { endpointSchema } from "./config_sections.ts";

/** The resolved config of a model at an endpoint. */
export type EndpointConfig = DeepReadonly<z.infer<typeof endpointSchema>>;

/** Options for {@linkcode openChatModel}. */
export interface OpenModelOptions extends CallOptions {
  /** The component to which failures of the model are attributed. */
  readonly source: "model" | "user";
  readonly meter: Meter;
  /** The flag that names the model, for errors: `--user-model`. */
  readonly flag: string;
  /** Reads an environment variable. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
  /** Called with each response of the server. */
  readonly onResponse?: (response: Response) => void;
}

/**
 * Opens a chat model and checks with a short request that it answers.
 * @throws {ConfigError} If no model is named, its API key is missing, a budget cannot be enforced, or the model does
 * not answer.
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
 * Opens a chat model for a script and checks with a short request that it answers:
 *
 *     const model = await connectModel({ provider: "vllm", model: "Qwen/Qwen3-4B" });
 *
 * API keys come from environment variables such as `OPENAI_API_KEY`.
 * @throws {ConfigError} If a setting is wrong, no model is set, its API key is missing, a budget cannot be enforced, or
 * the model does not answer.
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
      `Cannot connect to a model: ${key === "" ? "" : `${key}: `}${
        explainIssue(issue, undefined)
      }`,
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

/** Creates the function that calls an endpoint, with the endpoint's own timeout, retries and rate limit. */
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

/**
 * Returns the name of the model.
 * @throws {ConfigError} If no model is set.
 */
export function modelName({ model }: EndpointConfig, flag: string): string {
  if (model !== null) return model;
  const whose = flag === "--user-model" ? " for the simulated user" : "";
  throw new ConfigError(`No model is set${whose}`, {
    hint: flag.startsWith("--")
      ? `pass ${flag} NAME`
      : `set ${flag} to its name`,
  });
}

function whereabouts(flag: string, model: string, endpoint: Endpoint): string {
  return `${flag} ${model} (${endpoint.provider}, ${endpoint.baseUrl})`;
}
