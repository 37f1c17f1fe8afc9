/**
 * Writes tasks as rows for slime's `--prompt-data`, like the Python script of its tau-bench example.
 * @see THUDM/slime, examples/tau-bench/tau1/tau1_mock.py: `json.dumps({"index": i, "metadata":
 *   task.model_dump()})`.
 */

import {
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../../../env/python/python_json.ts";
import { domainKey, type DomainName } from "../../../env/domains/registry.ts";
import type { Split, Task } from "../../../env/types.ts";

/**
 * The contents of the rows. `slime`: identical to the example's, byte for byte. `split`: also has `env` and
 * `split` in each row's metadata, and `bench` if it is not τ-bench, so that a row identifies its task and an
 * evaluation cannot use another split's; and `prompt`, the number as a message, because slime requires a message
 * for checkpoints with a processor.
 */
export type RowStyle = "slime" | "split";

/** The splits of a domain, in the order of the example. */
export const SLIME_SPLITS: readonly Split[] = ["train", "test", "dev"];

/** Returns the name of a file of rows: `retail_train_tasks.jsonl`. */
export function slimeFileName(domain: DomainName, split: Split): string {
  return `${domain}_${split}_tasks.jsonl`;
}

/** Returns the text of a file of rows, one line per task, in the given order. */
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
