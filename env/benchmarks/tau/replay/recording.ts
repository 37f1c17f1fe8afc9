/**
 * Reads τ-bench recordings, and defines their formats. A file contains one record per line or one array of records, and
 * may be gzip-compressed. Its format is detected from its records. A record that cannot be read is reported and
 * skipped.
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
 * The formats of recordings. `gold` and `fuzz` consist of tool calls; the others are scored conversations. `results` is
 * the format of the files that τ-bench itself writes and publishes; see result_file.ts.
 */
export type RecordingFormat = keyof typeof recordSchemas | "results";

/** A recording file: its path, and its records, which are not yet validated. */
export interface Recording {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly records: readonly JsonObject[];
  /** Each record's number in the file, from 1. Default: consecutive numbers. */
  readonly numbers?: readonly number[];
  /** The records that could not be read. */
  readonly faults?: readonly RecordFault[];
}

/** The fields that records have in all of the formats below except `trajectories`. */
const origin = {
  env: domainNameSchema,
  final_data_hash: z.string(),
};

const rewardInfo = objectOf({ reward: plainNumber, info: anyObject });

const callStep = objectOf({
  name: z.string(),
  kwargs: anyObject,
  /** The observation; `null` if τ-bench threw an exception. */
  observation: z.string().nullable(),
  done: z.boolean().optional(),
  python_internal_error: z.boolean().optional(),
  /** The hash of the state after the step; absent if the state did not change. */
  data_hash: z.string().optional(),
});

const episodeStep = objectOf({
  name: z.string(),
  kwargs: anyObject,
  /** The user's answer, if the agent sent a message. */
  user_reply: z.string().optional(),
  observation: z.string().nullable(),
  reward: plainNumber.optional(),
  done: z.boolean().optional(),
  source: z.string().optional(),
  reward_info: rewardInfo.optional(),
  data_hash_before_reward: z.string().optional(),
  /** The exception that τ-bench threw, if any. The step then has neither an observation nor a reward. */
  step_raised: z.string().optional(),
});

/** The schemas of records, keyed by format. */
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

/** A validated record in the given format. */
export type RecordOf<F extends keyof typeof recordSchemas> = z.infer<
  typeof recordSchemas[F]
>;

/** A step of a record that consists only of tool calls. */
export type CallStep = z.infer<typeof callStep>;

/** A step of a conversation. */
export type EpisodeStep = z.infer<typeof episodeStep>;

/** The keys that identify each format. */
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
 * @throws {DataError} If the file has no readable record, or no record has a known format; the message names the file.
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

/**
 * Validates a record.
 * @throws {DataError} If a field is missing or invalid; the message names the file, the record and the field.
 */
export function checkRecord<F extends keyof typeof recordSchemas>(
  format: F,
  at: RecordAt,
): RecordOf<F> {
  const schema: z.ZodType = recordSchemas[format];
  return checkedRecord(schema, { ...at, format }) as RecordOf<F>;
}
