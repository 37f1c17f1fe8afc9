/** What a JSON text would cost as values, found before it is parsed: `[],` is three bytes there and dozens as a list. */

const MOST_DEPTH = 100;
const MOST_HELD_BYTES = 512 * 2 ** 20;

/** What values take at most, by the byte that begins or separates them: `{`, `[`, `:`, `,`. */
const HELD: ReadonlyMap<number, number> = new Map([
  [0x7b, 64],
  [0x5b, 48],
  [0x3a, 48],
  [0x2c, 16],
]);

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

/** What is too much of it, as `nests deeper than 100`; `undefined` where nothing is. The text need not be JSON. */
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
    if (depth > MOST_DEPTH) return `nests deeper than ${MOST_DEPTH}`;
    held += HELD.get(byte) ?? 0;
  }
  return held > MOST_HELD_BYTES
    ? "has more values than there are of any model"
    : undefined;
}
