/** Parses request bodies with a schema. */

import { z } from "zod";
import { explainIssue, suggestion } from "../schema_issue.ts";
import { RequestError } from "./served_policy.ts";

/**
 * Parses a body.
 * @throws {RequestError} If the body does not match the schema. The message names the field and the problem.
 */
export function readBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const value = issue.path.reduce<unknown>(
    (node, key) => (node as Record<PropertyKey, unknown> | undefined)?.[key],
    body,
  );
  // The value that contains an unknown key is valid otherwise, and may be long.
  const got = issue.code === "unrecognized_keys" ? undefined : value;
  const isMissing = issue.code === "invalid_type" && value === undefined;
  throw new RequestError(
    `${issue.path.join(".") || "the body"}: ${explainIssue(issue, got)}${
      isMissing ? ", but it is missing" : keySuggestion(issue, schema)
    }`,
  );
}

/** Returns a suggestion for a misspelled key of the body, or an empty string. */
function keySuggestion(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const isKey = issue.code === "unrecognized_keys" && issue.path.length === 0;
  return isKey && schema instanceof z.ZodObject
    ? suggestion(issue.keys[0] ?? "", Object.keys(schema.shape))
    : "";
}
