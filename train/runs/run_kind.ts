/**
 * The kinds of runs. Each trainer registers here how its runs' config is read, so that a run of any kind can be read
 * where nothing is known of its trainer.
 */

import type { ConfigError } from "../../env/errors.ts";
import type { Recipe } from "../config/config.ts";
import type { AnyMetrics } from "./metrics.ts";
import type { RunInfo } from "./run_info.ts";

/** A kind of run, with a config `C` and lines of metrics `L`. */
export interface RunKind<C = unknown, L extends AnyMetrics = AnyMetrics> {
  readonly kind: RunInfo["kind"];
  readonly trainer: RunInfo["trainer"];
  /** @throws {ConfigError} If it is wrong. */
  readonly parseConfig: (config: Recipe) => C;
  /** The error where a run of this kind is needed, and `path` is of another one. */
  readonly refusal: (path: string, info: RunInfo) => ConfigError;
  /** Never set: carries the type of the lines. */
  readonly lines?: readonly L[];
}

const kinds = new Map<string, RunKind>();

/** Makes runs of a kind readable by `readAnyRun()`. @returns The kind. */
export function registerRunKind<C, L extends AnyMetrics>(
  kind: RunKind<C, L>,
): RunKind<C, L> {
  kinds.set(nameOf(kind), kind);
  return kind;
}

/** The kind of a run; `undefined` where nobody has registered it. */
export function runKindOf(info: RunInfo): RunKind | undefined {
  return kinds.get(nameOf(info));
}

/** Whether a run is of a kind. */
export function isOfKind(info: RunInfo, kind: RunKind): boolean {
  return nameOf(info) === nameOf(kind);
}

/** Nobody trains in an evaluation. */
function nameOf({ kind, trainer }: Pick<RunInfo, "kind" | "trainer">): string {
  return kind === "train" ? trainer : kind;
}
