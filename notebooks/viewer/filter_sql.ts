/** Conditions of a filter as SQL over the table of facts. */

import type { SQLInputValue } from "node:sqlite";
import { FILTER_FIELDS } from "../../train/runs/episode_facts.ts";
import type { Condition, Query } from "./page/filter.js";

/** A WHERE clause and what its marks stand for. */
export interface Clause {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

/** All of the conditions; `1` where there is none. */
export function clauseOf(conditions: readonly Condition[]): Clause {
  const parts = conditions.map(partOf);
  return {
    where: parts.map(({ where }) => `(${where})`).join(" AND ") || "1",
    values: parts.flatMap(({ values }) => values),
  };
}

/** An ORDER BY list that leaves nothing to chance. */
export function orderOf({ field, descending }: Query["sort"]): string {
  return `${columnOf(field)}${descending ? " DESC" : ""}, id`;
}

/**
 * Words of a person as a query of FTS5: all of them, the last one perhaps only begun; "words in quotes" stand
 * side by side.
 */
export function matchOf(text: string): string {
  const parts = [...text.matchAll(/"([^"]*)"?|[^\s"]+/g)]
    .map((match) => ({ words: match[1] ?? match[0], end: match[0].at(-1) }))
    // What has no letter or digit is in no index.
    .filter(({ words }) => /[\p{L}\p{N}]/u.test(words));
  return parts.map(({ words, end }, i) => {
    const isBegun = i === parts.length - 1 && end !== '"' && !/\s$/.test(text);
    return `"${words.replaceAll('"', '""')}"${isBegun ? " *" : ""}`;
  }).join(" ");
}

function partOf({ field, op, values }: Condition): Clause {
  const column = columnOf(field);
  if (FILTER_FIELDS[field]?.is === "list") {
    return listPart({ field, op, values });
  }
  switch (op) {
    case "=":
    case "in":
      return { where: values.map(() => `${column} IS ?`).join(" OR "), values };
    case "!=":
      return { where: `${column} IS NOT ?`, values };
    case "~":
      return {
        where: `instr(lower(coalesce(${column}, '')), lower(?)) > 0`,
        values,
      };
    case "range":
      return { where: `${column} BETWEEN ? AND ?`, values };
    default:
      return { where: `${column} ${op} ?`, values };
  }
}

/** Members of a list that is stored as `leak,echo`. */
function listPart({ field, op, values }: Condition): Clause {
  const column = columnOf(field);
  const parts = values.map((value) =>
    value === null
      ? `${column} IS NULL`
      : op === "~"
      ? `instr(coalesce(${column}, ''), ?) > 0`
      : `instr(',' || coalesce(${column}, '') || ',', ',' || ? || ',') > 0`
  );
  const where = parts.join(" OR ");
  return {
    where: op === "!=" ? `NOT (${where})` : where,
    values: values.filter((value) => value !== null),
  };
}

/** @throws {RangeError} For a field that is none, so that no text of a request becomes SQL. */
function columnOf(field: string): string {
  if (!Object.hasOwn(FILTER_FIELDS, field)) {
    throw new RangeError(`There is no field "${field}"`);
  }
  return `"${field}"`;
}
