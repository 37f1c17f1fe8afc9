/** Recordings of τ³-bench: what their records hold. Numbers in arguments keep the spelling that they had. */

import { z } from "zod";
import { DataError } from "../../../errors.ts";
import {
  anyObject,
  anyValue,
  explainFirstIssue,
  objectOf,
  plainNumber,
} from "../../../python/python_schema.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import {
  EVALUATION_TYPES,
  TERMINATION_REASONS,
} from "../evaluators/evaluate_simulation.ts";
import { tau3MessageSchema } from "../tau3_message.ts";
import { setUpSchema } from "../tau3_task.ts";

/** The formats. The first two call tools only; `prompts` are hashes of what models are told. */
export type Tau3RecordingFormat =
  | "gold"
  | "fuzz"
  | "evaluators"
  | "orchestrator"
  | "prompts";

const requestor = z.enum(["assistant", "user"]).default("assistant");

const hashes = objectOf({ db: z.string(), user_db: z.string().optional() });

/** What a call was answered with, and the state after it; a hash is absent where it did not change. */
const answer = {
  content: z.string().nullable(),
  error: z.boolean().default(false),
  tier: z.string().optional(),
  python_internal_error: z.boolean().default(false),
  db: z.string().optional(),
  user_db: z.string().optional(),
};

const call = { requestor, name: z.string(), arguments: anyObject };

const trajectory = objectOf({
  name: z.string(),
  /** Numbers of expected actions, or calls. */
  calls: z.array(z.union([z.int(), objectOf(call)])),
  say: z.array(z.string()),
  judge_met: z.boolean(),
  reward_info: anyObject,
});

const scriptedReply = objectOf({
  content: z.string().nullable(),
  tool_calls: z.array(objectOf({
    id: z.string(),
    name: z.string(),
    arguments: anyObject,
  })).optional(),
  cost: plainNumber.nullish(),
});

/** Schemas of the records by format. */
export const tau3RecordSchemas = {
  gold: objectOf({
    domain: z.string(),
    task_id: z.string(),
    init: hashes,
    steps: z.array(objectOf(answer)),
    final: hashes,
    env_assertions: z.array(anyValue).optional(),
    target: hashes,
    trajectories: z.array(trajectory),
  }),
  fuzz: objectOf({
    domain: z.string(),
    case: anyValue,
    kind: z.string(),
    task_id: z.string().optional(),
    init_actions: setUpSchema.optional(),
    init: hashes.optional(),
    steps: z.array(objectOf({ ...call, ...answer })),
    final: hashes,
    /** Whether each of a fixed list of assertions holds, or the class of what it raised. */
    assertions: z.array(z.union([z.boolean(), z.string()])).optional(),
  }),
  evaluators: objectOf({
    domain: z.string(),
    case: anyValue,
    task_id: z.string(),
    patch: anyObject.optional(),
    messages: z.array(tau3MessageSchema),
    evaluation_type: z.enum(EVALUATION_TYPES),
    termination_reason: z.enum(TERMINATION_REASONS),
    strict_replay: z.boolean(),
    judge_reply: z.string(),
    reward_info: anyObject.optional(),
    raises: z.string().optional(),
    judge_messages: anyValue.optional(),
  }),
  orchestrator: objectOf({
    domain: z.string(),
    case: anyValue,
    kind: z.string(),
    task_id: z.string(),
    patch: anyObject.optional(),
    config: objectOf({
      max_steps: z.int(),
      max_errors: z.int(),
      solo_mode: z.boolean().default(false),
      validate_communication: z.boolean().default(false),
    }),
    agent_script: z.array(scriptedReply),
    user_script: z.array(scriptedReply),
    result: anyObject,
  }),
  prompts: anyObject,
} as const;

/** A record of a format, checked. */
export type Tau3RecordOf<F extends Tau3RecordingFormat> = z.infer<
  typeof tau3RecordSchemas[F]
>;

/** What a call was answered with. */
export type RecordedAnswer = Tau3RecordOf<"gold">["steps"][number];

/** A reply of a script. */
export type ScriptedReply = z.infer<typeof scriptedReply>;

/** A key that only records of a format have. */
const MARKS: readonly (readonly [Tau3RecordingFormat, string])[] = [
  ["gold", "trajectories"],
  ["evaluators", "evaluation_type"],
  ["orchestrator", "agent_script"],
  ["prompts", "user_system_sha256"],
  ["fuzz", "steps"],
];

/** The format of records. @throws {DataError} If it is unknown. */
export function tau3FormatOf(
  records: readonly JsonObject[],
  path: string,
): Tau3RecordingFormat {
  const format = MARKS.find(([, key]) =>
    records.some((record) => record.has(key))
  )?.[0];
  if (format !== undefined) return format;
  throw new DataError(
    `Cannot replay "${path}": its records are of no known format`,
    { path, hint: `there are ${MARKS.map(([name]) => name).join(", ")}` },
  );
}

/** A record, checked. @throws {DataError} If a field is missing or wrong; names the file, the record and the field. */
export function checkTau3Record<F extends Tau3RecordingFormat>(
  format: F,
  { record, path, number }: {
    record: JsonObject;
    path: string;
    number: number;
  },
): Tau3RecordOf<F> {
  const result = tau3RecordSchemas[format].safeParse(record);
  if (result.success) return result.data as Tau3RecordOf<F>;
  throw new DataError(
    `Cannot replay "${path}": record ${number} is not of the format ${format}: ${
      explainFirstIssue(result.error)
    }`,
    { path, cause: result.error },
  );
}
