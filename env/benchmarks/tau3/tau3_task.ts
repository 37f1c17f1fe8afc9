/**
 * Defines the format of τ³-bench's tasks: the user's scenario, the initial state of the world, and the evaluation
 * criteria.
 */

import { z } from "zod";
import { anyObject, anyValue, objectOf } from "../../python/python_schema.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import {
  type Requestor,
  type Tau3Message,
  tau3MessageSchema,
} from "./tau3_message.ts";

/** The parts that a reward can consist of. */
export const REWARD_TYPES = [
  "DB",
  "ENV_ASSERTION",
  "NL_ASSERTION",
  "ACTION",
  "COMMUNICATE",
] as const;

/** A part that a reward can consist of. */
export type RewardType = typeof REWARD_TYPES[number];

/**
 * A call to an environment function on the agent's or the user's side or, if there is no function with this name, to a
 * tool on the same side. Models cannot call environment functions.
 */
export interface EnvironmentCall {
  readonly side: Requestor;
  readonly name: string;
  readonly arguments: JsonObject;
}

/** An environment call, and its expected result. */
export interface EnvironmentAssertion extends EnvironmentCall {
  readonly expected: boolean;
  readonly message: string | null;
}

/** A tool call that a task expects. */
export interface ExpectedAction {
  readonly id: string;
  readonly requestor: Requestor;
  readonly name: string;
  readonly arguments: JsonObject;
  readonly info: string | null;
  /** The names of the arguments to compare; `null` to compare all arguments of the call. */
  readonly compareArgs: readonly string[] | null;
}

/** The criteria for evaluating a conversation. Reports distinguish `null` from an empty list. */
export interface EvaluationCriteria {
  readonly actions: readonly ExpectedAction[] | null;
  readonly assertions: readonly EnvironmentAssertion[] | null;
  /** Substrings that the agent's messages must contain. */
  readonly communicateInfo: readonly string[] | null;
  /** Assertions about the conversation in natural language. */
  readonly nlAssertions: readonly string[] | null;
  readonly rewardBasis: readonly RewardType[];
}

/** The user's instructions by section. */
export interface StructuredInstructions {
  readonly domain: string;
  readonly reasonForCall: string;
  readonly knownInfo: string | null;
  readonly unknownInfo: string | null;
  readonly taskInstructions: string;
}

/** A task: the user's scenario, the initial state of the world, and the evaluation criteria. */
export interface Tau3Task {
  readonly id: string;
  readonly scenario: {
    readonly persona: string | null;
    readonly instructions: StructuredInstructions | string;
  };
  /** The instruction for a solo agent; `null` if the task requires a user. */
  readonly ticket: string | null;
  /** Calls that set up the world. */
  readonly setUp: readonly EnvironmentCall[];
  /** The messages of the conversation that an episode continues. */
  readonly history: readonly Tau3Message[];
  /** The evaluation criteria. If it is `null`, a conversation passes if the user or the agent ends it. */
  readonly criteria: EvaluationCriteria | null;
  /** The task as it is written in the file. */
  readonly original?: JsonValue;
  /** Titles of known issues that the authors have noted; absent if there are none. */
  readonly issues?: readonly string[];
}

const requestor = z.enum(["assistant", "user"]);

const environmentCall = {
  env_type: requestor,
  func_name: z.string(),
  arguments: anyObject,
};

const callSchema = objectOf(environmentCall).transform((
  { env_type, func_name, arguments: args },
): EnvironmentCall => ({ side: env_type, name: func_name, arguments: args }));

/** The schema of `env_assertion`. */
export const assertionSchema = objectOf({
  ...environmentCall,
  assert_value: z.boolean().default(true),
  message: z.string().nullish(),
}).transform((call): EnvironmentAssertion => ({
  side: call.env_type,
  name: call.func_name,
  arguments: call.arguments,
  expected: call.assert_value,
  message: call.message ?? null,
}));

/** The schema of an expected action. */
export const actionSchema = objectOf({
  action_id: z.string(),
  requestor: requestor.default("assistant"),
  name: z.string(),
  arguments: anyObject,
  info: z.string().nullish(),
  compare_args: z.array(z.string()).nullish(),
}).transform((action): ExpectedAction => ({
  id: action.action_id,
  requestor: action.requestor,
  name: action.name,
  arguments: action.arguments,
  info: action.info ?? null,
  compareArgs: action.compare_args ?? null,
}));

/** The schema of `evaluation_criteria`. */
export const criteriaSchema = objectOf({
  actions: z.array(actionSchema).nullish(),
  env_assertions: z.array(assertionSchema).nullish(),
  communicate_info: z.array(z.string()).nullish(),
  nl_assertions: z.array(z.string()).nullish(),
  reward_basis: z.array(z.enum(REWARD_TYPES)).default(["DB", "COMMUNICATE"]),
}).transform((file): EvaluationCriteria => ({
  actions: file.actions ?? null,
  assertions: file.env_assertions ?? null,
  communicateInfo: file.communicate_info ?? null,
  nlAssertions: file.nl_assertions ?? null,
  rewardBasis: file.reward_basis,
}));

const instructionsSchema = z.union([
  z.string(),
  objectOf({
    domain: z.string(),
    reason_for_call: z.string(),
    known_info: z.string().nullish(),
    unknown_info: z.string().nullish(),
    task_instructions: z.string(),
  }).transform((file): StructuredInstructions => ({
    domain: file.domain,
    reasonForCall: file.reason_for_call,
    knownInfo: file.known_info ?? null,
    unknownInfo: file.unknown_info ?? null,
    taskInstructions: file.task_instructions,
  })),
]);

/**
 * The schema of `initialization_data`, which would replace rows. No task has such data, so it must be `null`, or an
 * object in which all values are `null`.
 */
const noData = anyValue.refine(
  (value) =>
    value === null ||
    value instanceof Map && [...value.values()].every((data) => data === null),
  { error: "initial data is not supported" },
);

/** The schema of a list of calls that set up a world. */
export const setUpSchema = z.array(callSchema);

/** The schema of `initial_state`. */
export const initialStateSchema = objectOf({
  initialization_data: noData.optional(),
  initialization_actions: setUpSchema.nullish(),
  message_history: z.array(tau3MessageSchema).nullish(),
});

/** The schema of a task in `tasks.json`. Fields that upstream ignores are dropped. */
export const tau3TaskSchema = objectOf({
  id: z.string(),
  user_scenario: objectOf({
    persona: z.string().nullish(),
    instructions: instructionsSchema,
  }),
  ticket: z.string().nullish(),
  initial_state: initialStateSchema.nullish(),
  evaluation_criteria: criteriaSchema.nullish(),
  issues: z.array(objectOf({ title: z.string() })).nullish(),
}).transform((file): Tau3Task => ({
  id: file.id,
  scenario: {
    persona: file.user_scenario.persona ?? null,
    instructions: file.user_scenario.instructions,
  },
  ticket: file.ticket ?? null,
  setUp: file.initial_state?.initialization_actions ?? [],
  history: file.initial_state?.message_history ?? [],
  criteria: file.evaluation_criteria ?? null,
  ...file.issues && { issues: file.issues.map(({ title }) => title) },
}));
