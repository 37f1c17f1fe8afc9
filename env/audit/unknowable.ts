/**
 * Finds gold actions that no agent can derive: writes with an argument that the agent is neither told nor shown, and
 * lookups that return a user other than the task's.
 */

import { domainOf } from "../domains/registry.ts";
import { texts } from "../domains/shared/read_row.ts";
import { printPythonJson, toPlain } from "../python/python_json.ts";
import type { Dataset, Task, ToolAction } from "../types.ts";
import { type Finding, finding, isWrite } from "./finding.ts";
import { replayGold } from "./gold_replay.ts";
import { GIVEN, leaves, plain } from "./argument_values.ts";

/**
 * Finds gold writes with an argument that cannot be known, and gold lookups that return a different user. Tasks without
 * gold writes are not checked.
 */
export function unknowable(task: Task, dataset: Dataset): Finding[] {
  const writes = task.actions.filter(isWrite);
  if (writes.length === 0) return [];
  return [
    ...otherUsers(task, dataset),
    ...hiddenValues(task, { dataset, writes }),
  ];
}

/** Finds gold lookups that return a user other than the task's. */
function otherUsers(task: Task, dataset: Dataset): Finding[] {
  const finds = task.actions.filter(({ name }) => name.startsWith("find_"));
  return replayGold({ ...task, actions: finds }, dataset).filter((
    { answer },
  ) => answer !== task.userId && dataset.database.has("users", answer)).map((
    { action, answer },
  ) =>
    finding(task, {
      check: "unknowable",
      reason:
        `the task's user is ${task.userId}, but its gold actions look up ${answer}`,
      evidence: `${action.name} ${
        printPythonJson(action.arguments)
      }: ${answer}`,
      exclude: true,
    })
  );
}

function hiddenValues(
  task: Task,
  { dataset, writes }: { dataset: Dataset; writes: readonly ToolAction[] },
): Finding[] {
  const known = knowledgeOf(task, dataset);
  return writes.flatMap((action) =>
    leaves(action).filter(({ value }) => !known.has(value)).map((
      { path, value },
    ) =>
      finding(task, {
        check: "unknowable",
        reason:
          `the argument ${path} of the gold action ${action.name} cannot be known`,
        evidence:
          `"${value}" is neither in the instruction nor in any row that can be read`,
        exclude: true,
      })
    )
  );
}

/**
 * The information that an agent can have: the instruction, the user's rows, the policy, and what the tools show to
 * every user.
 */
interface Knowledge {
  has(value: string): boolean;
}

function knowledgeOf(task: Task, dataset: Dataset): Knowledge {
  const told = plain(task.instruction);
  const rows = plain(JSON.stringify(ownRows(task, dataset)));
  const open = openValues(dataset);
  const policy = ` ${plain(dataset.policy)} `;
  return {
    has: (value) => {
      const wanted = plain(value);
      return GIVEN.has(wanted) || open.has(wanted) || rows.includes(wanted) ||
        told.includes(wanted) || isSpelledOut(wanted, told) ||
        wanted.includes(" ") && policy.includes(` ${wanted} `);
    },
  };
}

/** Returns the user's id, the user's profile, and every row that the profile or the instruction names. */
function ownRows({ userId, instruction }: Task, dataset: Dataset) {
  const { database } = dataset;
  const user = database.get("users", userId);
  const profile = user === undefined ? null : toPlain(user);
  const named = (domainOf(dataset).rows?.owned ?? []).flatMap((
    { table, id },
  ) => [...texts(user, table), ...instruction.match(id) ?? []]);
  const rows = database.tables.flatMap((table) =>
    named.flatMap((id) => {
      const row = database.get(table, id);
      return row === undefined ? [] : [toPlain(row)];
    })
  );
  return [userId, profile, rows];
}

/**
 * Returns the values that agents can read in every conversation: in rows that the tools show to every user, such as
 * products and flights, and in the schemas of the tools.
 */
function openValues(dataset: Dataset): ReadonlySet<string> {
  const known = caches.get(dataset);
  if (known !== undefined) return known;
  const { database, tools } = dataset;
  const values = new Set<string>();
  for (const table of domainOf(dataset).rows?.open ?? []) {
    if (!database.tables.includes(table)) continue;
    for (const id of database.ids(table)) {
      collect(toPlain(database.get(table, id) ?? null), values);
    }
  }
  collect(tools.map((tool) => tool.function.parameters), values);
  caches.set(dataset, values);
  return values;
}

const caches = new WeakMap<Dataset, ReadonlySet<string>>();

/** Adds all strings and keys in a value, normalized by {@linkcode plain}, to the set `into`. */
function collect(value: unknown, into: Set<string>): void {
  if (typeof value === "string") into.add(plain(value));
  else if (Array.isArray(value)) value.forEach((one) => collect(one, into));
  else if (typeof value === "object" && value !== null) {
    for (const [key, one] of Object.entries(value)) {
      into.add(plain(key));
      collect(one, into);
    }
  }
}

/**
 * Checks whether a text contains all words of a value with at least two words, in any order: `123 Elm Street` is in
 * "Elm street, number 123".
 */
function isSpelledOut(wanted: string, told: string): boolean {
  const words = wanted.split(" ");
  return words.length > 1 &&
    words.every((word) => ` ${told} `.includes(` ${word} `));
}
