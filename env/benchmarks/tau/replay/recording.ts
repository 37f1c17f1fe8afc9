/**
 * Recordings of τ-bench: what they hold and how they are read. A file has one record a line, or is one array
 * of records; it may be compressed by gzip. Which of the four formats it is, its records tell.
 */

import { gunzipSync } from "node:zlib";
import { z } from "zod";
import { domainNameSchema } from "../../../domains/registry.ts";
import { DataError, messageOf } from "../../../errors.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../../python/python_json.ts";
import {
  anyObject,
  anyValue,
  explainFirstIssue,
  objectOf,
  plainNumber,
} from "../../../python/python_schema.ts";

/** The formats. The first two call tools only, the others are conversations that were scored. */
export type RecordingFormat = "gold" | "fuzz" | "fuzz_reward" | "trajectories";

/** A recording: where it is from, and its records, not yet checked. */
export interface Recording {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly records: readonly JsonObject[];
}

/** What is in every record but a trajectory's. */
const origin = {
  env: domainNameSchema,
  final_data_hash: z.string(),
};

const rewardInfo = objectOf({ reward: plainNumber, info: anyObject });

const callStep = objectOf({
  name: z.string(),
  kwargs: anyObject,
  /** `null` where the original threw. */
  observation: z.string().nullable(),
  done: z.boolean().optional(),
  python_internal_error: z.boolean().optional(),
  /** The state's hash after this step; absent where it did not change. */
  data_hash: z.string().optional(),
});

const episodeStep = objectOf({
  name: z.string(),
  kwargs: anyObject,
  /** What the user answered; only where the agent spoke. */
  user_reply: z.string().optional(),
  observation: z.string().nullable(),
  reward: plainNumber.optional(),
  done: z.boolean().optional(),
  source: z.string().optional(),
  reward_info: rewardInfo.optional(),
  data_hash_before_reward: z.string().optional(),
  /** The original threw: there is no observation, and it was not scored. */
  step_raised: z.string().optional(),
});

/** Schemas of the records by format. */
export const recordSchemas = {
  gold: objectOf({
    ...origin,
    split: z.enum(["train", "dev", "test"]),
    task_index: z.int().nonnegative(),
    steps: z.array(callStep),
    gt_data_hash: z.string(),
    reward_without_responds: rewardInfo,
  }),
  fuzz: objectOf({ ...origin, case: anyValue, steps: z.array(callStep) }),
  fuzz_reward: objectOf({
    ...origin,
    split: z.enum(["train", "dev", "test"]),
    task_index: z.int().nonnegative(),
    case: anyValue,
    first_user_message: z.string(),
    steps: z.array(episodeStep),
    actions_logged: z.array(z.string()),
  }),
  trajectories: objectOf({
    task_index: z.int().nonnegative(),
    trial: anyValue,
    ended_done: z.boolean(),
    steps: z.array(objectOf({
      action: objectOf({ name: z.string(), kwargs: anyObject }),
      observation: z.string(),
      reward: plainNumber,
      done: z.boolean(),
    })),
    reward_info: objectOf({
      reward: plainNumber,
      info: anyObject,
      actions: z.array(objectOf({ name: z.string(), kwargs: anyObject })),
    }).nullish(),
    data_hash_before_reward: z.string().nullish(),
  }),
} as const;

/** A record of a format, checked. */
export type RecordOf<F extends RecordingFormat> = z.infer<
  typeof recordSchemas[F]
>;

/** A step of a record that only calls tools. */
export type CallStep = z.infer<typeof callStep>;

/** A step of a conversation. */
export type EpisodeStep = z.infer<typeof episodeStep>;

/** Keys that only records of a format have. */
const MARKS: readonly (readonly [RecordingFormat, readonly string[]])[] = [
  ["trajectories", ["trial", "steps"]],
  ["fuzz_reward", ["actions_logged", "steps"]],
  ["gold", ["reward_without_responds", "steps"]],
  ["fuzz", ["case", "steps"]],
];

/**
 * Reads a recording.
 * @param bytes The file's content, compressed or not.
 * @throws {DataError} If it is none: names the file, and the line where there are lines.
 */
export function readRecording(bytes: Uint8Array, path: string): Recording {
  const records = parseRecords(decode(bytes, path), path);
  const [first] = records;
  const format = MARKS.find(([, keys]) => keys.every((key) => first?.has(key)))
    ?.[0];
  if (format === undefined) {
    throw new DataError(
      `Cannot replay "${path}": its records are of no known format`,
      { path, hint: `there are ${MARKS.map(([name]) => name).join(", ")}` },
    );
  }
  return { path, format, records };
}

/** A record, checked. @throws {DataError} If a field is missing or wrong; names the file, the record and the field. */
export function checkRecord<F extends RecordingFormat>(
  format: F,
  { record, path, number }: {
    record: JsonObject;
    path: string;
    number: number;
  },
): RecordOf<F> {
  const result = recordSchemas[format].safeParse(record);
  if (result.success) return result.data as RecordOf<F>;
  throw new DataError(
    `Cannot replay "${path}": record ${number} is not of the format ${format}: ${
      explainFirstIssue(result.error)
    }`,
    { path, cause: result.error },
  );
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    const plain = bytes[0] === 0x1f && bytes[1] === 0x8b
      ? gunzipSync(bytes)
      : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (error) {
    throw new DataError(
      `Cannot read "${path}": it is damaged or no text (${messageOf(error)})`,
      { path, cause: error },
    );
  }
}

function parseRecords(text: string, path: string): JsonObject[] {
  const values: readonly JsonValue[] = /^\s*\[/.test(text)
    ? asArray(parsePythonJson(text, { path }))
    : text.split("\n").flatMap((line, i) =>
      line.trim() === "" ? [] : [parseLine(line, { path, number: i + 1 })]
    );
  const wrong = values.findIndex((value) => !(value instanceof Map));
  if (values.length === 0 || wrong >= 0) {
    throw new DataError(
      values.length === 0
        ? `Cannot replay "${path}": it has no records`
        : `Cannot replay "${path}": record ${wrong + 1} is no object`,
      { path },
    );
  }
  return values as JsonObject[];
}

function parseLine(
  line: string,
  { path, number }: { path: string; number: number },
): JsonValue {
  try {
    return parsePythonJson(line);
  } catch (error) {
    throw new DataError(
      `${messageOf(error)} of line ${number} of "${path}"`,
      { path, cause: error },
    );
  }
}

function asArray(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : [value];
}
