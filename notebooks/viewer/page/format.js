/** Formats numbers, times and marks. */

import { h } from "./dom.js";

/** @typedef {import("../protocol.ts").EpisodeRow} FormattedRow */

/**
 * Formats a count with thousands separators, or a dash if there is none.
 * @param {number | null | undefined} value
 */
export function count(value) {
  return value === null || value === undefined
    ? "–"
    : Math.round(value).toLocaleString("en-US");
}

/**
 * Formats a number with about four digits.
 * @param {number | null | undefined} value
 */
export function number(value) {
  if (value === null || value === undefined) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e6)) {
    return value.toExponential(2);
  }
  return value.toFixed(size < 10 ? 3 : 1).replace("-", "−");
}

/**
 * Formats a number with its sign and two decimals, for advantages and differences.
 * @param {number | null} value
 */
export function signed(value) {
  if (value === null) return "–";
  const text = Math.abs(value).toFixed(2);
  return value < 0 ? `−${text}` : value > 0 ? `+${text}` : text;
}

/**
 * Formats a share from 0 to 1 as a percentage.
 * @param {number | null | undefined} value
 */
export function percent(value) {
  return value === null || value === undefined
    ? "–"
    : `${(100 * value).toFixed(1)}%`;
}

/**
 * Formats seconds: `0.4 s`, `12 s`, `3 min`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120
    ? `${minutes} min`
    : `${Math.floor(minutes / 60)} h ${
      String(minutes % 60).padStart(2, "0")
    } min`;
}

/**
 * Formats a time in the browser's time zone: `2026-11-25 08:00`.
 * @param {string | null} iso
 */
export function moment(iso) {
  if (iso === null) return "–";
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${
    two(date.getDate())
  } ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/**
 * Formats an identifier as words: `extra_write` becomes `extra write`.
 * @param {string | null} text
 */
export function words(text) {
  return text === null ? "" : text.replaceAll("_", " ");
}

/**
 * Shows a reward as a mark that does not rely on color alone.
 * @param {number | null} reward
 */
export function rewardMark(reward) {
  if (reward === null) {
    return h("span.mark.none", { title: "Not scored" }, "–");
  }
  const isRight = reward === 1;
  const kind = isRight ? "good" : reward > 0 ? "part" : "bad";
  const text = isRight ? "✓ 1" : reward === 0 ? "✗ 0" : number(reward);
  return h("span", { class: `mark ${kind}`, title: `Reward ${reward}` }, text);
}

/**
 * Describes in a few words why an episode failed: its failure, or else its reason, or else how it ended. Returns an
 * empty string if the episode was solved.
 * @param {FormattedRow} row
 */
export function why(row) {
  if (row.failure !== null) return `failed: ${words(row.failure)}`;
  if (row.reason !== null) return words(row.reason);
  return row.reward === 1 ? "" : words(row.stop);
}
