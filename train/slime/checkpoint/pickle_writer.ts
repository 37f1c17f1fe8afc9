/** Writes pickles that `readPickle` can read, for synthetic checkpoints. */

import { Buffer } from "node:buffer";
import {
  PickleDict,
  PickleGlobal,
  PickleObject,
  PicklePersistent,
  type PickleValue,
} from "./pickle.ts";

/** Pickles a value with protocol 2; arrays become tuples. Integers above 2^53 and bytes are not supported. */
export function writePickle(value: PickleValue): Uint8Array<ArrayBuffer> {
  return Buffer.concat([op(0x80, 2), ...opcodes(value), op(".")]);
}

/** Yields the opcodes of a value, each with its argument. */
function* opcodes(value: PickleValue): Generator<Uint8Array> {
  if (value === null) yield op("N");
  else if (typeof value === "boolean") yield op(value ? 0x88 : 0x89);
  else if (typeof value === "number") yield number(value);
  else if (typeof value === "string") yield text(value);
  else if (Array.isArray(value)) {
    yield op("(");
    for (const item of value) yield* opcodes(item);
    yield op("t");
  } else if (value instanceof PickleDict) {
    yield op("}(");
    for (const item of value.entries.flat()) yield* opcodes(item);
    yield op("u");
  } else if (value instanceof PickleGlobal) {
    yield op(`c${value.name.replace(/\.(\w+)$/, "\n$1")}\n`);
  } else if (value instanceof PicklePersistent) {
    yield* opcodes(value.id);
    yield op("Q");
  } else if (value instanceof PickleObject) yield* object(value);
  else throw new TypeError(`Cannot pickle a ${typeof value}`);
}

/**
 * Yields the opcodes of an object. An object with a state is created without calling `__init__`, which would need
 * arguments.
 */
function* object({ type, args, state }: PickleObject): Generator<Uint8Array> {
  yield* opcodes(new PickleGlobal(type));
  yield* opcodes([...args]);
  yield op(state === undefined ? "R" : 0x81); // REDUCE, NEWOBJ
  if (state === undefined) return;
  yield* opcodes(state);
  yield op("b");
}

function number(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, "G");
  if (!Number.isInteger(value)) {
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  bytes[0] = 8;
  bytes.writeBigInt64LE(BigInt(value), 1);
  return Buffer.concat([op(0x8a), bytes]); // LONG1
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([op("X"), length, bytes]); // BINUNICODE
}

function op(...codes: (string | number)[]): Uint8Array {
  return Buffer.concat(
    codes.map((code) =>
      typeof code === "string" ? Buffer.from(code) : Uint8Array.of(code)
    ),
  );
}
