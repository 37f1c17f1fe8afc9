/**
 * Encodes lists of token ids as JSON incrementally. The lists grow only at the end, so each request encodes only the
 * new ids.
 */

/** The encoded ids of a list, with spare room for more ids. */
interface Written {
  /** Room for the start of the body, followed by the encoded ids. */
  buffer: Uint8Array<ArrayBuffer>;
  ids: number;
  end: number;
}

const encoder = new TextEncoder();
/**
 * The start of the body for each possible name of the list. They differ in length, so they are right-aligned before the
 * ids.
 */
const HEADS = {
  input_ids: encoder.encode('{"input_ids":['),
  tokens: encoder.encode('{"tokens":['),
};
/** Offset of the first id. */
const FIRST = HEADS.input_ids.length;
/** Spare bytes to allocate for later ids. */
const SLACK = 2048;
const COMMA = 0x2c;
const ZERO = 0x30;

const written = new WeakMap<readonly number[], Written>();

/**
 * Encodes a JSON body with `ids` as `input_ids`, followed by the members of `rest`.
 * @param ids The list. Since an earlier call with the same list, it may only have grown at its end.
 * @param rest The JSON text of an object with at least one member.
 * @param name The name of the id list. Default: `input_ids`.
 * @returns A view of the encoded body. The next call for the same list overwrites it, so send it before then.
 */
export function bodyWithIds(
  ids: readonly number[],
  rest: string,
  name: keyof typeof HEADS = "input_ids",
): Uint8Array<ArrayBuffer> {
  let known = written.get(ids);
  if (known === undefined || known.ids > ids.length) {
    known = start();
    written.set(ids, known);
  }
  append(known, ids);
  const tail = `],${rest.slice(1)}`;
  // A UTF-16 code unit takes at most three bytes in UTF-8.
  makeRoom(known, 3 * tail.length);
  const { buffer, end } = known;
  const { written: length } = encoder.encodeInto(tail, buffer.subarray(end));
  const head = HEADS[name];
  const from = FIRST - head.length;
  buffer.set(head, from);
  return buffer.subarray(from, end + length);
}

/**
 * Moves the encoded bytes of `ids` to `copy` if `copy` begins with the same ids. `ids` must not be encoded afterwards.
 */
export function moveEncodedIds(
  ids: readonly number[],
  copy: readonly number[],
): void {
  const known = written.get(ids);
  if (known === undefined) return;
  for (let at = 0; at < known.ids; at++) if (ids[at] !== copy[at]) return;
  written.set(copy, known);
}

function start(): Written {
  return { buffer: new Uint8Array(1024), ids: 0, end: FIRST };
}

function append(known: Written, ids: readonly number[]): void {
  let largest = 1;
  for (let at = known.ids; at < ids.length; at++) {
    largest = Math.max(largest, ids[at]!);
  }
  const most = String(largest).length + 1;
  makeRoom(known, most * (ids.length - known.ids));
  const { buffer } = known;
  let { end } = known;
  for (let at = known.ids; at < ids.length; at++) {
    if (at > 0) buffer[end++] = COMMA;
    end = writeInteger(buffer, end, ids[at]!);
  }
  known.ids = ids.length;
  known.end = end;
}

/**
 * Writes a non-negative integer in decimal.
 * @returns The offset after its last digit.
 */
function writeInteger(
  buffer: Uint8Array,
  start: number,
  value: number,
): number {
  let digits = 1;
  for (let most = 10; most <= value; most *= 10) digits++;
  const end = start + digits;
  let rest = value;
  for (let at = end - 1; at >= start; at--) {
    const tens = Math.floor(rest / 10);
    buffer[at] = ZERO + (rest - 10 * tens);
    rest = tens;
  }
  return end;
}

/**
 * Enlarges the buffer if necessary, by little more than `bytes`, so that episodes use little memory. Copying the buffer
 * on every turn costs less than the request.
 */
function makeRoom(known: Written, bytes: number): void {
  const needed = known.end + bytes;
  if (needed <= known.buffer.length) return;
  const larger = new Uint8Array(needed + SLACK);
  larger.set(known.buffer.subarray(0, known.end));
  known.buffer = larger;
}
