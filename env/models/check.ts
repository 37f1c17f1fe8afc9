/**
 * The first real call: what is wrong with an endpoint is told before an episode begins.
 *
 * @module
 */

import { ConfigError, InfrastructureError } from "../errors.ts";
import type { CallOptions, ChatModel } from "../types.ts";

/**
 * Asks the model for a word.
 * @param where What to blame and to mend, in words: `--model gpt-4o (openai, key of OPENAI_API_KEY)`.
 * @throws {ConfigError} If it does not answer: a wrong key, an unknown model, a parameter that is refused, no server.
 */
export async function checkModel(
  model: ChatModel,
  where: string,
  options: CallOptions = {},
): Promise<void> {
  const chat = model.chat({ tools: [], seed: 1 });
  const greeting = { role: "user", content: "Say hello." } as const;
  try {
    await chat.send([greeting], options);
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error;
    throw new ConfigError(
      `${where} does not answer: ${error.message}; ${wayOut(error)}`,
      { cause: error },
    );
  } finally {
    chat.close();
  }
}

function wayOut({ kind, message }: InfrastructureError): string {
  if (/\b40[13]\b|api key|unauthorized/i.test(message)) {
    return "check the key in the environment";
  }
  if (/\b404\b|not found|does not exist/i.test(message)) {
    return "check the model's name and that the base URL ends as the server wants it (mostly in /v1)";
  }
  switch (kind) {
    case "refused":
      return "the server does not take the request; change the parameter that it names";
    case "connection":
      return "start the server, or name another by its base URL";
    case "timeout":
      return "give it more time by calls.timeoutS, or name another endpoint";
    default:
      return "try again later, or name another endpoint";
  }
}
