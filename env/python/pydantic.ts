/**
 * Defines models that validate and coerce objects as pydantic 2.12 does, with the same error messages.
 *
 *     const Passenger = defineModel("Passenger", { first_name: field.str(), bags: field.int({ default: 0 }) });
 *     validate(Passenger, parsePythonJson('{"first_name": "Ann"}'));   // {"first_name": "Ann", "bags": 0}
 *
 * A validated object is a map of all declared fields, in declaration order. Validating it again changes nothing.
 */

import { ToolError } from "../errors.ts";
import { validDate, validDatetime } from "./_pydantic_dates.ts";
import { Findings, validationText } from "./_pydantic_issue.ts";
import {
  validBool,
  validChoice,
  validFloat,
  validInt,
  validString,
} from "./_pydantic_scalars.ts";
import { toFloat } from "./python_number.ts";
import { copyValue, type JsonObject, type JsonValue } from "./python_value.ts";

/** A validator of one value. Created by {@linkcode field}. */
export interface Field {
  /** Returns the value to store, or `undefined` if it added an error to `found`. */
  validate(input: JsonValue, found: Findings): JsonValue | undefined;
  /** The value of a missing field. Default: none; the field is required. */
  readonly default?: JsonValue;
}

/** A class of objects with validated fields. Created by {@linkcode defineModel}. */
export interface Model {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** How unknown keys are handled. */
  readonly extra: "ignore" | "forbid";
}

/** Defines a model with fields in declaration order. By default, unknown keys are ignored. */
export function defineModel(
  name: string,
  fields: Readonly<Record<string, Field>>,
  { extra = "ignore" }: { readonly extra?: Model["extra"] } = {},
): Model {
  return { name, fields: new Map(Object.entries(fields)), extra };
}

/**
 * Validates a value as `Model(**value)` does.
 * @returns A new object that shares nothing with `value`.
 * @throws {ToolError} If the value is invalid, with the message of pydantic's ValidationError.
 */
export function validate(model: Model, value: JsonValue): JsonObject {
  const found = new Findings();
  const object = validObject(model, value, found);
  if (object !== undefined && found.issues.length === 0) return object;
  throw new ToolError(validationText(model.name, found.issues));
}

interface WithDefault<T> {
  readonly default?: T;
}

const STRING: Field = { validate: validString };

/** The field types. A `default` is stored without validation if the field is missing. */
export const field = {
  str: ({ default: value }: WithDefault<string> = {}): Field =>
    fieldOf(validString, value),
  int: ({ default: value }: WithDefault<number> = {}): Field =>
    fieldOf(validInt, value),
  float: ({ default: value }: WithDefault<number> = {}): Field =>
    fieldOf(validFloat, value === undefined ? undefined : toFloat(value)),
  bool: ({ default: value }: WithDefault<boolean> = {}): Field =>
    fieldOf(validBool, value),
  /** A date such as `2025-02-25`. Its error messages differ from pydantic's. */
  date: (): Field => fieldOf(validDate),
  /** A datetime such as `2025-01-20 14:30:00`, or with a `T` in between. Its error messages differ from pydantic's. */
  datetime: (): Field => fieldOf(validDatetime),
  /** Python's `Literal` of strings, specified by its values. */
  literal: (...choices: string[]): Field =>
    fieldOf((input, found) =>
      validChoice(input, { choices, type: "literal_error" }, found)
    ),
  /** Python's `Enum` of strings, specified by its values. */
  enum: (
    choices: readonly string[],
    { default: value }: WithDefault<string> = {},
  ): Field =>
    fieldOf(
      (input, found) => validChoice(input, { choices, type: "enum" }, found),
      value,
    ),
  /** `null`, or a value that the given field accepts. A missing field becomes `null`. */
  optional: ({ validate }: Field): Field =>
    fieldOf(
      (input, found) => input === null ? null : validate(input, found),
      null,
    ),
  list: (
    element: Field,
    { default: value }: WithDefault<JsonValue[]> = {},
  ): Field =>
    fieldOf((input, found) => validList(element, input, found), value),
  /** Python's `dict` with string keys, optionally restricted to certain keys. */
  map: (
    value: Field,
    { keys = STRING }: { readonly keys?: Field } = {},
  ): Field =>
    fieldOf((input, found) => validMap({ keys, value }, input, found)),
  model: (
    model: Model,
    { default: value }: WithDefault<JsonObject | null> = {},
  ): Field =>
    fieldOf((input, found) => validObject(model, input, found), value),
  /** A `Union` of models discriminated by the value of one key. */
  tagged: (key: string, models: Readonly<Record<string, Model>>): Field =>
    fieldOf((input, found) => validTagged(key, models, input, found)),
};

function fieldOf(validate: Field["validate"], value?: JsonValue): Field {
  return value === undefined ? { validate } : { validate, default: value };
}

function validObject(
  { name, fields, extra }: Model,
  input: JsonValue,
  found: Findings,
): JsonObject | undefined {
  if (!(input instanceof Map)) {
    return found.add(
      input,
      "model_type",
      `Input should be a valid dictionary or instance of ${name}`,
    );
  }
  const object: JsonObject = new Map();
  for (const [key, field] of fields) {
    found.path.push(key);
    const member = input.get(key);
    const value = member === undefined
      ? missing(field, input, found)
      : field.validate(member, found);
    found.path.pop();
    if (value !== undefined) object.set(key, value);
  }
  if (extra === "forbid") rejectExtra(fields, input, found);
  return object;
}

function missing(
  field: Field,
  input: JsonObject,
  found: Findings,
): JsonValue | undefined {
  if (field.default !== undefined) return copyValue(field.default);
  return found.add(input, "missing", "Field required");
}

function rejectExtra(
  fields: Model["fields"],
  input: JsonObject,
  found: Findings,
): void {
  for (const [key, value] of input) {
    if (fields.has(key)) continue;
    found.path.push(key);
    found.add(value, "extra_forbidden", "Extra inputs are not permitted");
    found.path.pop();
  }
}

function validList(
  element: Field,
  input: JsonValue,
  found: Findings,
): JsonValue[] | undefined {
  if (!Array.isArray(input)) {
    return found.add(input, "list_type", "Input should be a valid list");
  }
  const list: JsonValue[] = [];
  for (let i = 0; i < input.length; i++) {
    found.path.push(i);
    const value = element.validate(input[i]!, found);
    found.path.pop();
    if (value !== undefined) list.push(value);
  }
  return list;
}

function validMap(
  { keys, value }: { keys: Field; value: Field },
  input: JsonValue,
  found: Findings,
): JsonObject | undefined {
  if (!(input instanceof Map)) {
    return found.add(input, "dict_type", "Input should be a valid dictionary");
  }
  const map: JsonObject = new Map();
  for (const [key, member] of input) {
    found.path.push(key);
    found.path.push("[key]");
    const name = keys.validate(key, found);
    found.path.pop();
    const valid = value.validate(member, found);
    found.path.pop();
    if (typeof name === "string" && valid !== undefined) map.set(name, valid);
  }
  return map;
}

function validTagged(
  key: string,
  models: Readonly<Record<string, Model>>,
  input: JsonValue,
  found: Findings,
): JsonObject | undefined {
  const tag = input instanceof Map ? input.get(key) : undefined;
  const model = typeof tag === "string" && Object.hasOwn(models, tag)
    ? models[tag]
    : undefined;
  if (model !== undefined) return validObject(model, input, found);
  return found.add(
    input,
    "union_tag_invalid",
    `Input tag found using '${key}' does not match any of the expected tags: ${
      Object.keys(models).map((name) => `'${name}'`).join(", ")
    }`,
  );
}
