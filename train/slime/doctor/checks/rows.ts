/**
 * Reads the rows of tasks as slime does, and checks them. slime silently skips rows that it cannot read, and does not
 * detect incorrect rows.
 */

import { z } from "zod";
import { domainKey } from "../../../../env/domains/registry.ts";
import { DataError, messageOf } from "../../../../env/errors.ts";
import { explainIssue } from "../../../../env/schema_issue.ts";
import { parseModelJson } from "../../../../env/tokens/model_dir.ts";
import { slimeFileName, slimeRows } from "../../plan/tau_example_rows.ts";
import { planSplits } from "../../plan/slime_rows.ts";
import type { Dataset, Split, Task } from "../../../../env/types.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  pass,
  verdict,
  warn,
} from "../check.ts";

/** The `rows` check. */
export const check: Check = {
  id: "rows",
  order: 120,
  title:
    "every row is valid and names a task of its split, and splits share no tasks",
  async run(context) {
    const { config, batch } = context;
    const dataset = await context.facts.dataset();
    const files = await filesOf(context, dataset);
    const found = files.map((file) =>
      look(file, { needed: batch.overSamplingBatchSize, dataset })
    );
    const evaluated = config.eval.every > 0 ? config.eval.splits : [];
    return [...found.flat(), ...shared(dataset, evaluated)];
  },
};

/** A file of rows. */
interface RowFile {
  readonly name: string;
  readonly text: string;
}

async function filesOf(
  { config, rowFiles }: CheckContext,
  dataset: Dataset,
): Promise<RowFile[]> {
  if (rowFiles.length > 0) return await Promise.all(rowFiles.map(readRows));
  return planSplits(config).map((split) => ({
    name: slimeFileName(domainKey(dataset), split),
    text: slimeRows(dataset.tasks(split), "split"),
  }));
}

async function readRows(path: string): Promise<RowFile> {
  try {
    return { name: path, text: await Deno.readTextFile(path) };
  } catch (cause) {
    throw new DataError(
      `Cannot read the rows in "${path}": ${
        cause instanceof Error ? cause.message.split(":")[0] : cause
      }`,
      { path, cause, hint: 'pass a file that "deno task mock" wrote' },
    );
  }
}

/** The maximum number of faults to list per file. The faults of a file usually have the same cause. */
const MAX_FAULTS = 3;

function look(
  file: RowFile,
  { needed, dataset }: { needed: number; dataset: Dataset },
): readonly Observed[] {
  const lines = file.text.split("\n").map((text, i) => ({ text, line: i + 1 }))
    .filter(({ text }) => text.trim() !== "");
  const read = lines.map(({ text, line }) => ({
    line,
    row: readRow(text, dataset),
  }));
  const faults = read.flatMap(({ line, row }) =>
    row.fault === undefined ? [] : [`${file.name}:${line}: ${row.fault}`]
  );
  const splits = new Set(read.flatMap(({ row }) => row.split ?? []));
  return verdict(
    [
      ...(read.length === 0 ? [faultyRow(`${file.name} has no rows`)] : []),
      ...faults.slice(0, MAX_FAULTS).map(faultyRow),
      ...(faults.length > MAX_FAULTS
        ? [faultyRow(
          `${file.name}: ${faults.length - MAX_FAULTS} more ${
            faults.length - MAX_FAULTS === 1
              ? "row has a fault"
              : "rows have faults"
          }`,
        )]
        : []),
      ...(splits.size > 1
        ? [fail(
          `${file.name} mixes the splits ${[...splits].join(", ")}`,
          'write one file per split with "deno task mock --rows-format split"',
        )]
        : []),
      ...twice(file, read),
      ...(splits.has("train") ? tooFew(file, read.length, needed) : []),
    ],
    `${file.name}: ${rows(read.length)} of ${[...splits].join(", ")}`,
  );
}

function faultyRow(fault: string): Observed {
  return fail(
    fault,
    'write the rows again with "deno task mock --rows-format split --out DIR"',
  );
}

function rows(count: number): string {
  return `${count} ${count === 1 ? "row" : "rows"}`;
}

const rowSchema = z.looseObject({
  index: z.int().min(0),
  prompt: z.tuple([z.looseObject({ content: z.string() })]),
  metadata: z.looseObject({
    instruction: z.string().optional(),
    user_id: z.string().optional(),
    env: z.string().optional(),
    split: z.enum(["train", "dev", "test"]),
  }),
});

