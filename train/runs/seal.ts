/**
 * Seals: a file of a run dir carries the SHA-256 of its own content, so that one that was cut, flipped or edited since
 * is told from one that was written so.
 */

import { createHash } from "node:crypto";

/** `broken`: the content is not what was sealed. */
export type Seal = "intact" | "broken" | "none";

/** SHA-256 of text in hexadecimal. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** YAML or any text whose comments begin with `#`, with its seal as the last line. */
export function sealedText(text: string): string {
  return `${text}# sha256 ${hashOf(text)}\n`;
}

/** The seal of what {@linkcode sealedText} made. */
export function sealOfText(text: string): Seal {
  const [line = "", hash] = /# sha256 ([0-9a-f]{64})\n$/.exec(text) ?? [];
  if (hash === undefined) return "none";
  return hashOf(text.slice(0, -line.length)) === hash ? "intact" : "broken";
}

/** A record as JSON text, with its seal as the last key. */
export function sealedJson(record: object, space?: number): string {
  const sha256 = hashOf(JSON.stringify(record));
  return JSON.stringify({ ...record, sha256 }, null, space);
}

/** The seal of what {@linkcode sealedJson} made, parsed. */
export function sealOfJson(json: unknown): Seal {
  if (typeof json !== "object" || json === null || !("sha256" in json)) {
    return "none";
  }
  const { sha256, ...record } = json;
  return hashOf(JSON.stringify(record)) === sha256 ? "intact" : "broken";
}
