/** A task of τ³-bench: what its user knows and wants, how its world begins, and how its outcome is judged. */

import { z } from "zod";
import { anyObject, anyValue, objectOf } from "../../python/python_schema.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import {
  type Requestor,
  type Tau3Message,
  tau3MessageSchema,
} from "./tau3_message.ts";

/** What counts towards a reward. */
export const REWARD_TYPES = [
  "DB",
  "ENV_ASSERTION",
  "NL_ASSERTION",
  "ACTION",
  "COMMUNICATE",
] as const;

/** One of {@linkcode REWARD_TYPES}. */
export type RewardType = typeof REWARD_TYPES[number];

/** A call of a function that no model can call: of the agent's side or of the user's. */
export interface EnvironmentCall {
  readonly side: Requestor;
  readonly name: string;
  readonly arguments: JsonObject;
}

/** A function and what it has to return. */
export interface EnvironmentAssertion extends EnvironmentCall {
  readonly expected: boolean;
  readonly message: string | null;
}

/** A call that the task expects. */
export interface ExpectedAction {
  readonly id: string;
  readonly requestor: Requestor;
  readonly name: string;
  readonly arguments: JsonObject;
  readonly info: string | null;
  /** Arguments that are compared; `null`: those that the call has. */
  readonly compareArgs: readonly string[] | null;
}

/** How an outcome is judged. `null` and an empty list differ in what is reported. */
export interface EvaluationCriteria {
  readonly actions: readonly ExpectedAction[] | null;
  readonly assertions: readonly EnvironmentAssertion[] | null;
  /** What the agent must tell the user, as substrings. */
  readonly communicateInfo: readonly string[] | null;
  /** What must hold of the conversation, in prose. */
  readonly nlAssertions: readonly string[] | null;
  readonly rewardBasis: readonly RewardType[];
}

/** What the user is told, part by part. */
export interface StructuredInstructions {
  readonly domain: string;
  readonly reasonForCall: string;
  readonly knownInfo: string | null;
  readonly unknownInfo: string | null;
  readonly taskInstructions: string;
}

/** A task. */
export interface Tau3Task {
  readonly id: string;
  readonly scenario: {
    readonly persona: string | null;
    readonly instructions: StructuredInstructions | string;
  };
  /** What a solo agent is told. */
  readonly ticket: string | null;
  /** Calls that set the world up. */
  readonly setUp: readonly EnvironmentCall[];
  /** A conversation to go on from. */
  readonly history: readonly Tau3Message[];
  /** `null`: whatever happens is right. */
  readonly criteria: EvaluationCriteria | null;
  /** As the file has it. */
  readonly original?: JsonValue;
  /** Titles of faults that the authors have noted; left out where there are none. */
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

/** `env_assertion`. */
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

/** An expected action. */
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

/** `evaluation_criteria`. */
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

/** Data that would replace rows of the databases: no task has any. */
const noData = anyValue.refine(
  (value) =>
    value === null ||
    value instanceof Map && [...value.values()].every((data) => data === null),
  { error: "initialization_data is not supported" },
);

/** Calls that set a world up. */
export const setUpSchema = z.array(callSchema);

/** `initial_state`. */
export const initialStateSchema = objectOf({
  initialization_data: noData.optional(),
  initialization_actions: setUpSchema.nullish(),
  message_history: z.array(tau3MessageSchema).nullish(),
});

/** A task of `tasks.json`; fields that upstream ignores are left out. */
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
