/** Calls a model once before any episode begins, so that problems with the endpoint are reported early. */

import { ConfigError, InfrastructureError } from "../errors.ts";
import { nearest } from "../schema_issue.ts";
import type { CallOptions, ChatModel } from "../types.ts";
import { CallFailure } from "./call_policy.ts";
import type { Endpoint } from "./endpoints.ts";
import { findModels, type ModelList } from "./model_list.ts";

/** Options for {@linkcode checkModel}. */
export interface CheckOptions extends CallOptions {
  /**
   * The model's endpoint. If given, the hints of errors can name the environment variable for the key, or models that
   * the endpoint offers.
   */
  readonly endpoint?: Endpoint;
}

/** Maximum number of models that an error lists. */
const NAMES_SHOWN = 3;

/**
 * Sends the model a minimal request.
 * @param where The flag and the endpoint to name in error messages, such as `--model gpt-4o (openai,
 * https://api.openai.com/v1)`.
 * @throws {ConfigError} If the call fails, for example because of a wrong key, an unknown model or a rejected
 * parameter, or because no server responds.
 * @throws The signal's reason if it is aborted.
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
    const hint = await hintFor(error, { ...options, name: model.name });
    throw new ConfigError(
      `Cannot use ${where}: ${error.message}`,
      { cause: error, hint },
    );
  } finally {
    chat.close();
  }
}

async function hintFor(
  { kind, message, cause }: InfrastructureError,
  { endpoint, name, signal }: CheckOptions & { name: string },
): Promise<string> {
  const status = cause instanceof CallFailure ? cause.status : undefined;
  // Gemini rejects a wrong key with status 400.
  if (status === 401 || status === 403 || /api.?key/i.test(message)) {
    return keyHint(endpoint);
  }
  if (status === 404 || /does not exist|no such model/i.test(message)) {
    const list = endpoint === undefined
      ? null
      : await findModels(endpoint, { signal });
    return modelHint(list, { name, baseUrl: endpoint?.baseUrl });
  }
  switch (kind) {
    case "refused":
      return "correct what the server's message reports";
    case "connection":
      return "start the server or check the network, or pass another base URL";
    case "timeout":
      return "increase calls.timeoutS, or choose another endpoint";
    case "bad_response":
      return "pass the base URL of an OpenAI-compatible API (it usually ends in /v1)";
    default:
      return "retry later, or choose another endpoint";
  }
}

/**
 * Returns the hint for a missing or wrong key. The presets of local servers do not read a key, so for these the hint
 * names the provider to use instead.
 */
function keyHint(endpoint: Endpoint | undefined): string {
  if (endpoint === undefined) return "check the server's key";
  return endpoint.keyVariable === undefined
    ? "use the provider openai with this base URL, and set OPENAI_API_KEY"
    : `check the key in ${endpoint.keyVariable}`;
}

function modelHint(
  list: ModelList | null,
  { name, baseUrl }: { name: string; baseUrl: string | undefined },
): string {
  if (list === null) {
    return "check the model's name and the base URL (it usually ends in /v1)";
  }
  if (list.baseUrl !== baseUrl) return `use the base URL ${list.baseUrl}`;
  const names = nearestOf(name, list.names).map((known) => `"${known}"`);
  return names.length === 0
    ? "load a model on the server, which lists none"
    : `choose one of the server's models, such as ${names.join(", ")}`;
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
