// @ts-check
/**
 * Episode filters: their syntax, and the rows that they match. The server translates the conditions to SQL; an exported
 * file uses {@linkcode matches}.
 *
 * In a URL: `?reward=<1&step=40..50&reason=extra_write,wrong_write&task=~test&text=refund&sort=-reward`; on the
 * command line also `reward<1 and step=40`.
 */

import { FIELDS } from "./fields.js";

/** @typedef {import("../protocol.ts").EpisodeRow} EpisodeRow */
/** @typedef {"=" | "!=" | "<" | "<=" | ">" | ">=" | "range" | "in" | "~"} Operator */
/** @typedef {{ field: string, op: Operator, values: (string | number | null)[] }} Condition */
/** @typedef {{ conditions: Condition[], text: string, sort: { field: string, descending: boolean } }} Query */

/** Thrown if a filter cannot be parsed. The message says why, and how to write the filter. */
export class FilterError extends Error {
  /** @override @type {string} */
  name = "FilterError";
}

/**
 * Reads the conditions, `text` and `sort` from a query string. Other keys are ignored.
 * @param {URLSearchParams} params
 * @returns {Query}
 */
export function readQuery(params) {
  const conditions = [];
  for (const field of Object.keys(FIELDS)) {
    for (const raw of params.getAll(field)) {
      // Older links use the former name of the phase.
      const value = field === "source"
        ? raw.replaceAll(/\bgrpo\b/g, "rl")
        : raw;
      if (value !== "") conditions.push(readCondition(field, value));
    }
  }
  const sort = params.get("sort") ?? "id";
  const descending = sort.startsWith("-");
  const field = descending ? sort.slice(1) : sort;
  if (!Object.hasOwn(FIELDS, field)) {
    throw new FilterError(
      `There is no field "${field}" to sort by; the fields are ${
        Object.keys(FIELDS).join(", ")
      }`,
    );
  }
  return {
    conditions,
    text: (params.get("text") ?? "").trim(),
    sort: { field, descending },
  };
}

/**
 * Reads a filter in its command-line form: conditions joined by `and`, or a page's query string.
 * @param {string} text
 * @returns {URLSearchParams}
 */
export function readExpression(text) {
  const query = /^(?:(?=[^\s?]*[#/])[^\s?]*)?\?(.*)$/s.exec(text.trim())?.[1];
  const trimmed = query ?? text.trim();
  if (query !== undefined || trimmed.includes("&")) {
    return new URLSearchParams(trimmed);
  }
  const params = new URLSearchParams();
  for (const part of trimmed.split(/(?<!\s)\s+and\s+/i).filter(Boolean)) {
    const match = /^(\w+)\s*(<=|>=|!=|=|<|>|~)\s*(.*)$/s.exec(part.trim());
    if (match === null) {
      throw new FilterError(
        `"${part}" is not a condition; write a field, one of = != < <= > >= ~, and a value, as in "reward<1 and step=40"`,
      );
    }
    const [, field = "", op = "", value = ""] = match;
    const bare = value.trim().replace(/^(["'])(.*)\1$/s, "$2");
    if (field === "text" || field === "sort") params.append(field, bare);
    else {
      if (!Object.hasOwn(FIELDS, field)) {
        throw new FilterError(unknownField(field));
      }
      params.append(field, op === "=" ? bare : op + bare);
    }
  }
  return params;
}

/**
 * @param {string} field
 * @param {string} raw
 * @returns {Condition}
 */
function readCondition(field, raw) {
  const isNumber = FIELDS[field]?.is === "number";
  const operator = /^(<=|>=|!=|<|>|~)(.*)$/s.exec(raw);
  if (operator !== null) {
    const [, op = "", value = ""] = operator;
    const ordered = op !== "!=" && op !== "~";
    if (ordered && !isNumber) {
      throw new FilterError(
        `"${op}" cannot be used for "${field}", which is ${
          FIELDS[field]?.is === "list" ? "a list" : "text"
        }; use =, != or ~ (contains)`,
      );
    }
    if (op === "~") {
      if (isNumber) {
        throw new FilterError(
          `"~" cannot be used for "${field}", which is a number; use =, !=, <, <=, >, >= or a..b`,
        );
      }
      return { field, op, values: [value] };
    }
    return {
      field,
      op: /** @type {Operator} */ (op),
      values: [readValue(field, value)],
    };
  }
  const range = isNumber ? /^(.+)\.\.(.+)$/.exec(raw) : null;
  if (range !== null) {
    const [, from = "", to = ""] = range;
    return {
      field,
      op: "range",
      values: [readValue(field, from), readValue(field, to)],
    };
  }
  const values = raw.split(",").map((value) => readValue(field, value));
  return { field, op: values.length === 1 ? "=" : "in", values };
}

/**
 * @param {string} field
 * @param {string} text
 * @returns {string | number | null}
 */
function readValue(field, text) {
  const trimmed = text.trim();
  if (trimmed === "none") return null;
  if (FIELDS[field]?.is !== "number") return trimmed;
  const number = Number(trimmed);
  if (trimmed !== "" && Number.isFinite(number)) return number;
  throw new FilterError(
    `"${field}" expects a number, got "${text}"; write 40, <1, 40..50, 1,2,3 or none`,
  );
}

/** @param {string} field */
function unknownField(field) {
  return `There is no field "${field}"; the fields are ${
    Object.keys(FIELDS).join(", ")
  }, text`;
}

/**
 * Checks whether a row meets all conditions. The text search is ignored.
 * @param {readonly Condition[]} conditions
 * @param {EpisodeRow} row
 */
export function matches(conditions, row) {
  return conditions.every(({ field, op, values }) => {
    const has =
      /** @type {Record<string, string | number | null>} */ (/** @type {unknown} */ (row))[
        field
      ] ?? null;
    if (FIELDS[field]?.is === "list") return matchesList(has, op, values);
    const [first = null, second = null] = values;
    if (op === "=" || op === "in") return values.includes(has);
    if (op === "!=") return !values.includes(has);
    if (op === "~") {
      return String(has ?? "").toLowerCase().includes(
        String(first).toLowerCase(),
      );
    }
    if (has === null || first === null) return false;
    if (op === "<") return has < first;
    if (op === "<=") return has <= first;
    if (op === ">") return has > first;
    if (op === ">=") return has >= first;
    return second !== null && has >= first && has <= second;
  });
}

/**
 * @param {string | number | null} has
 * @param {Operator} op
 * @param {(string | number | null)[]} values
 */
function matchesList(has, op, values) {
  const words = String(has ?? "").split(",").filter(Boolean);
  const some = values.some((value) =>
    value === null
      ? words.length === 0
      : op === "~"
      ? words.some((word) => word.includes(String(value)))
      : words.includes(String(value))
  );
  return op === "!=" ? !some : some;
}

/**
 * Returns a comparator with the server's order: by value (missing values are lowest), then by id.
 * @param {Query["sort"]} sort
 * @returns {(a: EpisodeRow, b: EpisodeRow) => number}
 */
export function comparer({ field, descending }) {
  return (a, b) => {
    const [x, y] = [a, b].map((row) =>
      /** @type {Record<string, string | number | null>} */ (/** @type {unknown} */ (row))[
        field
      ] ?? null
    );
    const order = x === y || x === undefined || y === undefined
      ? 0
      : x === null
      ? -1
      : y === null
      ? 1
      : x < y
      ? -1
      : 1;
    return (descending ? -order : order) || a.id - b.id;
  };
}