interface ReadRow {
  readonly index?: number;
  readonly split?: Split;
  readonly fault?: string;
}

function readRow(text: string, dataset: Dataset): ReadRow {
  let json: unknown;
  try {
    json = parseModelJson(text); // This parser accepts the same JSON as slime's.
  } catch (error) {
    return {
      fault: `the row is not JSON (${messageOf(error)})`,
    };
  }
  const { data, error } = rowSchema.safeParse(json);
  if (data === undefined) {
    const [issue] = error.issues;
    const key = issue?.path.join(".") ?? "";
    return {
      fault: key === ""
        ? "the row is not a JSON object"
        : `"${key}" is missing or invalid: ${
          issue === undefined ? "" : explainIssue(issue, undefined)
        }`,
    };
  }
  const { index, metadata, prompt: [{ content }] } = data;
  const { split } = metadata;
  const fault = content === String(index)
    ? wrongTaskFault({ index, ...metadata }, dataset)
    : `the row's prompt is "${content}", but its index is ${index}`;
  return fault === null ? { index, split } : { index, split, fault };
}

/** Returns the reason why a row does not identify a task of the dataset; `null` if it does. */
function wrongTaskFault(
  row: {
    readonly index: number;
    readonly split: Split;
    readonly env?: string | undefined;
    readonly instruction?: string | undefined;
    readonly user_id?: string | undefined;
  },
  dataset: Dataset,
): string | null {
  const { index, split, env, instruction, user_id } = row;
  if (!dataset.splits.includes(split)) {
    return `the dataset has no split ${split}`;
  }
  if (env !== undefined && env !== domainKey(dataset)) {
    return `the row is for ${env}, but the recipe is for ${domainKey(dataset)}`;
  }
  const tasks = dataset.tasks(split);
  const task = tasks[index];
  if (task === undefined) {
    return `index ${index} is out of range: ${split} has ${tasks.length} ${
      tasks.length === 1 ? "task" : "tasks"
    }`;
  }
  const isOther = (instruction ?? task.instruction) !== task.instruction ||
    (user_id ?? task.userId) !== task.userId;
  return isOther
    ? `the row differs from task ${index} of ${split} in this dataset`
    : null;
}

function twice(
  file: RowFile,
  read: readonly { readonly line: number; readonly row: ReadRow }[],
): Observed[] {
  const seen = new Set<string>();
  const double = read.find(({ row: { index, split } }) => {
    const key = `${split} ${index}`;
    const isTwice = index !== undefined && seen.has(key);
    seen.add(key);
    return isTwice;
  });
  return double === undefined ? [] : [warn(
    `${file.name}:${double.line}: task ${double.row.index} occurs twice, and would count twice`,
    "keep one row per task",
  )];
}

function tooFew(
  file: RowFile,
  count: number,
  needed: number,
): Observed[] {
  return count >= needed ? [] : [fail(
    `${file.name} has ${rows(count)}, but ${needed} are sampled at a time`,
    "lower rollout.overSamplingBatchSize and rollout.batchSize, or train on more tasks",
  )];
}

/**
 * Checks that the evaluated splits exist and share no tasks with the training split. Shared tasks inflate the
 * evaluation result.
 */
function shared(
  dataset: Dataset,
  splits: readonly ("dev" | "test")[],
): Observed[] {
  const trained = new Map(
    dataset.tasks("train").map((task) => [keyOf(task), task]),
  );
  return splits.flatMap((split): Observed[] => {
    if (!dataset.splits.includes(split)) {
      const held = dataset.splits.filter((one) => one !== "train");
      return [fail(
        `eval.splits names ${split}, which the dataset does not have`,
        held.length === 0
          ? "set eval.splits to [] and eval.every to 0"
          : `set eval.splits to one or more of ${held.join(", ")}`,
      )];
    }
    const both = dataset.tasks(split).filter((task) =>
      trained.has(keyOf(task))
    );
    return both.length === 0
      ? [pass(`${split} and train share no tasks`)]
      : [warn(
        `${split} and train share ${both.length} ${
          both.length === 1 ? "task" : "tasks"
        }, such as ${both[0]?.id}`,
        "evaluate on another split, or report that the result is on training tasks",
      )];
  });
}

function keyOf({ userId, instruction }: Task): string {
  return `${userId} ${instruction}`;
}
