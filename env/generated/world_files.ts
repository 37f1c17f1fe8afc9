/**
 * Converts a generated world to files in τ-bench's layout, which any reader of τ-bench's data accepts, and adds a file
 * with the tasks' goals and certificates.
 */

import {
  fromPlain,
  type JsonObject,
  type JsonValue,
  printPythonJson,
} from "../python/python_json.ts";
import { promptsFile } from "../prompts.ts";
import type { Task } from "../types.ts";
import type { CertifiedDataset, WorldSplit } from "./factory.ts";

/** A file of a world, with a path relative to the world's directory. */
export interface WorldFile {
  readonly path: string;
  readonly text: string;
}

/** Returns the files of a world. The files' bytes are the same on every machine. */
export function worldFiles(dataset: CertifiedDataset): WorldFile[] {
  const { domain } = dataset;
  const json = (path: string, value: JsonValue) => ({
    path,
    text: `${printPythonJson(value)}\n`,
  });
  return [
    ...dataset.database.tables.map((table) =>
      json(`${domain}/${table}.json`, tableOf(dataset, table))
    ),
    { path: `${domain}/wiki.md`, text: dataset.policy },
    json(`${domain}/tools.json`, fromPlain(dataset.tools)),
    json(`${domain}/rules.json`, []),
    ...dataset.splits.map((split) =>
      json(`${domain}/tasks_${split}.json`, dataset.tasks(split).map(taskOf))
    ),
    json(
      "terminate_tools.json",
      fromPlain({ [domain]: dataset.terminatingTools }),
    ),
    json("prompts.json", fromPlain(promptsFile(dataset.prompts()))),
    { path: `${domain}/certificates.jsonl`, text: certificatesText(dataset) },
  ];
}

function tableOf(
  { database }: CertifiedDataset,
  table: string,
): JsonObject {
  return new Map(
    Array.from(database.ids(table), (id) => [id, database.get(table, id)!]),
  );
}

/** Converts a task to τ-bench's format. */
function taskOf({ userId, instruction, actions, outputs }: Task): JsonObject {
  return new Map<string, JsonValue>([
    ["annotator", "generated"],
    ["user_id", userId],
    ["instruction", instruction],
    [
      "actions",
      actions.map(({ name, arguments: kwargs }) =>
        new Map<string, JsonValue>([["name", name], ["kwargs", kwargs]])
      ),
    ],
    ["outputs", [...outputs]],
  ]);
}

/** Returns one line per drawn task: its id, its intent, its goal and its certificate. */
function certificatesText(dataset: CertifiedDataset): string {
  const line = ({ id, intent, goal }: Task) =>
    JSON.stringify({
      id,
      intent,
      goal,
      certificate: dataset.certificates.get(id),
    });
  return dataset.splits.flatMap((split) => dataset.tasks(split))
    .filter(({ id }) => dataset.certificates.has(id)).map(line)
    .map((text) => `${text}\n`).join("");
}

/**
 * Divides `count` tasks among the splits: one tenth each for dev and test, and the rest for train. Each split has at
 * least one task.
 */
export function splitSizes(count: number): Record<WorldSplit, number> {
  const held = Math.max(1, Math.round(count / 10));
  return { train: Math.max(1, count - 2 * held), dev: held, test: held };
}
