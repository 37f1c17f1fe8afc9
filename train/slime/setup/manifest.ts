/** What a set-up has made on a host, kept there so that it can be undone: exactly that, and nothing else. */

import { z } from "zod";
import { DataError } from "../../../env/errors.ts";

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

/** A thing that a step made. */
export type Made = z.infer<typeof madeSchema>;

const entrySchema = z.strictObject({
  step: z.string(),
  /** The container it was made in: the words that run a command there. */
  within: z.array(z.string()),
  made: madeSchema,
  /** `begun` is written before the step runs, so that a kill leaves nothing that is not known. */
  state: z.enum(["begun", "done"]),
  /** What was there when it was done, for `download`: files and their sizes. */
  fingerprint: z.string(),
  at: z.string(),
});

/** A line of the manifest. */
export type Entry = z.infer<typeof entrySchema>;

const VERSION = 1;

const manifestSchema = z.strictObject({
  version: z.literal(VERSION),
  entries: z.array(entrySchema),
});

/** What was made on a host, in its order. */
export type Manifest = readonly Entry[];

/** @throws {DataError} If it is not what a set-up wrote. */
export function parseManifest(text: string, place: string): Manifest {
  if (text.trim() === "") return [];
  try {
    return manifestSchema.parse(JSON.parse(text)).entries;
  } catch (error) {
    throw new DataError(
      `${place} is not what this taulab's set-up writes`,
      {
        cause: error,
        hint: "move it away to set up as if nothing had been made",
      },
    );
  }
}

/** As {@linkcode parseManifest} reads it. */
export function formatManifest(entries: Manifest): string {
  return `${JSON.stringify({ version: VERSION, entries }, undefined, 1)}\n`;
}

/** The manifest with an entry in the place of an earlier one of the same thing. */
export function withEntry(manifest: Manifest, entry: Entry): Manifest {
  return [...withoutEntry(manifest, entry), entry];
}

/** The manifest without what was made by the same step in the same place. */
export function withoutEntry(manifest: Manifest, entry: Entry): Manifest {
  return manifest.filter((other) => placeOf(other) !== placeOf(entry));
}

/** What was made first counts: a step that continues must not take the half of its own work for another's. */
export function earlierEntry(
  manifest: Manifest,
  entry: Entry,
): Entry | undefined {
  return manifest.find((other) => placeOf(other) === placeOf(entry));
}

function placeOf({ step, within, made }: Entry): string {
  const place = "dir" in made
    ? made.dir
    : made.kind === "container"
    ? made.name
    : made.kind === "image"
    ? made.image
    : made.python;
  return JSON.stringify([step, within, place]);
}
