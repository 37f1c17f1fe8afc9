/**
 * Provides zod schemas for values from {@linkcode parsePythonJson}. {@linkcode anyObject} and {@linkcode anyValue} keep
 * number types and key order. Also formats validation errors.
 */

import { z } from "zod";
import { Float, type JsonObject, type JsonValue } from "./python_value.ts";

/**
 * Returns the schema of an object with some known fields, each with its own schema. The result is a plain JavaScript
 * object without other fields.
 */
export function objectOf<S extends z.ZodRawShape>(shape: S) {
  return z.preprocess(
    (value) => value instanceof Map ? Object.fromEntries(value) : value,
    z.object(shape),
  );
}

/** The schema of any object. The object stays as parsed. */
export const anyObject: z.ZodType<JsonObject> = z.custom<JsonObject>(
  (value) => value instanceof Map,
  { error: "Invalid input: expected object" },
);

/** The schema of any value. The value stays as parsed. */
export const anyValue: z.ZodType<JsonValue> = z.custom<JsonValue>(
  (value) => value !== undefined,
  { error: "Invalid input: expected a value" },
);

/** The schema of a finite float or a safe integer. The result is a JavaScript number. */
export const plainNumber = z.preprocess(
  (value) => value instanceof Float ? value.value : value,
  z.number(),
);

/** Formats the first issue of a zod error with its path: `field "steps.2.name": expected string`. */
export function explainFirstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  const field = issue?.path.length ? `field "${issue.path.join(".")}": ` : "";
  const what = issue?.message.replace(/^Invalid input: /, "")
    .replace(/, received undefined$/, ", but it is missing");
  return field + (what ?? "");
}
