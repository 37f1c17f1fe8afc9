/** Checks whether a run can be resumed with the current flags and dataset. */

import { join } from "node:path";
import type { z } from "zod";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import { configDifferences, valueText } from "../config/config.ts";
import { mayChange } from "../config/config_flags.ts";
import type { RunInfo } from "./run_info.ts";

/** A run to resume, with the config and the info in its run dir. */
export interface StartedRun {
  readonly path: string;
  readonly config: object;
  readonly info: RunInfo;
}

/** The config and the dataset with which to resume the run. A missing config or dataset is not compared. */
export interface ResumeRequest {
  /** The run's config with the flags applied. */
  readonly config?: object;
  /** The config's schema, which marks the keys that may differ. Default: no key may differ. */
  readonly schema?: z.ZodType;
  /** The recipe named by the flags. Only new runs accept a recipe. Default: none. */
  readonly recipe?: string | undefined;
  readonly dataset?: { readonly fingerprint: string };
}

/**
 * Checks that a run is resumed with the config and dataset it started with, except for keys that may change.
 * @throws {ConfigError} If flags change another key of the config or name a recipe.
 * @throws {RunDirError} If the dataset has changed.
 */
export function checkResume(run: StartedRun, asked: ResumeRequest): void {
  const { config, schema, recipe, dataset } = asked;
  const [difference] = configDifferences(run.config, config ?? run.config)
    .filter(({ key }) => schema === undefined || !mayChange(schema, key));
  if (difference !== undefined || recipe !== undefined) {
    const why = difference === undefined
      ? `--recipe ${recipe} applies only to new runs`
      : `${difference.key} is ${valueText(difference.there)} in ${
        join(run.path, "config.yaml")
      }, but ${valueText(difference.here)} in the flags`;
    throw new ConfigError(`Cannot resume "${run.path}": ${why}`, {
      hint: "omit the flag, or start a new run",
    });
  }
  if (dataset === undefined || isSame(run.info, dataset)) return;
  const { data }: { data?: { exclude?: string | null } } = run.config;
  throw new RunDirError(
    `Cannot resume "${run.path}": ${usedOtherDataset(run.info, dataset)}`,
    {
      hint: `start a new run, or ${
        originalDatasetHint(run.info, data?.exclude)
      }`,
    },
  );
}

/**
 * Checks that a run has not completed.
 * @throws {ConfigError} If the run has completed.
 */
export function checkUnfinished(
  { path, info }: Omit<StartedRun, "config">,
): void {
  if (info.outcome !== "completed") return;
  throw new ConfigError(
    `Cannot resume "${path}": the run is already complete`,
    { hint: "read its results in run.json, or start a new run" },
  );
}

/**
 * Returns a hint on how to use the dataset with which a run started.
 * @param exclude The run's exclusion file, which is a part of the dataset. Default: none.
 */
export function originalDatasetHint(
  { dataset }: RunInfo,
  exclude: string | null = null,
): string {
  const hint = dataset.name === "generated"
    ? "use the version of taulab that started this run"
    : `pass --${dataset.name} with the original directory`;
  return exclude === null
    ? hint
    : `${hint}, or restore the original exclusion file "${exclude}"`;
}

/** Checks whether a run used this dataset. */
export function isSame(
  { dataset }: RunInfo,
  now: { readonly fingerprint: string },
): boolean {
  return dataset.fingerprint === now.fingerprint;
}

/** Returns a clause stating that a run used a different dataset, with the beginnings of both fingerprints. */
export function usedOtherDataset(
  { dataset }: RunInfo,
  now: { readonly fingerprint: string },
): string {
  const [before, after] = [dataset, now]
    .map(({ fingerprint }) => `${fingerprint.slice(0, 12)}…`);
  return `the run used a different dataset (fingerprint ${before}, now ${after})`;
}
