/** Opens the judge that a config names: a model that answers questions about conversations. */

import type { z } from "zod";
import { InfrastructureError } from "../../env/errors.ts";
import type { Meter } from "../../env/models/meter.ts";
import type { AskJudge, CallOptions } from "../../env/types.ts";
import type { DeepReadonly } from "./config_schema.ts";
import type { endpointSchema } from "./config_sections.ts";
import { openChatModel } from "./open_model.ts";

/** The parts of a config that a judge needs. */
interface JudgePart {
  readonly endpoint: DeepReadonly<z.infer<typeof endpointSchema>>;
}

/**
 * Opens the judge and checks that its model answers. Its cost counts towards the budget.
 * @returns A function that asks the judge; `undefined` if no model is named.
 * @throws {ConfigError} If the model's API key is missing, a budget cannot be enforced, or the model does not answer.
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

/**
 * Converts a failure of the judge's model to a failure of the environment, not of the agent's model. Returns any other
 * error unchanged.
 */
function ofJudge(error: unknown): unknown {
  if (!(error instanceof InfrastructureError)) return error;
  return new InfrastructureError(`The judge failed: ${error.message}`, {
    kind: error.kind,
    source: "environment",
    hint: error.hint,
    cause: error,
  });
}
