/** Extracts a τ-bench domain from its Python source: tools, tasks, rules and policy. */

import type { Split } from "../../../types.ts";
import { DataError } from "../../../errors.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { evaluate } from "../../python_source/literal_value.ts";
import {
  bodyOf,
  definition,
  type PythonModules,
} from "../../python_source/python_modules.ts";
import {
  children,
  descendants,
  type PythonSource,
  textOf,
  unreadable,
} from "../../python_source/syntax_tree.ts";

const SPLITS: readonly Split[] = ["train", "dev", "test"];

/** The contents of a domain's source code. */
export interface ImportedDomain {
  readonly rules: JsonValue;
  readonly tools: readonly JsonValue[];
  readonly terminatingTools: JsonValue;
  readonly policy: string;
  readonly tasks: ReadonlyMap<Split, readonly JsonObject[]>;
}

/**
 * Imports a domain.
 * @throws {DataError} If a part of the domain is missing or cannot be read; the message names the file and, if the
 * fault has a position, the line and the column.
 */
export async function importDomain(
  modules: PythonModules,
  { root, domain, wiki }: {
    root: string;
    domain: string;
    /** The text of `wiki.md`; if `undefined`, the constant in `wiki.py` is used. */
    wiki: string | undefined;
  },
): Promise<ImportedDomain> {
  const dir = `${root}/tau_bench/envs/${domain}`;
  const tasks = new Map<Split, readonly JsonObject[]>();
  for (const split of SPLITS) {
    const source = await modules.sourceIfAny(`${dir}/tasks_${split}.py`);
    if (source !== undefined) {
      tasks.set(split, await readTasks(modules, source, split));
    }
  }
  if (tasks.size === 0) {
    throw new DataError(
      `Cannot find tasks in "${dir}": there is no tasks_test.py, tasks_dev.py or tasks_train.py`,
      { path: dir },
    );
  }
  return {
    rules: await modules.constant(
      await modules.source(`${dir}/rules.py`),
      "RULES",
    ),
    tools: await readTools(
      modules,
      await modules.source(`${dir}/tools/__init__.py`),
    ),
    terminatingTools: readTerminating(await modules.source(`${dir}/env.py`)),
    policy: wiki ??
      String(
        await modules.constant(await modules.source(`${dir}/wiki.py`), "WIKI"),
      ),
    tasks,
  };
}

/**
 * Evaluates `Task(…)` and `Action(…)` to objects with the fields of τ-bench's pydantic models, in the order in which
 * the models define them. Returns `undefined` for any other call, and for a call with positional arguments.
 */
export function taskCalls(
  callee: string,
  { positional, keywords }: {
    positional: readonly JsonValue[];
    keywords: JsonObject;
  },
): JsonObject | undefined {
  const fields = { Task: TASK_FIELDS, Action: ["name", "kwargs"] }[callee];
  if (fields === undefined || positional.length > 0) return undefined;
  return new Map(
    fields.flatMap((field): [string, JsonValue][] => {
      const value = keywords.get(field);
      return value === undefined ? [] : [[field, value]];
    }),
  );
}

const TASK_FIELDS = [
  "annotator",
  "user_id",
  "instruction",
  "actions",
  "outputs",
];

async function readTasks(
  modules: PythonModules,
  source: PythonSource,
  split: Split,
): Promise<readonly JsonObject[]> {
  const name = [`TASKS_${split.toUpperCase()}`, "TASKS", "tasks"].find((name) =>
    modules.hasConstant(source, name)
  );
  if (name === undefined) {
    throw unreadable(
      source,
      source.root,
      `there is no list TASKS_${split.toUpperCase()} or TASKS`,
    );
  }
  const tasks = await modules.constant(source, name);
  if (!Array.isArray(tasks)) {
    throw unreadable(source, source.root, `"${name}" is not a list`);
  }
  return tasks.map((task, index) =>
    checkedTask(task, `${source.path}: task ${index}`)
  );
}

/**
 * Validates a task and returns it. As in τ-bench, missing outputs become `[]` and a missing annotator becomes `""`.
 * @throws {DataError} If the value is not a task, or another field is missing.
 */
function checkedTask(task: JsonValue, where: string): JsonObject {
  const fault = !(task instanceof Map)
    ? "is not a Task"
    : TASK_FIELDS.slice(1, 4).filter((field) => !task.has(field))
      .map((field) => `has no "${field}"`)[0];
  if (fault !== undefined || !(task instanceof Map)) {
    throw new DataError(`${where} ${fault}`);
  }
  return new Map(
    TASK_FIELDS.map((field) => [
      field,
      task.get(field) ?? (field === "annotator" ? "" : []),
    ]),
  );
}

/** Reads the schemas of the tools, in the order of registration. */
async function readTools(
  modules: PythonModules,
  source: PythonSource,
): Promise<JsonValue[]> {
  const list = [...descendants(source.root, "AssignStatement")].find((node) =>
    textOf(source, node).startsWith("ALL_TOOLS")
  );
  const names = list === undefined
    ? []
    : [...descendants(list, "ArrayExpression")]
      .flatMap((array) => [...descendants(array, "VariableName")]);
  if (names.length === 0) {
    throw unreadable(
      source,
      source.root,
      "there is no list ALL_TOOLS of classes",
    );
  }
  const tools: JsonValue[] = [];
  for (const node of names) {
    const found = await modules.classNamed(source, textOf(source, node));
    tools.push(await schemaOf(modules, found.source, found.node));
  }
  return tools;
}

async function schemaOf(
  modules: PythonModules,
  source: PythonSource,
  owner: Parameters<typeof bodyOf>[0],
): Promise<JsonValue> {
  const info = definition(
    source,
    bodyOf(owner),
    "FunctionDefinition",
    "get_info",
  );
  const [statement] = info === undefined
    ? []
    : [...descendants(info, "ReturnStatement")];
  const value = statement && children(statement)[1];
  if (value === undefined) {
    throw unreadable(
      source,
      owner,
      "the tool has no get_info that returns a schema",
    );
  }
  return await modules.value(source, value);
}

/** Reads the list that is assigned to `self.terminate_tools`, or returns an empty list if there is none. */
function readTerminating(source: PythonSource): JsonValue {
  for (const statement of descendants(source.root, "AssignStatement")) {
    const [target, , value] = children(statement);
    if (target && value && textOf(source, target) === "self.terminate_tools") {
      return evaluate(source, value);
    }
  }
  // In a fork of τ-bench without the list, no tool ends a conversation.
  return [];
}
