/**
 * Flags of a command line that stand for keys of a config. A key says by `.meta({ cli: {} })` that it has one; its
 * name, values, description and check are the key's own, so that parsing, help and the merge follow from the schema.
 */

import { z } from "zod";
import { objectOf, schemaAt } from "../../env/schema_keys.ts";
import type { Override } from "./config.ts";

/** What a key says of its flag, in `.meta({ cli: … })`. */
export interface CliKey {
  /** The flag in camel case. Default: the key's own name. */
  readonly flag?: string;
  /** What help calls its value: `FILE`. */
  readonly value?: string;
  /** Whether its values are paths, which are relative to the caller's directory. */
  readonly isPath?: (value: string) => boolean;
  /** On a section: what the flags of its keys begin with, and whose they are. */
  readonly prefix?: string;
  readonly of?: string;
}

interface ConfigFlag {
  readonly flag: string;
  readonly path: readonly string[];
  readonly schema: z.ZodType;
}

/** The flags of a schema's keys, for a task's own schema of flags: without defaults, those are the config's. */
export function flagsOf(schema: z.ZodObject): Record<string, z.ZodType> {
  return Object.fromEntries(
    walk(schema, [], {}).map(({ flag, schema }) => [flag, schema]),
  );
}

/** What the flags that were given set over a recipe. */
export function flagOverrides(
  schema: z.ZodObject,
  flags: Readonly<Record<string, unknown>>,
): Override[] {
  return walk(schema, [], {}).flatMap(({ flag, path }) => {
    const value = flags[flag];
    if (value === undefined) return [];
    const name = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const shown = value === true ? "" : ` ${value}`;
    return [{ path, value, origin: `--${name}${shown}` }];
  });
}

/** Whether a resumed run may be given another value of a key: it or its section says so by `.meta({ mayChange: true })`. */
export function mayChange(schema: z.ZodType, key: string): boolean {
  const path = key.split(".");
  return path.some((_, i) =>
    metaOf(schemaAt(schema, path.slice(0, i + 1)))["mayChange"] === true
  );
}

function walk(
  { shape }: z.ZodObject,
  path: readonly string[],
  section: CliKey,
): ConfigFlag[] {
  return Object.entries(shape).flatMap(([name, field]) => {
    const here = [...path, name];
    const { description = "", cli } = metaOf(field as z.ZodType);
    const inner = objectOf(field as z.ZodType);
    if (inner !== undefined) return walk(inner, here, { ...section, ...cli });
    if (cli === undefined) return [];
    const { flag = name, value, isPath } = cli;
    const { prefix = "", of } = section;
    const text = of === undefined
      ? description
      : `${of}: ${description[0]?.toLowerCase()}${description.slice(1)}`;
    return [{
      flag: prefix === ""
        ? flag
        : `${prefix}${flag[0]!.toUpperCase()}${flag.slice(1)}`,
      path: here,
      schema: baseOf(field as z.ZodType).optional().meta({
        description: text,
        ...(value === undefined ? {} : { value }),
        ...(isPath === undefined ? {} : { isPath }),
      }),
    }];
  });
}

interface KeyMeta {
  readonly description?: string;
  readonly cli?: CliKey;
  readonly mayChange?: boolean;
}

/** What a schema says of itself, or else what it wraps. */
function metaOf(schema: z.ZodType): KeyMeta {
  const inner = unwrapped(schema);
  const own = schema.meta() as KeyMeta | undefined;
  return inner === undefined ? { ...own } : { ...metaOf(inner), ...own };
}

/** The schema of a value that is given. */
function baseOf(schema: z.ZodType): z.ZodType {
  const inner = unwrapped(schema);
  return inner === undefined ? schema : baseOf(inner);
}

function unwrapped(schema: z.ZodType): z.ZodType | undefined {
  const isWrapper = schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault || schema instanceof z.ZodNullable ||
    schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly;
  return isWrapper ? schema.unwrap() as z.ZodType : undefined;
}
