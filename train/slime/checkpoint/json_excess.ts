/**
 * Checks a JSON text before it is parsed: how deeply it nests, and approximately how much memory its values would take.
 * For example, `[],` takes three bytes in the text, but the parsed list takes dozens of bytes in memory.
 */

const MAX_DEPTH = 100;
const MAX_VALUE_BYTES = 512 * 2 ** 20;

/** The maximum memory per value in bytes, keyed by the byte that starts or separates values: `{`, `[`, `:` or `,`. */
const VALUE_BYTES: ReadonlyMap<number, number> = new Map([
  [0x7b, 64],
  [0x5b, 48],
  [0x3a, 48],
  [0x2c, 16],
]);

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/**
 * Returns the limit that a JSON text exceeds, such as `nests deeper than 100 levels`; `undefined` if it exceeds none.
 * The text need not be valid JSON.
 */
export function jsonExcess(bytes: Uint8Array): string | undefined {
  let [depth, held, isText] = [0, bytes.length, false];
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
      continue;
    }
    if (byte === QUOTE) isText = true;
    if (byte === 0x7b || byte === 0x5b) depth++;
    if (byte === 0x7d || byte === 0x5d) depth--;
    if (depth > MAX_DEPTH) return `nests deeper than ${MAX_DEPTH} levels`;
    held += VALUE_BYTES.get(byte) ?? 0;
  }
  return held > MAX_VALUE_BYTES
    ? "has more values than any model needs"
    : undefined;
}
