/**
 * Reads and formats exclusion files. An exclusion file is a YAML list of `{task, reason}`, which `deno task audit` can
 * write.
 */

import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import { explainIssue, suggestion } from "../../env/schema_issue.ts";
import type { Dataset } from "../../env/types.ts";
import { readTextIfThere } from "../runs/storage.ts";
import { Yaml } from "./yaml_file.ts";

const fileSchema = z.array(
  z.strictObject({ task: z.string().min(1), reason: z.string().default("") }),
);

/** An excluded task and the reason for its exclusion. */
export type Exclusion = z.infer<typeof fileSchema>[number];

/**
 * Reads an exclusion file.
 * @throws {ConfigError} If the file does not exist or is not a list of exclusions.
 */
export async function readExclusions(path: string): Promise<Exclusion[]> {
  const text = await readTextIfThere(path);
  if (text === undefined) {
    throw new ConfigError(
      `The exclusion file "${path}" does not exist`,
      { hint: `write one with "deno task audit --exclusions ${path}"` },
    );
  }
  const { value } = new Yaml({ name: path, text }, "the exclusion file");
  const result = fileSchema.safeParse(value ?? []);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const [index, ...keys] = issue.path;
  const place = index === undefined ? "" : `entry ${Number(index) + 1}: `;
  throw new ConfigError(
    `"${path}" is not a list of {task, reason}: ${place}${
      keys.map((key) => `${String(key)}: `).join("")
    }${explainIssue(issue, undefined)}`,
  );
}

/** Returns the text of an exclusion file that begins with `head` as a comment. */
export function formatExclusions(
  exclusions: readonly Exclusion[],
  head: string,
): string {
  const comment = head.split("\n").map((line) => `# ${line}`).join("\n");
  return `${comment}\n${stringify(exclusions, { lineWidth: 0 })}`;
}

/**
 * Returns the dataset without some of its tasks. The remaining tasks keep their ids and their positions in the split.
 * If any task is excluded, the fingerprint changes, because episodes of the full dataset are not comparable.
 * @throws {ConfigError} If a task does not exist, or a split would be empty.
 */
export function withoutTasks(
  dataset: Dataset,
  exclusions: readonly Exclusion[],
): Dataset {
  const out = new Set(exclusions.map(({ task }) => task));
  if (out.size === 0) return dataset;
  const kept = new Map(dataset.splits.map((split) => [
    split,
    dataset.tasks(split).filter(({ id }) => !out.has(id)),
  ]));
  checkKnown(dataset, out);
  for (const [split, tasks] of kept) {
    if (tasks.length > 0 || dataset.tasks(split).length === 0) continue;
    throw new ConfigError(
      `All tasks of the split "${split}" are excluded`,
      { hint: "keep at least one task per split" },
    );
  }
  const ids = [...out].sort().join("\n");
  return {
    ...dataset,
    fingerprint: createHash("sha256").update(`${dataset.fingerprint}\n${ids}`)
      .digest("hex"),
    tasks: (split) => kept.get(split) ?? dataset.tasks(split),
  };
}

function checkKnown(dataset: Dataset, out: ReadonlySet<string>): void {
  const known = new Set(
    dataset.splits.flatMap((split) => dataset.tasks(split)).map(({ id }) => id),
  );
  const unknown = [...out].find((id) => !known.has(id));
  if (unknown === undefined) return;
  throw new ConfigError(
    `The excluded task "${unknown}" is not in the dataset${
      suggestion(unknown, [...known])
    }`,
    {
      hint:
        "correct the task in the exclusion file (data.exclude), or remove it",
    },
  );
}
