/**
 * Outputs that are found in what an agent says without being told: the check is by substring, so a short number is
 * in an order's id, and an agent who reads the order back has said it.
 */

import { domainOf } from "../domains/registry.ts";
import type { JsonValue } from "../python/python_value.ts";
import type { Dataset, Task } from "../types.ts";
import { type Finding, finding, isWrite } from "./finding.ts";

/** Shorter outputs are part of prices, dates and ids everywhere. */
const SHORT = 4;

/** Outputs that something else satisfies which an agent says in any case. */
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
          `the output "${output}" is found in what an agent says in any case`,
        evidence: `"${by}" holds it`,
        exclude: true,
      }),
    ];
  });
}

function neverFound(task: Task, output: string): Finding {
  return finding(task, {
    check: "loose_output",
    reason:
      `the output "${output}" can never be found: commas are taken out of what is said`,
    evidence: output,
    exclude: true,
  });
}

/** What is read back before a write: the values of its arguments. */
function spokenValues({ actions }: Task): string[] {
  return actions.filter(isWrite).flatMap(({ arguments: args }) =>
    [...args.values()].flatMap(strings)
  );
}

/** What the gold's reads show of the user's own rows. */
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

/** A word of the policy that has the output in it: agents speak as their policy does. */
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

/** A value that is the output itself is meant; one that only has it in it is not. */
function holds(value: string, output: string): boolean {
  const wanted = output.toLowerCase();
  const said = value.toLowerCase().replaceAll(",", "");
  return said !== wanted && said.includes(wanted);
}
