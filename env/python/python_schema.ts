/** zod schemas for values as {@linkcode parsePythonJson} gives them, where some parts must keep their spelling. */

import { z } from "zod";
import { Float, type JsonObject, type JsonValue } from "./python_value.ts";

/** An object of which some fields are known; its members stay as they were parsed. Others are left out. */
export function objectOf<S extends z.ZodRawShape>(shape: S) {
  return z.preprocess(
    (value) => value instanceof Map ? Object.fromEntries(value) : value,
    z.object(shape),
  );
}

/** An object as it was parsed. */
export const anyObject: z.ZodType<JsonObject> = z.custom<JsonObject>(
  (value) => value instanceof Map,
  { error: "Invalid input: expected object" },
);

/** Any value as it was parsed. */
export const anyValue: z.ZodType<JsonValue> = z.custom<JsonValue>(
  (value) => value !== undefined,
  { error: "Invalid input: expected a value" },
);

/** An int or a float, as a plain number. */
export const plainNumber = z.preprocess(
  (value) => value instanceof Float ? value.value : value,
  z.number(),
);

/** Where a schema's first complaint is, and what it says: `field "steps.2.name": expected string`. */
export function explainFirstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  const field = issue?.path.length ? `field "${issue.path.join(".")}": ` : "";
  return field + (issue?.message.replace(/^Invalid input: /, "") ?? "");
}
