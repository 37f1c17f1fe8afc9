/**
 * Formats tasks as rows for slime's `--prompt-data`, as the Python script of slime's tau-bench example does.
 * @see THUDM/slime, examples/tau-bench/tau1/tau1_mock.py: `json.dumps({"index": i, "metadata": task.model_dump()})`.
 */

import {
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../../../env/python/python_json.ts";
import { domainKey, type DomainName } from "../../../env/domains/registry.ts";
import type { Split, Task } from "../../../env/types.ts";

/**
 * The contents of the rows.
 * - `slime`: the rows are identical to the rows of slime's example, byte for byte.
 * - `split`: the metadata of each row also contains `env`, `split` and, for benchmarks other than τ-bench, `bench`. A
 *   row therefore identifies its task and cannot be evaluated as part of another split. The `prompt` is a message that
 *   contains the task's number, because slime requires messages if the checkpoint has a processor.
 */
export type RowStyle = "slime" | "split";

/** The splits of a domain, in the order of slime's example. */
export const SLIME_SPLITS: readonly Split[] = ["train", "test", "dev"];

/** Returns the name of a file of rows, such as `retail_train_tasks.jsonl`. */
export function slimeFileName(domain: DomainName, split: Split): string {
  return `${domain}_${split}_tasks.jsonl`;
}

/** Returns the contents of a file of rows, with one line per task in the given order. */
export function slimeRows(tasks: readonly Task[], style: RowStyle): string {
  return tasks.map((task) => `${printPythonJson(rowOf(task, style))}\n`).join(
    "",
  );
}

function rowOf(task: Task, style: RowStyle): JsonObject {
  const metadata: [string, JsonValue][] = [
    ["user_id", task.userId],
    [
      "actions",
      task.actions.map(({ name, arguments: kwargs }) =>
        new Map<string, JsonValue>([["name", name], ["kwargs", kwargs]])
      ),
    ],
    ["instruction", task.instruction],
    ["outputs", [...task.outputs]],
  ];
  if (style === "split") {
    if (task.benchmark !== undefined) metadata.push(["bench", task.benchmark]);
    metadata.push(["env", domainKey(task)], ["split", task.split]);
  }
  const message = new Map<string, JsonValue>([
    ["role", "user"],
    ["content", String(task.index)],
  ]);
  const prompt: [string, JsonValue][] = style === "split"
    ? [["prompt", [message]]]
    : [];
  return new Map<string, JsonValue>([
    ["index", task.index],
    ...prompt,
    ["metadata", new Map(metadata)],
  ]);
}
