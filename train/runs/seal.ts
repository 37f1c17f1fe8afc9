/**
 * Seals files of a run dir. A sealed file ends with the SHA-256 of its other content, so that a reader can detect
 * whether the file was truncated, damaged or edited.
 */

import { createHash } from "node:crypto";

/** The state of a seal; `broken` means that the content has changed. */
export type Seal = "intact" | "broken" | "none";

/** Returns the SHA-256 of a string in hexadecimal. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Appends a seal as the last line of YAML or any other text whose comments begin with `#`. */
export function sealedText(text: string): string {
  return `${text}# sha256 ${hashOf(text)}\n`;
}

/** Checks the seal of a string from {@linkcode sealedText}. */
export function sealOfText(text: string): Seal {
  const [line = "", hash] = /# sha256 ([0-9a-f]{64})\n$/.exec(text) ?? [];
  if (hash === undefined) return "none";
  return hashOf(text.slice(0, -line.length)) === hash ? "intact" : "broken";
}

/** Serializes a record as JSON, with its seal as the last key. */
export function sealedJson(record: object, space?: number): string {
  const sha256 = hashOf(JSON.stringify(record));
  return JSON.stringify({ ...record, sha256 }, null, space);
}

/** Checks the seal of a parsed record from {@linkcode sealedJson}. */
export function sealOfJson(json: unknown): Seal {
  if (typeof json !== "object" || json === null || !("sha256" in json)) {
    return "none";
  }
  const { sha256, ...record } = json;
  return hashOf(JSON.stringify(record)) === sha256 ? "intact" : "broken";
}
