/** The judge that a config names: a model that answers questions about conversations. */

import type { z } from "zod";
import { InfrastructureError } from "../../env/errors.ts";
import type { Meter } from "../../env/models/meter.ts";
import type { AskJudge, CallOptions } from "../../env/types.ts";
import type { DeepReadonly } from "./config_schema.ts";
import type { endpointSchema } from "./config_sections.ts";
import { openChatModel } from "./open_model.ts";

/** The judge, as configs have it. */
interface JudgePart {
  readonly endpoint: DeepReadonly<z.infer<typeof endpointSchema>>;
}

/**
 * Opens the judge; its model is asked for a word first. What it costs counts towards the budget.
 * @returns `undefined` where no model is named.
 * @throws {ConfigError} As {@linkcode openChatModel}.
 */
export async function openJudge(
  { endpoint }: JudgePart,
  { meter, ...options }: CallOptions & {
    readonly meter: Meter;
    readonly env?: (name: string) => string | undefined;
  },
): Promise<AskJudge | undefined> {
  if (endpoint.model === null) return undefined;
  const model = await openChatModel(endpoint, {
    ...options,
    meter,
    source: "model",
    flag: "--judge-model",
  });
  return async ({ system, user }, call = {}) => {
    const chat = model.chat({ tools: [], seed: 0 });
    try {
      const { content } = await chat.send([
        { role: "system", content: system },
        { role: "user", content: user },
      ], call);
      return content;
    } catch (error) {
      throw ofJudge(error);
    } finally {
      chat.close();
    }
  };
}

/** A failure of the judge's model is neither the agent's nor the user's. */
function ofJudge(error: unknown): unknown {
  if (!(error instanceof InfrastructureError)) return error;
  return new InfrastructureError(`The judge failed: ${error.message}`, {
    kind: error.kind,
    source: "environment",
    cause: error,
  });
}
