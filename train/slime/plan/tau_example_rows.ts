/**
 * Tasks as rows for slime's `--prompt-data`: what its tau-bench example writes by Python.
 *
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
 * What the rows hold: `slime` is the example's, byte for byte; `split` adds `env` and `split` to each row's
 * metadata, and `bench` where that is not τ-bench, so that a row says itself which task is meant, and an evaluation cannot run on another split's, and
 * `prompt`, the number as a message: of a checkpoint with a processor slime takes no prompt that is none.
 */
export type RowStyle = "slime" | "split";

/** The splits of a domain in the order in which the example writes them, where there are any. */
export const SLIME_SPLITS: readonly Split[] = ["train", "test", "dev"];

/** `retail_train_tasks.jsonl`. */
export function slimeFileName(domain: DomainName, split: Split): string {
  return `${domain}_${split}_tasks.jsonl`;
}

/** The text of a file of rows, a line a task, in the order given. */
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
