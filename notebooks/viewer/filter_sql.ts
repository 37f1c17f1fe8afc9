/** Translates filters to SQL for the table of filter fields, `temp.facts`. */

import type { SQLInputValue } from "node:sqlite";
import { FILTER_FIELDS } from "../../train/runs/episode_facts.ts";
import type { Condition, Query } from "./page/filter.js";

/** A `WHERE` clause and the values of its placeholders. */
export interface Clause {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

/** Returns a clause that requires all conditions. Without conditions, the clause is `1`, which selects all rows. */
export function clauseOf(conditions: readonly Condition[]): Clause {
  const parts = conditions.map(partOf);
  return {
    where: parts.map(({ where }) => `(${where})`).join(" AND ") || "1",
    values: parts.flatMap(({ values }) => values),
  };
}

/** Returns the expressions of an `ORDER BY` clause. Ties are broken by id. */
export function orderOf({ field, descending }: Query["sort"]): string {
  return `${columnOf(field)}${descending ? " DESC" : ""}, id`;
}

/**
 * Translates a search text to an FTS5 query. An episode matches if its text contains all words. The last word may be
 * incomplete, unless it is followed by a space or a quotation mark. Words in quotation marks must be adjacent.
 */
export function matchOf(text: string): string {
  const parts = [...text.matchAll(/"([^"]*)"?|[^\s"]+/g)]
    .map((match) => ({ words: match[1] ?? match[0], end: match[0].at(-1) }))
    // Words without a letter or digit are not indexed.
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

/** Returns a clause for a condition on a list, which is stored as text such as `leak,echo`. */
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

/**
 * Returns the quoted name of a field's column.
 * @throws {RangeError} If the field is unknown, so that text from a request cannot become SQL.
 */
function columnOf(field: string): string {
  if (!Object.hasOwn(FILTER_FIELDS, field)) {
    throw new RangeError(`Unknown field "${field}"`);
  }
  return `"${field}"`;
}
