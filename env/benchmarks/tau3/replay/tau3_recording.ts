/** Defines the record formats of τ³-bench recordings. Numbers in arguments are kept as they are written. */

import { z } from "zod";
import {
  anyObject,
  anyValue,
  objectOf,
  plainNumber,
} from "../../../python/python_schema.ts";
import {
  checkedRecord,
  type FormatMarks,
  type RecordAt,
} from "../../recorded_formats.ts";
import {
  EVALUATION_TYPES,
  TERMINATION_REASONS,
} from "../evaluators/evaluate_simulation.ts";
import { tau3MessageSchema } from "../tau3_message.ts";
import { setUpSchema } from "../tau3_task.ts";

/**
 * The formats of recordings. `gold` and `fuzz` records contain tool calls, `evaluators` and `orchestrator` records
 * contain conversations, and `prompts` records contain hashes of prompts.
 */
export type Tau3RecordingFormat =
  | "gold"
  | "fuzz"
  | "evaluators"
  | "orchestrator"
  | "prompts";

const requestor = z.enum(["assistant", "user"]).default("assistant");

const hashes = objectOf({ db: z.string(), user_db: z.string().optional() });

/** The result of a call and the hashes of the state after the call. A hash is absent if it did not change. */
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
  /** The calls. An index refers to an expected action of the task. */
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

/** The schemas of records, keyed by format. */
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
    /** The result of each assertion in a fixed list, or the class of the error that the assertion raised. */
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

/** A validated record in the given format. */
export type Tau3RecordOf<F extends Tau3RecordingFormat> = z.infer<
  typeof tau3RecordSchemas[F]
>;

/** The recorded result of a call. */
export type RecordedAnswer = Tau3RecordOf<"gold">["steps"][number];

/** A reply that a scripted participant gives. */
export type ScriptedReply = z.infer<typeof scriptedReply>;

/** The keys that identify each format. */
export const TAU3_MARKS: FormatMarks<Tau3RecordingFormat> = [
  ["gold", ["trajectories"]],
  ["evaluators", ["evaluation_type"]],
  ["orchestrator", ["agent_script"]],
  ["prompts", ["user_system_sha256"]],
  ["fuzz", ["steps"]],
];

/**
 * Validates a record.
 * @throws {DataError} If a field is missing or invalid; the message names the file, the record and the field.
 */
export function checkTau3Record<F extends Tau3RecordingFormat>(
  format: F,
  at: RecordAt,
): Tau3RecordOf<F> {
  const schema: z.ZodType = tau3RecordSchemas[format];
  return checkedRecord(schema, { ...at, format }) as Tau3RecordOf<F>;
}
