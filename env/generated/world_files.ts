/**
 * A generated world as files: in τ-bench's layout, which every reader of τ-bench's data takes, with the goals and
 * certificates of its tasks beside it.
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

/** A file below the directory of the world. */
export interface WorldFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a world, the same bytes anywhere. */
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

/** As τ-bench has tasks. */
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

/** A line a drawn task: who it is, what the user wants, and the proof. */
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

/** How many tasks of each split `count` comes to: a tenth each for dev and test, at least one. */
export function splitSizes(count: number): Record<WorldSplit, number> {
  const held = Math.max(1, Math.round(count / 10));
  return { train: Math.max(1, count - 2 * held), dev: held, test: held };
}
