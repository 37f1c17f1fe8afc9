/**
 * Derives command-line flags from a config schema. A key with `.meta({ cli: {} })` has a flag. The flag's name, values,
 * description and validation come from the key's schema, so the command's parser, help and config all agree.
 */

import { z } from "zod";
import { objectOf, schemaAt } from "../../env/schema_keys.ts";
import type { Override } from "./config.ts";

/** The properties of a config key's flag, set by `.meta({ cli: … })`. */
export interface CliKey {
  /** The name of the flag in camel case. Default: the name of the key. */
  readonly flag?: string;
  /** The placeholder for the value in `--help`, such as `FILE`. */
  readonly value?: string;
  /** Whether a value is a path. Paths are relative to the directory in which the command was started. */
  readonly isPath?: (value: string) => boolean;
  /** For a section: the prefix of its keys' flags, such as `user`. */
  readonly prefix?: string;
  /** For a section: what its keys apply to, such as `the user's model`. It is inserted into the flags' descriptions. */
  readonly of?: string;
}

interface ConfigFlag {
  readonly flag: string;
  readonly path: readonly string[];
  readonly schema: z.ZodType;
}

/**
 * Returns the flags for a schema's keys, to be added to a command's own flags. They have no defaults, because the
 * config's defaults apply.
 */
export function flagsOf(schema: z.ZodObject): Record<string, z.ZodType> {
  return Object.fromEntries(
    walk(schema, [], {}).map(({ flag, schema }) => [flag, schema]),
  );
}

/** Returns the overrides for the flags that were passed. */
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

/**
 * Checks whether a resumed run may change the value of a key: whether the key or its section is marked with
 * `.meta({ mayChange: true })`.
 */
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
      : description.includes("the model,")
      ? description.replace("the model", of)
      : `For ${of}: ${
        description.replace(/^[A-Z](?=[a-z])/, (one) => one.toLowerCase())
      }`;
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

/** Returns the merged metadata of a schema and the schemas that it wraps. The outer schema's values take precedence. */
function metaOf(schema: z.ZodType): KeyMeta {
  const inner = unwrapped(schema);
  const own = schema.meta() as KeyMeta | undefined;
  return inner === undefined ? { ...own } : { ...metaOf(inner), ...own };
}

/** Returns the schema without wrappers such as default, nullable and optional. */
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
