/**
 * Encodes lists of token ids as JSON incrementally. The lists grow only at the end, so each request encodes only the
 * new ids.
 */

/** The encoded ids of a list, with spare room for more ids. */
interface Written {
  /**
   * The buffer. It contains {@linkcode HEAD_ROOM} bytes for the sender, room for the start of the body, the encoded
   * ids, and spare bytes.
   */
  buffer: Uint8Array<ArrayBuffer>;
  /** The number of encoded ids. */
  ids: number;
  /** The offset in the buffer at which the encoded ids end. */
  end: number;
}

const encoder = new TextEncoder();
/**
 * The possible starts of the body, keyed by the name of the field with the ids. Since their lengths differ, each is
 * written so that it ends right before the first id.
 */
const HEADS = {
  input_ids: encoder.encode('{"input_ids":['),
  tokens: encoder.encode('{"tokens":['),
};
/** The number of bytes before each body that the sender may overwrite, for example with the head of a request. */
export const HEAD_ROOM = 512;
/** Offset of the first id. */
const FIRST = HEAD_ROOM + HEADS.input_ids.length;
/** Spare bytes to allocate for later ids. */
const SLACK = 4096;
const COMMA = 0x2c;
const ZERO = 0x30;

const written = new WeakMap<readonly number[], Written>();

/**
 * Encodes a JSON body that contains the list of ids, followed by the members of `rest`.
 * @param ids The list. Between calls with the same list, ids may only be appended to it.
 * @param rest The JSON text of an object with at least one member.
 * @param name The name of the field with the ids. Default: `input_ids`.
 * @returns A view of the encoded body. The next call for the same list overwrites the body, so send it first. The
 * sender may overwrite the {@linkcode HEAD_ROOM} bytes that precede the body in its buffer.
 */
export function bodyWithIds(
  ids: readonly number[],
  rest: string,
  name: keyof typeof HEADS = "input_ids",
): Uint8Array<ArrayBuffer> {
  let known = written.get(ids);
  if (known === undefined || known.ids > ids.length) {
    written.set(ids, known = begin(ids));
  } else {
    append(known, ids);
  }
  const end = known.end + writeText(known, `],${rest.slice(1)}`);
  const head = HEADS[name];
  const from = FIRST - head.length;
  known.buffer.set(head, from);
  return known.buffer.subarray(from, end);
}

/**
 * Writes a string after the ids.
 * @returns The length of the string in bytes.
 */
function writeText(known: Written, text: string): number {
  // Most texts are ASCII. Others take at most three bytes for each UTF-16 code unit.
  for (const bytes of [text.length, 3 * text.length]) {
    makeRoom(known, bytes);
    const room = known.buffer.subarray(known.end);
    const { read, written } = encoder.encodeInto(text, room);
    if (read === text.length) return written;
  }
  throw new RangeError("Cannot encode the text: it does not fit in the buffer");
}

/**
 * Moves the encoded bytes of `ids` to `copy` if `copy` begins with the encoded ids. `ids` must not be encoded
 * afterwards.
 */
export function moveEncodedIds(
  ids: readonly number[],
  copy: readonly number[],
): void {
  const known = written.get(ids);
  if (known === undefined || ids === copy) return;
  for (let at = 0; at < known.ids; at++) if (ids[at] !== copy[at]) return;
  written.set(copy, known);
}

/**
 * The encoded beginning of an earlier list. It is reused, because episodes with the same policy and tools begin with
 * the same ids.
 */
interface Beginning {
  readonly ids: readonly number[];
  readonly bytes: Uint8Array;
  /** The encoded sizes, in bytes, of the first {@linkcode STEP} ids, the first 2 × `STEP` ids, and so on. */
  readonly ends: readonly number[];
}

/**
 * The most recently added beginnings. A beginning is added only if it shares fewer than half of its ids with each of
 * the others.
 */
const beginnings: Beginning[] = [];
const MAX_BEGINNINGS = 8;
const MAX_BEGINNING = 16_384;
const STEP = 64;

/**
 * Encodes a new list. The ids that it shares with a known beginning are copied. If fewer than half are shared and the
 * list has at least {@linkcode STEP} ids, its beginning is added to the known beginnings.
 */
function begin(ids: readonly number[]): Written {
  const known: Written = { buffer: NOTHING, ids: 0, end: FIRST };
  const shared = beginnings
    .map((one) => ({
      one,
      steps: Math.floor(commonLength(one.ids, ids) / STEP),
    }))
    .reduce((a, b) => a.steps >= b.steps ? a : b, NONE);
  if (shared.steps > 0) {
    const bytes = shared.one.bytes.subarray(
      0,
      shared.one.ends[shared.steps - 1],
    );
    makeRoom(known, bytes.length + 8 * (ids.length - shared.steps * STEP));
    known.buffer.set(bytes, FIRST);
    known.ids = shared.steps * STEP;
    known.end += bytes.length;
  }
  append(known, ids);
  const isNew = 2 * shared.steps * STEP < Math.min(ids.length, MAX_BEGINNING);
  if (isNew && ids.length >= STEP) remember(ids, known);
  return known;
}

function remember(ids: readonly number[], { buffer }: Written): void {
  const kept = ids.slice(0, MAX_BEGINNING);
  const ends: number[] = [];
  let end = FIRST;
  for (let at = 0; at < kept.length; at++) {
    end += (at > 0 ? 1 : 0) + digitsOf(kept[at]!);
    if ((at + 1) % STEP === 0) ends.push(end - FIRST);
  }
  beginnings.unshift({ ids: kept, bytes: buffer.slice(FIRST, end), ends });
  beginnings.length = Math.min(beginnings.length, MAX_BEGINNINGS);
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

const NOTHING = new Uint8Array(0);
const NONE = {
  one: { ids: [], bytes: NOTHING, ends: [] } as Beginning,
  steps: 0,
};

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
  const end = start + digitsOf(value);
  let rest = value;
  for (let at = end - 1; at >= start; at--) {
    const tens = Math.floor(rest / 10);
    buffer[at] = ZERO + (rest - 10 * tens);
    rest = tens;
  }
  return end;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let most = 10; most <= value; most *= 10) digits++;
  return digits;
}

/**
 * Enlarges the buffer if necessary, by little more than `bytes`, so that episodes use little memory. Copying the buffer
 * on every turn costs less than sending the request.
 */
function makeRoom(known: Written, bytes: number): void {
  const needed = known.end + bytes;
  if (needed <= known.buffer.length) return;
  const larger = new Uint8Array(needed + SLACK);
  larger.set(known.buffer.subarray(0, known.end));
  known.buffer = larger;
}
