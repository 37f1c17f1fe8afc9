/**
 * The kinds of runs. Each trainer registers how to read the config of its runs, so that any run can be read without
 * knowing its trainer.
 */

import type { ConfigError } from "../../env/errors.ts";
import type { Recipe } from "../config/config.ts";
import type { AnyMetrics } from "./metrics.ts";
import type { RunInfo } from "./run_info.ts";

/** A kind of run, with a config `C` and lines of metrics `L`. */
export interface RunKind<C = unknown, L extends AnyMetrics = AnyMetrics> {
  readonly kind: RunInfo["kind"];
  readonly trainer: RunInfo["trainer"];
  /**
   * Parses a run's config.
   * @throws {ConfigError} If the config is invalid.
   */
  readonly parseConfig: (config: Recipe) => C;
  /** Returns the error for a run of another kind at `path`. */
  readonly refusal: (path: string, info: RunInfo) => ConfigError;
  /** Never set. It exists only for the type of the lines. */
  readonly lines?: readonly L[];
}

const kinds = new Map<string, RunKind>();

/**
 * Registers a kind of run, so that `readAnyRun()` can read its runs.
 * @returns The given kind.
 */
export function registerRunKind<C, L extends AnyMetrics>(
  kind: RunKind<C, L>,
): RunKind<C, L> {
  kinds.set(nameOf(kind), kind);
  return kind;
}

/** Returns the kind of a run; `undefined` if it is not registered. */
export function runKindOf(info: RunInfo): RunKind | undefined {
  return kinds.get(nameOf(info));
}

/** Checks whether a run is of the given kind. */
export function isOfKind(info: RunInfo, kind: RunKind): boolean {
  return nameOf(info) === nameOf(kind);
}

/** Returns the registry key of a kind. An evaluation has no trainer. */
function nameOf({ kind, trainer }: Pick<RunInfo, "kind" | "trainer">): string {
  return kind === "train" ? trainer : kind;
}
