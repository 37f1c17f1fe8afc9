/** The keys that a schema of nested settings has, for errors that name the nearest one. */

import { z } from "zod";

/** The keys of the section at a path; none where there is no section. */
export function knownKeys(
  root: z.ZodType,
  path: readonly string[],
): string[] {
  return Object.keys(objectOf(schemaAt(root, path))?.shape ?? {});
}

/** The schema at a path, as far as it leads. */
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

/** The section that a schema is, without what is wrapped around it. */
export function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  const isWrapped = schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly;
  return isWrapped ? objectOf(schema.unwrap() as z.ZodType) : undefined;
}
