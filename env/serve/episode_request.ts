/** Parses the body of `POST /episodes`, a request for an episode. */

import { z } from "zod";
import { domainKey, domainNameSchema } from "../domains/registry.ts";
import type { Dataset, Split, Task } from "../types.ts";
import { readBody } from "./read_body.ts";
import { engineOrigin } from "./engine_hosts.ts";
import { RequestError } from "./served_policy.ts";

/** The sampling parameters that slime sends. {@linkcode unsupportedSampling} checks all other parameters. */
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
    context.addIssue(
      "must be http://HOST:PORT, without a user name, path or query",
    );
    return z.NEVER;
  }),
  session_id: z.string().min(1).max(200),
  max_context_tokens: z.int().min(2).nullish(),
  instruction: z.string().nullish(),
});

/** SGLang's penalties, each with its neutral value, which has no effect. Only evaluations may use other values. */
const PENALTIES: Readonly<Record<string, number>> = {
  repetition_penalty: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
  min_new_tokens: 0,
  min_p: 0,
};

/**
 * The parameters that {@linkcode unsupportedSampling} accepts with any value: those in {@linkcode samplingSchema}, and
 * those that are ignored because they affect only how an answer is decoded or because the server sets them.
 */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  ...Object.keys(samplingSchema.shape),
  "skip_special_tokens",
  "spaces_between_special_tokens",
  "no_stop_trim",
  "sampling_seed",
]);

/** A parsed request for an episode, with the field names of its JSON. */
export type EpisodeRequest = z.infer<typeof requestSchema>;

/**
 * Parses a request body.
 * @throws {RequestError} If the body is invalid, or if the sampling parameters are not supported. Training requires an
 * unmodified distribution and a temperature above 0. The message names the field.
 */
export function readEpisodeRequest(body: unknown): EpisodeRequest {
  const request = readBody(requestSchema, body);
  const strange = unsupportedSampling(request);
  if (strange.length > 0) {
    throw new RequestError(
      `sampling_params: omit ${
        strange.join(", ")
      }; unsupported parameters could change how answers are sampled or where they end`,
    );
  }
  const { top_p: topP, top_k: topK, temperature } = request.sampling_params;
  if (request.evaluation) return request;
  if (topP !== 1 || topK !== -1) {
    throw new RequestError(
      `sampling_params: ${
        [
          ...topP === 1 ? [] : [`top_p ${topP}`],
          ...topK === -1 ? [] : [`top_k ${topK}`],
        ].join(" and ")
      } would truncate the distribution, so training would not match sampling; set top_p to 1 and top_k to -1`,
    );
  }
  if (temperature === 0) {
    throw new RequestError(
      "sampling_params.temperature: 0 always samples the same answer; set a temperature above 0",
    );
  }
  return request;
}

/** Returns the penalties in a request that have an effect. They are passed to the engine. */
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

function unsupportedSampling(request: EpisodeRequest): string[] {
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

/**
 * A client's choice of a task. The optional fields that are given must match the task, which ensures that client and
 * server have the same data.
 */
export interface TaskChoice extends Pick<Task, "split"> {
  /** The task's index in its split. It does not change if other tasks are excluded. */
  readonly task: number;
  readonly domain?: string | null | undefined;
  readonly instruction?: string | null | undefined;
}

/**
 * Returns the dataset's split with this name.
 * @throws {RequestError} With status 404 if there is none. The message lists the splits.
 */
export function splitOf(name: string, dataset: Dataset): Split {
  const split = dataset.splits.find((one) => one === name);
  if (split !== undefined) return split;
  throw new RequestError(
    `There is no split "${name}" in ${dataset.name}; it has ${
      dataset.splits.join(", ")
    }`,
    404,
  );
}

/**
 * Returns the chosen task.
 * @throws {RequestError} With status 404 if there is no such task, or 409 if the client's row is from another dataset.
 */
export function taskOf(request: TaskChoice, dataset: Dataset): Task {
  const { task: index, domain, instruction } = request;
  const split = splitOf(request.split, dataset);
  const tasks = dataset.tasks(split);
  // Find it by its number: positions change when tasks are excluded.
  const task = tasks.find((one) => one.index === index);
  if (task === undefined) {
    throw new RequestError(
      `The split "${split}" of ${dataset.name} has no task ${index}; this server has ${tasks.length} of its tasks`,
      404,
    );
  }
  if (domain && domain !== domainKey(task)) {
    throw new RequestError(
      `The row's domain is ${domain}, but this server's is ${
        domainKey(task)
      }; start the server with the recipe that wrote the rows`,
      409,
    );
  }
  if (instruction && instruction !== task.instruction) {
    throw new RequestError(
      `Task ${index} of "${split}" differs from the row, so the rows are from another split or dataset; export the rows again`,
      409,
    );
  }
  return task;
}
