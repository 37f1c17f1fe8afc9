/**
 * Creates the files of a generated world: rows, tasks, a recipe that trains on the world, and a manifest that marks it
 * as complete.
 */

import { join } from "node:path";
import { stringify } from "yaml";
import project from "../../deno.json" with { type: "json" };
import { domainKey } from "../../env/domains/registry.ts";
import { type WorldFile, worldFiles } from "../../env/generated/world_files.ts";
import { ConfigError } from "../../env/errors.ts";
import { sha256 } from "../../env/state_hash.ts";
import type { Split, Task } from "../../env/types.ts";
import { worldSection } from "../config/config_sections.ts";
import { type Exclusion, formatExclusions } from "../config/exclusions.ts";
import { readTextIfThere, writeFileAtomic, writing } from "../runs/storage.ts";
import { type World, worldCoverage } from "./mock_world.ts";

/** Options for {@linkcode mockFiles}. */
export interface MockFilesOptions {
  /** The directory for the files. */
  readonly out: string;
  readonly excluded: readonly Exclusion[];
  /** The reason for the exclusions, which is written to the exclusion file as a comment. */
  readonly excludedWhy: string;
  /** Returns a file with a split's tasks as dataset rows for a trainer. */
  readonly rowsOf: (split: Split, tasks: readonly Task[]) => WorldFile;
}

/** Returns the files of a world. The manifest is the last file and lists the others. */
export function mockFiles(
  world: World,
  { out, excluded, excludedWhy, rowsOf }: MockFilesOptions,
): WorldFile[] {
  const left = new Set(excluded.map(({ task }) => task));
  const files: WorldFile[] = [
    ...worldFiles(world),
    ...world.splits.map((split) =>
      rowsOf(split, world.tasks(split).filter(({ id }) => !left.has(id)))
    ),
    { path: "recipe.yaml", text: recipeText(world, { out, excluded }) },
    ...(excluded.length === 0 ? [] : [{
      path: "exclude.yaml",
      text: formatExclusions(excluded, excludedWhy),
    }]),
  ];
  const text = JSON.stringify(manifestOf(world, files), null, 2);
  return [...files, { path: "manifest.json", text: `${text}\n` }];
}

function manifestOf(world: World, files: readonly WorldFile[]) {
  return {
    taulab: project.version,
    world: { domain: world.domain, seed: world.seed, options: world.options },
    fingerprint: world.fingerprint,
    tasks: Object.fromEntries(
      world.splits.map((split) => [split, world.tasks(split).length]),
    ),
    refused: Object.fromEntries(world.dropped),
    coverage: worldCoverage(world),
    files: Object.fromEntries(
      files.map(({ path, text }) => [path, sha256([text])]),
    ),
  };
}

/** Returns a recipe that trains on exactly this world, or on the tasks drawn from a benchmark's rows. */
function recipeText(
  world: World,
  { out, excluded }: Pick<MockFilesOptions, "out" | "excluded">,
): string {
  const domain = domainKey(world);
  const data = {
    domain,
    ...(world.name === "generated"
      ? {
        source: "generated",
        worldSeed: world.seed,
        [worldSection(domain)]: world.options,
      }
      : {
        source: "tau-bench",
        directory: out,
        rows: { trainTasks: 0 }, // the tasks are already drawn
      }),
    ...(excluded.length === 0 ? {} : { exclude: join(out, "exclude.yaml") }),
  };
  return `# deno task train --recipe ${
    join(out, "recipe.yaml")
  } trains on this world.\n${
    stringify({
      // Take steps, rates and sizes from a recipe with a comparable world. For a benchmark's rows, the default recipe
      // for their data applies.
      ...(world.name === "generated" ? { extends: "retail-all" } : {}),
      data,
    })
  }`;
}

/**
 * Checks that a directory is empty or does not exist.
 * @throws {ConfigError} If it contains anything.
 */
export async function requireEmpty(out: string): Promise<void> {
  const [taken] = await Array.fromAsync(Deno.readDir(out)).catch(() => []);
  if (taken === undefined) return;
  throw new ConfigError(`The directory "${out}" is not empty`, {
    hint: "choose another --out, or pass --force to write into it",
  });
}

/**
 * Checks that no existing file would change.
 * @throws {ConfigError} If a file would replace a different file of the same name.
 */
export async function requireUnchanged(
  out: string,
  files: readonly WorldFile[],
): Promise<void> {
  for (const { path, text } of files) {
    const there = await readTextIfThere(join(out, path));
    if (there === undefined || there === text) continue;
    throw new ConfigError(
      `The file "${join(out, path)}" already exists with different contents`,
      {
        hint: "choose another --out, or pass --force to replace it",
      },
    );
  }
}

/** Writes files in order, each atomically. */
export async function writeFiles(
  out: string,
  files: readonly WorldFile[],
): Promise<void> {
  await writing(out, async () => {
    for (const { path, text } of files) {
      await Deno.mkdir(join(out, path, ".."), { recursive: true });
      await writeFileAtomic(join(out, path), text);
    }
  });
}
