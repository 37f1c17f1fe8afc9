/**
 * Parses and formats the manifest of a host: a record of everything that setup created or changed on it, which is
 * needed to undo setup.
 */

import { z } from "zod";
import { DataError } from "../../../env/errors.ts";
import { type Place, placeSchema } from "../hosts/place.ts";

const path = z.string().min(1);

function thing<K extends string, S extends z.ZodRawShape>(kind: K, shape: S) {
  return z.strictObject({ kind: z.literal(kind), ...shape });
}

const word = z.string();

const madeSchema = z.discriminatedUnion("kind", [
  thing("clone", { dir: path, commit: word }),
  thing("moved", { dir: path, from: word, to: word }),
  thing("venv", { dir: path }),
  thing("download", { dir: path }),
  thing("files", { dir: path, list: path }),
  thing("image", { engine: word, image: word }),
  thing("container", {
    ...{ engine: word, name: word, label: word },
    mounts: z.array(path),
  }),
  thing("package", { python: path, name: word, was: word }),
  thing("requirements", { python: path }),
]);

/** An item that a step created or changed, with the information needed to undo the step. */
export type Made = z.infer<typeof madeSchema>;

const entrySchema = z.strictObject({
  step: z.string(),
  /** The prefix of commands that run in the container where the item was created; empty for the host itself. */
  within: z.array(z.string()),
  made: madeSchema,
  /**
   * Whether the step has ended. `begun` is written before the step runs, so that everything is recorded even if setup
   * is killed.
   */
  state: z.enum(["begun", "done"]),
  /**
   * The fingerprint of the directory's files at the end of the step. Empty until then, and for everything except a
   * `download`.
   */
  fingerprint: z.string(),
  at: z.string(),
});

/** An entry of the manifest. */
export type Entry = z.infer<typeof entrySchema>;

const VERSION = 1;

const manifestSchema = z.strictObject({
  version: z.literal(VERSION),
  /**
   * The place where slime runs on the host. Missing if the host only runs episode servers, and in the manifests of
   * older versions.
   */
  place: placeSchema.optional(),
  entries: z.array(entrySchema),
});

/** The record of everything created on a host, in order, and the place where the host's commands run. */
export interface Manifest {
  readonly place?: Place | undefined;
  readonly entries: readonly Entry[];
}

/**
 * Parses a manifest. Blank text is an empty manifest.
 * @throws {DataError} If the text is not a manifest that this version of setup can read.
 */
export function parseManifest(text: string, where: string): Manifest {
  if (text.trim() === "") return { entries: [] };
  try {
    const { place, entries } = manifestSchema.parse(JSON.parse(text));
    return { place, entries };
  } catch (error) {
    throw new DataError(
      `${where} is not a manifest that this version of setup can read`,
      {
        cause: error,
        hint: "move it to another directory; setup then starts from scratch",
      },
    );
  }
}

/** Formats a manifest as text that {@linkcode parseManifest} can parse. */
export function formatManifest({ place, entries }: Manifest): string {
  return `${
    JSON.stringify({ version: VERSION, place, entries }, undefined, 1)
  }\n`;
}

/** Returns the manifest with an entry added, which replaces an existing entry for the same item. */
export function withEntry(manifest: Manifest, entry: Entry): Manifest {
  const { entries, ...rest } = withoutEntry(manifest, entry);
  return { ...rest, entries: [...entries, entry] };
}

/** Returns the manifest without its entries for the same item as `entry`. */
export function withoutEntry(manifest: Manifest, entry: Entry): Manifest {
  const entries = manifest.entries.filter((other) =>
    keyOf(other) !== keyOf(entry)
  );
  return { ...manifest, entries };
}

/**
 * Returns the manifest's entry for the same item as `entry`, so that a resumed step recognizes its own partial work;
 * `undefined` if there is none.
 */
export function earlierEntry(
  { entries }: Manifest,
  entry: Entry,
): Entry | undefined {
  return entries.find((other) => keyOf(other) === keyOf(entry));
}

function keyOf({ step, within, made }: Entry): string {
  const name = "dir" in made
    ? made.dir
    : made.kind === "container"
    ? made.name
    : made.kind === "image"
    ? made.image
    : made.python;
  return JSON.stringify([step, within, name]);
}
