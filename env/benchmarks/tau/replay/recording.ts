/**
 * Recordings of τ-bench: what they hold and how they are read. A file has one record a line, or is one array
 * of records; it may be compressed by gzip. Which of the five formats it is, its records tell. A record that cannot
 * be read costs itself.
 */

import { z } from "zod";
import { domainNameSchema } from "../../../domains/registry.ts";
import { DataError } from "../../../errors.ts";
import { readJsonRecords, type RecordFault } from "../../../json_records.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import {
  anyObject,
  anyValue,
  objectOf,
  plainNumber,
} from "../../../python/python_schema.ts";
import {
  checkedRecord,
  type FormatMarks,
  formatOf,
  type RecordAt,
} from "../../recorded_formats.ts";

/**
 * The formats. The first two call tools only, the others are conversations that were scored; `results` is what τ-bench
 * itself writes and publishes, see result_file.ts.
 */
export type RecordingFormat = keyof typeof recordSchemas | "results";

/** A recording: where it is from, and its records, not yet checked. */
export interface Recording {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly records: readonly JsonObject[];
  /** The position of each record in the file, from 1; default: there are no others. */
  readonly numbers?: readonly number[];
  /** What could not be read as a record. */
  readonly faults?: readonly RecordFault[];
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
export type RecordOf<F extends keyof typeof recordSchemas> = z.infer<
  typeof recordSchemas[F]
>;

/** A step of a record that only calls tools. */
export type CallStep = z.infer<typeof callStep>;

/** A step of a conversation. */
export type EpisodeStep = z.infer<typeof episodeStep>;

/** Keys that only records of a format have. */
const MARKS: FormatMarks<RecordingFormat> = [
  ["trajectories", ["trial", "steps"]],
  ["fuzz_reward", ["actions_logged", "steps"]],
  ["gold", ["reward_without_responds", "steps"]],
  ["fuzz", ["case", "steps"]],
  ["results", ["traj"]],
];

/**
 * Reads a recording.
 * @param bytes The file's content, compressed or not.
 * @throws {DataError} If it has no record of a known format; names the file, and what is wrong first.
 */
export function readRecording(bytes: Uint8Array, path: string): Recording {
  const { records: read, faults } = readJsonRecords(bytes, path);
  const records = read.map(({ record }) => record);
  if (records.length === 0) {
    throw new DataError(
      `Cannot replay "${path}": ${faults[0]?.what ?? "it has no records"}`,
      { path },
    );
  }
  const format = formatOf(records, { marks: MARKS, path });
  const numbers = read.map(({ number }) => number);
  return { path, format, records, numbers, faults };
}

/** A record, checked. @throws {DataError} If a field is missing or wrong; names the file, the record and the field. */
export function checkRecord<F extends keyof typeof recordSchemas>(
  format: F,
  at: RecordAt,
): RecordOf<F> {
  const schema: z.ZodType = recordSchemas[format];
  return checkedRecord(schema, { ...at, format }) as RecordOf<F>;
}
