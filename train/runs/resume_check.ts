/** Whether a run can be resumed with what is asked of it now: by its config, by its dataset. */

import { join } from "node:path";
import type { z } from "zod";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import { configDifferences } from "../config/config.ts";
import { mayChange } from "../config/config_flags.ts";
import type { RunInfo } from "./run_info.ts";

/** What a run began with. */
export interface Begun {
  readonly path: string;
  readonly config: object;
  readonly info: RunInfo;
}

/** What it would be resumed with; what is left out is not compared. */
export interface Asked {
  /** The run's config with what the flags change. */
  readonly config?: object;
  /** The config's schema, which says of a key whether it may differ. Default: none may. */
  readonly schema?: z.ZodType;
  /** A recipe that the flags name: it is for new runs. */
  readonly recipe?: string | undefined;
  readonly dataset?: { readonly fingerprint: string };
}

/**
 * Checks that a run is resumed as it began.
 * @throws {ConfigError} If flags ask for another config.
 * @throws {RunDirError} If its dataset is another one now.
 */
export function checkResume(run: Begun, asked: Asked): void {
  const { config, schema, recipe, dataset } = asked;
  const [difference] = configDifferences(run.config, config ?? run.config)
    .filter(({ key }) => schema === undefined || !mayChange(schema, key));
  if (difference !== undefined || recipe !== undefined) {
    const why = difference === undefined
      ? `--recipe ${recipe} is for new runs`
      : `${difference.key} is ${difference.there} in ${
        join(run.path, "config.yaml")
      }, ${difference.here} in flags`;
    throw new ConfigError(`Cannot resume "${run.path}": ${why}`, {
      hint: "leave the flag out, or start a new run",
    });
  }
  if (dataset === undefined || isSame(run.info, dataset)) return;
  throw new RunDirError(
    `Cannot resume "${run.path}": ${usedAnother(run.info, dataset)}`,
    { hint: `start a new run, or ${originalOf(run.info)}` },
  );
}

/** @throws {ConfigError} If a run is completed. */
export function checkUnfinished({ path, info }: Omit<Begun, "config">): void {
  if (info.outcome !== "completed") return;
  throw new ConfigError(
    `The run "${path}" is completed: there is nothing to resume`,
    { hint: "its figures are in run.json" },
  );
}

/** How to have the dataset of a run again. */
export function originalOf({ dataset }: RunInfo): string {
  return dataset.name === "generated"
    ? "use the taulab that it began with"
    : `pass --${dataset.name} with the original directory`;
}

/** Whether a run used a dataset. */
export function isSame(
  { dataset }: RunInfo,
  now: { readonly fingerprint: string },
): boolean {
  return dataset.fingerprint === now.fingerprint;
}

/** That a run used another dataset than the one that is there. */
export function usedAnother(
  { dataset }: RunInfo,
  now: { readonly fingerprint: string },
): string {
  const [before, after] = [dataset, now]
    .map(({ fingerprint }) => `${fingerprint.slice(0, 12)}…`);
  return `it used another dataset (fingerprint ${before}, now ${after})`;
}
