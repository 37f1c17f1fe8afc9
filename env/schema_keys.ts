/** Finds the keys in a schema of nested settings, for errors that suggest the nearest key. */

import { z } from "zod";

/** Returns the keys of the section at a path; empty if there is no section. */
export function knownKeys(
  root: z.ZodType,
  path: readonly string[],
): string[] {
  return Object.keys(objectOf(schemaAt(root, path))?.shape ?? {});
}

/** Returns the schema at a path, or at the longest prefix of the path that exists. */
export function schemaAt(
  root: z.ZodType,
  path: readonly string[],
): z.ZodType {
  let schema: z.ZodType = root;
  for (const key of path) {
    const inner = objectOf(schema)?.shape[key] as z.ZodType | undefined;
    if (!inner) break;
    schema = inner;
  }
  return schema;
}

/** Returns the object schema of a section, without prefault and readonly wrappers; `undefined` for any other schema. */
export function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  const isWrapped = schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly;
  return isWrapped ? objectOf(schema.unwrap() as z.ZodType) : undefined;
}
