/** The JSON text of id lists that grow at their end, as bytes: a request costs what is new, and a copy. */

/** What has been written of a list, and room for more. */
interface Written {
  /** Room for a head, then the ids that were written. */
  buffer: Uint8Array<ArrayBuffer>;
  ids: number;
  end: number;
}

const encoder = new TextEncoder();
/** By the name of the list; the longest is kept before the ids. */
const HEADS = {
  input_ids: encoder.encode('{"input_ids":['),
  tokens: encoder.encode('{"tokens":['),
};
/** Where ids begin. */
const FIRST = HEADS.input_ids.length;
/** Bytes for what is appended next. */
const SLACK = 2048;
const COMMA = 0x2c;
const ZERO = 0x30;

const written = new WeakMap<readonly number[], Written>();

/**
 * A body with `ids` as `input_ids`, and the members of `rest` after them.
 * @param ids An array that is given again has grown at its end, and changed nowhere else.
 * @param rest The text of an object with at least one member.
 * @param name What the ids are called. Default: `input_ids`.
 * @returns A view that the next call for the same list writes over: to be sent, not kept.
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
  // A UTF-16 unit has at most three bytes in UTF-8.
  makeRoom(known, 3 * tail.length);
  const { buffer, end } = known;
  const { written: length } = encoder.encodeInto(tail, buffer.subarray(end));
  const head = HEADS[name];
  const from = FIRST - head.length;
  buffer.set(head, from);
  return buffer.subarray(from, end + length);
}

/** What was written of `ids` serves for `copy` too, where that begins with the same; `ids` is not written any more. */
export function shareWritten(
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

/** @returns Where its digits end. */
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

/** Little more than is needed, since an episode under way is to be small: a copy a turn costs less than its request. */
function makeRoom(known: Written, bytes: number): void {
  const needed = known.end + bytes;
  if (needed <= known.buffer.length) return;
  const larger = new Uint8Array(needed + SLACK);
  larger.set(known.buffer.subarray(0, known.end));
  known.buffer = larger;
}
