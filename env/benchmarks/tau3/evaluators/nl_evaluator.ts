/** Evaluates assertions in natural language by asking a model judge, once per conversation. */

import { DataError } from "../../../errors.ts";
import { isPythonNumber, toDouble } from "../../../python/python_number.ts";
import { jsonFault, parsePythonJson } from "../../../python/python_json.ts";
import { elements, typeName } from "../../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { AskJudge } from "../../../types.ts";
import { RaisedError } from "../raised.ts";
import type { Tau3Message } from "../tau3_message.ts";
import { judgePrompt, type Tau3Prompts } from "../tau3_prompts.ts";
import { type NlCheck, NO_PARTS, type Tau3Reward } from "../tau3_reward.ts";
import type { Tau3Task } from "../tau3_task.ts";

/** A model judge and its prompts. */
export interface Judge {
  readonly prompts: Pick<Tau3Prompts, "judge_system" | "judge_user">;
  readonly ask: AskJudge;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the judge whether the task's assertions hold. If there are no assertions or no judge, returns the result of
 * {@linkcode unjudged}.
 * @throws {RaisedError} If the reply is invalid.
 */
export async function evaluateNl(
  task: Tau3Task,
  { messages, judge }: {
    readonly messages: readonly Tau3Message[];
    readonly judge: Judge | undefined;
  },
): Promise<Tau3Reward> {
  const assertions = task.criteria?.nlAssertions ?? [];
  if (assertions.length === 0 || judge === undefined) return unjudged(task);
  const { prompts, ask, signal } = judge;
  const question = judgePrompt(prompts, { messages, assertions });
  const nlAssertions = readVerdicts(await ask(question, { signal }));
  const value = nlAssertions.every(({ met }) => met) ? 1 : 0;
  return {
    ...NO_PARTS,
    value,
    nlAssertions,
    breakdown: [["NL_ASSERTION", value]],
  };
}

/** Returns the reward without a judge's verdicts. The value is 1 if there are no assertions, otherwise `null`. */
export function unjudged({ criteria }: Tau3Task): Tau3Reward {
  const value = (criteria?.nlAssertions ?? []).length === 0 ? 1 : null;
  const note = value === null
    ? "Not judged: there is no judge"
    : "No nl_assertions to evaluate";
  return {
    ...NO_PARTS,
    value,
    nlAssertions: value === null ? null : [],
    breakdown: [["NL_ASSERTION", value]],
    info: { note },
  };
}

/**
 * Parses the verdicts in a judge's reply. The texts of assertions are taken from the reply, as in upstream.
 * @throws {RaisedError} If the reply is invalid.
 */
export function readVerdicts(reply: string): NlCheck[] {
  const value = parseReply(reply);
  if (!(value instanceof Map)) {
    throw new RaisedError(
      "AttributeError",
      `The judge's reply must be an object, but its type is ${typeName(value)}`,
    );
  }
  return listOf(value.get("results") ?? null, value).map(verdictOf);
}

function parseReply(reply: string): JsonValue {
  try {
    return parsePythonJson(reply);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RaisedError(
      "JSONDecodeError",
      `The judge's reply is not JSON: ${jsonFault(error)}`,
    );
  }
}

function listOf(results: JsonValue, reply: JsonObject): readonly JsonValue[] {
  if (!reply.has("results")) return [];
  try {
    return elements(results);
  } catch {
    throw new RaisedError("TypeError", "The judge's results are not a list");
  }
}

function verdictOf(result: JsonValue): NlCheck {
  if (!(result instanceof Map)) {
    throw new RaisedError(
      "TypeError",
      "A verdict of the judge is not an object",
    );
  }
  const assertion = fieldOf(result, "expectedOutcome");
  const met = truthOf(fieldOf(result, "metExpectation"));
  const justification = fieldOf(result, "reasoning");
  if (
    typeof assertion !== "string" || met === undefined ||
    typeof justification !== "string"
  ) {
    throw new RaisedError(
      "ValidationError",
      "One of the judge's verdicts has a field of the wrong type",
    );
  }
  return { assertion, met, justification };
}

function fieldOf(result: JsonObject, key: string): JsonValue {
  const value = result.get(key);
  if (value !== undefined) return value;
  throw new RaisedError(
    "KeyError",
    `One of the judge's verdicts lacks "${key}"`,
  );
}

const TRUE = new Set(["1", "t", "true", "y", "yes", "on"]);
const FALSE = new Set(["0", "f", "false", "n", "no", "off"]);

/**
 * Converts a value to a boolean by pydantic's rules, or returns `undefined` if the value does not represent a boolean.
 */
function truthOf(value: JsonValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (isPythonNumber(value)) {
    const number = toDouble(value);
    return number === 1 ? true : number === 0 ? false : undefined;
  }
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
}
