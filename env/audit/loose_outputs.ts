/**
 * Finds outputs that match an agent's words by accident. Outputs are matched as substrings, so an agent that reads back
 * an order id also says every short number in it.
 */

import { domainOf } from "../domains/registry.ts";
import type { JsonValue } from "../python/python_value.ts";
import type { Dataset, Task } from "../types.ts";
import { type Finding, finding, isWrite } from "./finding.ts";

/** The length below which an output often occurs in prices, dates and ids. */
const SHORT = 4;

/** Finds outputs that occur in text that the agent says anyway, and outputs that can never match. */
export function looseOutputs(task: Task, dataset: Dataset): Finding[] {
  const spoken = spokenValues(task);
  return task.outputs.flatMap((output) => {
    if (output.includes(",")) return [neverFound(task, output)];
    const shown = output.length < SHORT ? shownValues(task, dataset) : [];
    const by = [...spoken, ...shown].find((value) => holds(value, output)) ??
      policyWord(dataset, output);
    if (by === undefined) return [];
    return [
      finding(task, {
        check: "loose_output",
        reason:
          `the output "${output}" also matches text that the agent says for another reason`,
        evidence: `"${by}" contains it`,
        exclude: true,
      }),
    ];
  });
}

function neverFound(task: Task, output: string): Finding {
  return finding(task, {
    check: "loose_output",
    reason:
      `the output "${output}" can never match, because commas are removed from messages`,
    evidence: output,
    exclude: true,
  });
}

/** Returns the values that an agent reads back to the user before a write: the arguments of the write. */
function spokenValues({ actions }: Task): string[] {
  return actions.filter(isWrite).flatMap(({ arguments: args }) =>
    [...args.values()].flatMap(strings)
  );
}

/** Returns the values in the users' rows, such as orders, whose ids are arguments of the task's gold actions. */
function shownValues({ actions }: Task, dataset: Dataset): string[] {
  const { database } = dataset;
  const owned = domainOf(dataset).rows?.owned ?? [];
  const ids = new Set(
    actions.flatMap(({ arguments: args }) =>
      owned.flatMap(({ argument }) => {
        const id = args.get(argument);
        return typeof id === "string" ? [id] : [];
      })
    ),
  );
  return [...ids].flatMap((id) =>
    database.tables.flatMap((table) => {
      const row = database.get(table, id);
      return row === undefined ? [] : strings(row);
    })
  );
}

/**
 * Returns the first word of the policy that contains the output without being equal to it; `undefined` if there is
 * none. Such a word matters because agents repeat words of their policy.
 */
function policyWord({ policy }: Dataset, output: string): string | undefined {
  const words = policy.toLowerCase().match(/[\p{L}\p{N}$]+/gu) ?? [];
  return words.find((word) => holds(word, output));
}

function strings(value: JsonValue): string[] {
  if (typeof value === "string" || typeof value === "number") {
    return [String(value)];
  }
  if (Array.isArray(value)) return value.flatMap(strings);
  return value instanceof Map ? [...value.values()].flatMap(strings) : [];
}

/** Checks whether a value contains the output without being equal to it, ignoring case and any commas in the value. */
function holds(value: string, output: string): boolean {
  const wanted = output.toLowerCase();
  const said = value.toLowerCase().replaceAll(",", "");
  return said !== wanted && said.includes(wanted);
}
