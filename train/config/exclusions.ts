/** Tasks that are left out: a YAML list of `{task, reason}`, as `deno task audit` suggests one. */

import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import { explainIssue, nearest } from "../../env/schema_issue.ts";
import type { Dataset } from "../../env/types.ts";
import { readTextIfThere } from "../runs/storage.ts";
import { Yaml } from "./yaml_file.ts";

const fileSchema = z.array(
  z.strictObject({ task: z.string().min(1), reason: z.string().default("") }),
);

/** A task to leave out, and why. */
export type Exclusion = z.infer<typeof fileSchema>[number];

/**
 * Reads a file of exclusions.
 * @throws {ConfigError} If there is none, or it is no such list.
 */
export async function readExclusions(path: string): Promise<Exclusion[]> {
  const text = await readTextIfThere(path);
  if (text === undefined) {
    throw new ConfigError(
      `There is no file of exclusions "${path}"`,
      { hint: `write one by "deno task audit --exclusions ${path}"` },
    );
  }
  const { value } = new Yaml({ name: path, text }, "the file of exclusions");
  const result = fileSchema.safeParse(value ?? []);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = issue?.path.join(".") ?? "";
  throw new ConfigError(
    `"${path}" is no list of {task, reason}: ${at}: ${
      issue === undefined ? "?" : explainIssue(issue, undefined)
    }`,
  );
}

/** The text of a file of exclusions. */
export function formatExclusions(
  exclusions: readonly Exclusion[],
  head: string,
): string {
  const comment = head.split("\n").map((line) => `# ${line}`).join("\n");
  return `${comment}\n${stringify(exclusions, { lineWidth: 0 })}`;
}

/**
 * The dataset without some of its tasks; the others keep their ids and their index in the split. It has a
 * fingerprint of its own: episodes of all tasks are not those of the rest.
 * @throws {ConfigError} If a task is not there, or a split would be empty.
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
    if (tasks.length > 0) continue;
    throw new ConfigError(
      `All tasks of the split "${split}" are excluded`,
      { hint: "leave some in" },
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
    `The task "${unknown}" of the exclusions is not in these data`,
    { hint: `the nearest is "${nearest(unknown, [...known])}"` },
  );
}
