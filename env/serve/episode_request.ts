/** What a trainer asks of an episode server: `POST /episodes`. */

import { z } from "zod";
import { domainKey, domainNameSchema } from "../domains/registry.ts";
import type { Dataset, Task } from "../types.ts";
import { readBody } from "./read_body.ts";
import { engineOrigin } from "./engine_hosts.ts";
import { RequestError } from "./served_policy.ts";

/** slime's sampling parameters. Others are looked at by {@linkcode strangeSampling}. */
const samplingSchema = z.looseObject({
  temperature: z.number().min(0).default(1),
  top_p: z.number().gt(0).max(1).default(1),
  top_k: z.int().min(-1).default(-1),
  max_new_tokens: z.int().min(1).optional(),
});

const requestSchema = z.strictObject({
  task: z.int().min(0),
  split: z.enum(["train", "dev", "test"]),
  domain: domainNameSchema.nullish(),
  seed: z.int().min(0),
  evaluation: z.boolean().default(false),
  sampling_params: samplingSchema.prefault({}),
  engine: z.string().transform((text, context) => {
    const origin = engineOrigin(text);
    if (origin !== null) return origin;
    context.addIssue("write http://HOST:PORT, without user, path or query");
    return z.NEVER;
  }),
  session_id: z.string().min(1).max(200),
  max_context_tokens: z.int().min(2).nullish(),
  instruction: z.string().nullish(),
});

/** What each of SGLang's penalties is where it does nothing. Evaluations may set them. */
const PENALTIES: Readonly<Record<string, number>> = {
  repetition_penalty: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
  min_new_tokens: 0,
  min_p: 0,
};

/** They change how an answer is spelled, or are set by episodes themselves. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...Object.keys(samplingSchema.shape),
  "skip_special_tokens",
  "spaces_between_special_tokens",
  "no_stop_trim",
  "sampling_seed",
]);

/** A request for an episode, as its JSON has it. */
export type EpisodeRequest = z.infer<typeof requestSchema>;

/**
 * Reads a body.
 * @throws {RequestError} 400, with the field, if it is not such a request, or asks for sampling whose log
 * probabilities would not be the policy's.
 */
export function readEpisodeRequest(body: unknown): EpisodeRequest {
  const request = readBody(requestSchema, body);
  const strange = strangeSampling(request);
  if (strange.length > 0) {
    throw new RequestError(
      `sampling_params: ${
        strange.join(", ")
      } would change what is sampled or where an answer ends, and episodes do not take it into account; leave it out`,
    );
  }
  const { top_p: topP, top_k: topK, temperature } = request.sampling_params;
  if (request.evaluation) return request;
  if (topP !== 1 || topK !== -1) {
    throw new RequestError(
      `sampling_params: top_p ${topP} and top_k ${topK} cut tokens off, and what trains would not be what was sampled; train with top_p 1 and top_k -1`,
    );
  }
  if (temperature === 0) {
    throw new RequestError(
      "sampling_params.temperature: 0 always samples the same; train with a temperature above 0",
    );
  }
  return request;
}

/** The penalties that a request sets, for its engine. */
export function penaltiesOf(
  { sampling_params }: EpisodeRequest,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(sampling_params).filter(([name, value]) =>
      Object.hasOwn(PENALTIES, name) && value !== PENALTIES[name] &&
      value !== null
    ),
  );
}

function strangeSampling(request: EpisodeRequest): string[] {
  const { sampling_params: params, evaluation } = request;
  const penalties = Object.keys(penaltiesOf(request));
  const others = Object.entries(params).filter(([name, value]) =>
    !WITHOUT_EFFECT.has(name) && !Object.hasOwn(PENALTIES, name) &&
    !isEmpty(value)
  ).map(([name]) => name);
  return evaluation ? others : [...others, ...penalties];
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" ||
    (Array.isArray(value) && value.length === 0);
}

/** Which task a client means, and what it believes of it. */
export interface TaskChoice extends Pick<Task, "split"> {
  /** Its number in the split. */
  readonly task: number;
  readonly domain?: string | null | undefined;
  readonly instruction?: string | null | undefined;
}

/**
 * The task that is meant.
 * @throws {RequestError} 404 if there is none, 409 if the row is of other data.
 */
export function taskOf(request: TaskChoice, dataset: Dataset): Task {
  const { task: index, split, domain, instruction } = request;
  if (!dataset.splits.includes(split)) {
    throw new RequestError(
      `There is no split "${split}" in ${dataset.name}; it has ${
        dataset.splits.join(", ")
      }`,
      404,
    );
  }
  const tasks = dataset.tasks(split);
  // By its number and not by its place: where tasks are excluded, places move.
  const task = tasks.find((one) => one.index === index);
  if (task === undefined) {
    throw new RequestError(
      `There is no task ${index} in the split "${split}" of ${dataset.name}: it has ${tasks.length}`,
      404,
    );
  }
  if (domain && domain !== domainKey(task)) {
    throw new RequestError(
      `The row is of ${domain}, and this server has ${
        domainKey(task)
      }; give it the recipe of the rows`,
      409,
    );
  }
  if (instruction && instruction !== task.instruction) {
    throw new RequestError(
      `Task ${index} of "${split}" reads otherwise here than in the row: the rows are of another split or dataset; write them anew`,
      409,
    );
  }
  return task;
}
