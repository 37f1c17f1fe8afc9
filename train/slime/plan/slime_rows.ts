/** Converts the tasks of a dataset to the rows that slime reads. */

import { slimeFileName, slimeRows } from "./tau_example_rows.ts";
import { domainKey } from "../../../env/domains/registry.ts";
import { ConfigError } from "../../../env/errors.ts";
import type { Dataset, Split } from "../../../env/types.ts";
import type { SlimeConfig } from "../slime_schema.ts";

/** The rows of a split. */
export interface SplitRows {
  readonly split: Split;
  /** The name of the file, such as `retail_train_tasks.jsonl`. */
  readonly fileName: string;
  readonly rows: number;
  /** The contents of the file: lines of JSON, each of which contains its domain and split. */
  readonly text: string;
}

/** The part of a dataset that a plan needs. */
export interface PlanData {
  /** The rows of the splits, starting with the training split. */
  readonly rows: readonly SplitRows[];
  /** The number of tokens in the policy text and the tools, estimated at four characters per token. */
  readonly promptTokens: number;
  readonly fingerprint: string;
}

/** Returns the splits that a recipe reads, starting with the training split. */
export function planSplits(
  { eval: evals }: Pick<SlimeConfig, "eval">,
): Split[] {
  return ["train", ...(evals.every > 0 ? evals.splits : [])];
}

/**
 * Extracts the parts of a dataset that a plan needs.
 * @throws {ConfigError} If the dataset lacks a split that the recipe trains or evaluates on.
 */
export function planData(dataset: Dataset, config: SlimeConfig): PlanData {
  const rows = planSplits(config).map((split) => {
    if (!dataset.splits.includes(split)) throw missing(split, dataset);
    const tasks = dataset.tasks(split);
    return {
      split,
      fileName: slimeFileName(domainKey(dataset), split),
      rows: tasks.length,
      text: slimeRows(tasks, "split"),
    };
  });
  const letters = dataset.policy.length + JSON.stringify(dataset.tools).length;
  return {
    rows,
    promptTokens: Math.ceil(letters / 4),
    fingerprint: dataset.fingerprint,
  };
}

function missing(split: Split, dataset: Dataset): ConfigError {
  const there = `${dataset.name} ${dataset.domain} has only ${
    dataset.splits.join(", ")
  }`;
  const held = dataset.splits.filter((one) => one !== "train");
  return split === "train"
    ? new ConfigError(`There are no tasks to train on: ${there}`, {
      hint: "set data.domain to another domain",
    })
    : new ConfigError(`eval.splits names ${split}, but ${there}`, {
      hint: held.length === 0
        ? "set eval.every to 0"
        : `set eval.splits to [${held.join(", ")}], or set eval.every to 0`,
    });
}
