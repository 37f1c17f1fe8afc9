/** The first real call: what is wrong with an endpoint is told before an episode begins. */

import { ConfigError, InfrastructureError } from "../errors.ts";
import { nearest } from "../schema_issue.ts";
import type { CallOptions, ChatModel } from "../types.ts";
import { CallFailure } from "./call_policy.ts";
import type { Endpoint } from "./endpoints.ts";
import { findModels, type ModelList } from "./model_list.ts";

/** Settings of {@linkcode checkModel}. */
export interface CheckOptions extends CallOptions {
  /** Where the model is, to name the key's variable and the models that there are. */
  readonly endpoint?: Endpoint;
}

/** How many models an error names. */
const NAMES_SHOWN = 3;

/**
 * Asks the model for a word.
 * @param where What to blame and to mend, in words: `--model gpt-4o (openai, https://api.openai.com/v1)`.
 * @throws {ConfigError} If it does not answer: a wrong key, an unknown model, a parameter that is refused, no server.
 */
export async function checkModel(
  model: ChatModel,
  where: string,
  options: CheckOptions = {},
): Promise<void> {
  const chat = model.chat({ tools: [], seed: 1 });
  const greeting = { role: "user", content: "Say hello." } as const;
  try {
    await chat.send([greeting], options);
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error;
    const way = await wayOut(error, { ...options, name: model.name });
    throw new ConfigError(
      `${where} does not answer: ${error.message}`,
      { cause: error, hint: way },
    );
  } finally {
    chat.close();
  }
}

async function wayOut(
  { kind, message, cause }: InfrastructureError,
  { endpoint, name, signal }: CheckOptions & { name: string },
): Promise<string> {
  const status = cause instanceof CallFailure ? cause.status : undefined;
  // Gemini refuses a wrong key by 400.
  if (status === 401 || status === 403 || /api.?key/i.test(message)) {
    const variable = endpoint?.keyVariable;
    return `check the key in ${variable ?? "the environment"}`;
  }
  if (status === 404 || /does not exist|no such model/i.test(message)) {
    const list = endpoint === undefined
      ? null
      : await findModels(endpoint, { signal });
    return wayToModel(list, { name, baseUrl: endpoint?.baseUrl });
  }
  switch (kind) {
    case "refused":
      return "the server does not take the request; change the parameter that it names";
    case "connection":
      return "start the server, or name another by its base URL";
    case "timeout":
      return "give it more time by calls.timeoutS, or name another endpoint";
    case "bad_response":
      return "check that the base URL is that of an OpenAI-compatible API (mostly it ends in /v1)";
    default:
      return "try again later, or name another endpoint";
  }
}

function wayToModel(
  list: ModelList | null,
  { name, baseUrl }: { name: string; baseUrl: string | undefined },
): string {
  if (list === null) {
    return "check the model's name and that the base URL ends as the server wants it (mostly in /v1)";
  }
  if (list.baseUrl !== baseUrl) return `its base URL is ${list.baseUrl}`;
  const names = nearestOf(name, list.names).map((known) => `"${known}"`);
  return names.length === 0
    ? "check the model's name: the server has no models"
    : `check the model's name: the nearest of ${list.names.length} there: ${
      names.join(", ")
    }`;
}

function nearestOf(name: string, known: readonly string[]): string[] {
  const left = new Set(known);
  const found: string[] = [];
  while (left.size > 0 && found.length < NAMES_SHOWN) {
    const next = nearest(name, [...left])!;
    left.delete(next);
    found.push(next);
  }
  return found;
}
