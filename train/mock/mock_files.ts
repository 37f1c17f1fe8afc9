/** A generated world on disk: its rows and tasks, a recipe that trains on it, and a manifest that says it is whole. */

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

/** What goes with a world. */
export interface MockFilesOptions {
  /** The directory that the files are for. */
  readonly out: string;
  readonly excluded: readonly Exclusion[];
  /** Why they are, for a person who reads the list. */
  readonly excludedWhy: string;
  /** The file of rows that a trainer takes of a split's tasks. */
  readonly rowsOf: (split: Split, tasks: readonly Task[]) => WorldFile;
}

/** The files of a world; the manifest is the last and names the others. */
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

/** What trains on this very world, goals and all, or on the tasks over a benchmark's rows. */
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
        rows: { trainTasks: 0 }, // they are drawn already
      }),
    ...(excluded.length === 0 ? {} : { exclude: join(out, "exclude.yaml") }),
  };
  return `# deno task train --recipe ${
    join(out, "recipe.yaml")
  } trains on this world.\n${
    stringify({
      // Steps, rates and sizes of a recipe whose world is as wide; tasks over a benchmark's rows have their own.
      ...(world.name === "generated" ? { extends: "retail-all" } : {}),
      data,
    })
  }`;
}

/** @throws {ConfigError} If there is something in the directory. */
export async function refuseTaken(out: string): Promise<void> {
  const [taken] = await Array.fromAsync(Deno.readDir(out)).catch(() => []);
  if (taken === undefined) return;
  throw new ConfigError(`"${out}" is not empty`, {
    hint: "choose another --out, or write over it by --force",
  });
}

/** @throws {ConfigError} If a file would replace another one of the same name. */
export async function refuseOthers(
  out: string,
  files: readonly WorldFile[],
): Promise<void> {
  for (const { path, text } of files) {
    const there = await readTextIfThere(join(out, path));
    if (there === undefined || there === text) continue;
    throw new ConfigError(`"${join(out, path)}" is there and differs`, {
      hint: "choose another --out, or replace it by --force",
    });
  }
}

/** Writes files in their order, each whole. */
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
