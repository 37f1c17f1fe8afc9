/** What a set-up has made on a host, kept there so that it can be undone: exactly that, and nothing else. */

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
  /** Where slime is there; missing where only episodes are served, and in manifests of older set-ups. */
  place: placeSchema.optional(),
  entries: z.array(entrySchema),
});

/** What was made on a host, in its order, and where its commands run since. */
export interface Manifest {
  readonly place?: Place | undefined;
  readonly entries: readonly Entry[];
}

/** @throws {DataError} If it is not what a set-up wrote. */
export function parseManifest(text: string, where: string): Manifest {
  if (text.trim() === "") return { entries: [] };
  try {
    const { place, entries } = manifestSchema.parse(JSON.parse(text));
    return { place, entries };
  } catch (error) {
    throw new DataError(
      `${where} is not what this taulab's set-up writes`,
      {
        cause: error,
        hint: "move it away to set up as if nothing had been made",
      },
    );
  }
}

/** As {@linkcode parseManifest} reads it. */
export function formatManifest({ place, entries }: Manifest): string {
  return `${
    JSON.stringify({ version: VERSION, place, entries }, undefined, 1)
  }\n`;
}

/** The manifest with an entry in the place of an earlier one of the same thing. */
export function withEntry(manifest: Manifest, entry: Entry): Manifest {
  const { entries, ...rest } = withoutEntry(manifest, entry);
  return { ...rest, entries: [...entries, entry] };
}

/** The manifest without what was made by the same step in the same place. */
export function withoutEntry(manifest: Manifest, entry: Entry): Manifest {
  const entries = manifest.entries.filter((other) =>
    keyOf(other) !== keyOf(entry)
  );
  return { ...manifest, entries };
}

/** What was made first counts: a step that continues must not take the half of its own work for another's. */
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
