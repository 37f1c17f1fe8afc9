/**
 * Evaluates the expressions of the tool `calculate`: Python's arithmetic with only the characters `0-9 + - * / ( ) .`
 * and space.
 */

import { ToolError } from "../errors.ts";
import { floatRepr, roundDouble2, toDouble } from "./python_number.ts";
import { elements, typeName } from "./python_object.ts";
import type { JsonValue } from "./python_value.ts";
import { evaluate } from "./_calculator_evaluate.ts";
import { parseExpression } from "./_calculator_parse.ts";

const CHARACTERS = "0123456789+-*/(). ";

/** Options for {@linkcode calculate}. */
export interface CalculateOptions {
  /**
   * The error message if the expression contains a character that is not allowed. Default: `invalid characters in
   * expression`.
   */
  readonly refusal?: string;
}

/**
 * Evaluates an expression and returns the value as a float, rounded to two decimals, in Python's format: `2+2` is
 * `4.0`.
 * @throws {ToolError} If the expression is invalid, cannot be evaluated, or has no real value.
 */
export function calculate(
  expression: JsonValue,
  { refusal = "invalid characters in expression" }: CalculateOptions = {},
): string {
  for (const part of elements(expression)) {
    if (typeof part !== "string") {
      throw new ToolError(
        `'in <string>' requires string as left operand, not ${typeName(part)}`,
      );
    }
    if (!CHARACTERS.includes(part)) {
      throw new ToolError(refusal);
    }
  }
  if (typeof expression !== "string") {
    throw new ToolError(
      "eval() arg 1 must be a string, bytes or code object",
    );
  }
  const value = evaluate(parseExpression(expression));
  if (typeof value === "symbol") {
    throw new ToolError("the expression has no real value");
  }
  return floatRepr(roundDouble2(toDouble(value)));
}
