/** Identifies the host from its system files, because `Deno.hostname()` would need an additional permission. */

import { hashOf } from "./seal.ts";

/**
 * The files that together identify a host. Neither is unique on its own: hosts created from the same image share the
 * machine id, and unrelated hosts may have the same name.
 */
const FILES = ["/etc/machine-id", "/etc/hostname"] as const;

let known: Promise<string | null> | undefined;

/**
 * Returns `host` followed by a hash that is specific to this host; `null` if both files are empty or cannot be read.
 */
export function hostId(): Promise<string | null> {
  return known ??= read();
}

async function read(): Promise<string | null> {
  const texts = await Promise.all(
    FILES.map((path) => Deno.readTextFile(path).catch(() => "")),
  );
  const text = texts.map((one) => one.trim()).join("\n");
  return text.trim() === "" ? null : `host ${hashOf(text).slice(0, 16)}`;
}
