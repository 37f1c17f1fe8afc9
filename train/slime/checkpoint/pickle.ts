/**
 * Reads pickles as data. Nothing that a pickle names is looked up, imported or called: a class becomes a
 * {@linkcode PickleGlobal}, and an instance becomes a {@linkcode PickleObject}. A name that is not allowed is an error,
 * because Python could run its code when loading the file.
 *
 * Every opcode takes at least one byte and creates at most one value, so time and memory are linear in the size of the
 * file. The memory of the values has an additional limit, for two reasons. An empty dict takes one byte in the file but
 * hundreds of bytes in memory. A chain of nested tuples as long as the file would block the reader and the garbage
 * collector for half a minute.
 *
 * @see CPython `Lib/pickletools.py` for the opcodes; protocols 2 to 5.
 */

import { DataError } from "../../../env/errors.ts";

/** A class or a function, represented by its name. */
export class PickleGlobal {
  /** The qualified name, such as `torch.Size`. */
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** An instance, or the result of a call: the callee and its arguments. */
export class PickleObject {
  /** The name of the class or function, such as `torch.Size` or `torch._utils._rebuild_tensor_v2`. */
  readonly type: string;
  readonly args: readonly PickleValue[];
  /** The argument of `__setstate__`, or the `__dict__`; `undefined` if the pickle sets neither. */
  state: PickleValue | undefined;
  constructor(
    type: string,
    args: readonly PickleValue[],
    state?: PickleValue,
  ) {
    this.type = type;
    this.args = args;
    this.state = state;
  }
}

/** A dict in insertion order. Its keys may be objects. */
export class PickleDict {
  readonly entries: [PickleValue, PickleValue][];
  /**
   * An index of the keys for fast lookups. Without it, a hostile file could make lookups slow by sharing one large dict
   * among many objects.
   */
  #byKey: Map<PickleValue, PickleValue> | undefined;

  constructor(entries: [PickleValue, PickleValue][] = []) {
    this.entries = entries;
  }

  /**
   * Returns the value of a string key; `undefined` if there is none. If the key repeats, the last value is returned.
   * Entries that are added after the first call are not found.
   */
  get(key: string): PickleValue | undefined {
    this.#byKey ??= new Map(this.entries);
    return this.#byKey.get(key);
  }
}

/** A persistent id, which PyTorch uses to name storages. */
export class PicklePersistent {
  readonly id: PickleValue;
  constructor(id: PickleValue) {
    this.id = id;
  }
}

/** A value in a pickle. Lists, tuples and sets are arrays; integers that are not safe integers are bigints. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleDict
  | PickleObject
  | PickleGlobal
  | PicklePersistent;

/** Options for {@linkcode readPickle}. */
export interface PickleOptions {
  /** The name of the pickle in messages, such as the quoted path of its file. */
  readonly source: string;
  /** Returns whether this kind of pickle may contain the qualified name `name`. */
  readonly allow: (name: string) => boolean;
}

/**
 * Reads one pickle to its end.
 * @throws {DataError} If the pickle is truncated, damaged or of protocol 0 or 1, contains a name that is not allowed,
 * or has far more values than real checkpoints.
 */
export function readPickle(
  bytes: Uint8Array,
  options: PickleOptions,
): PickleValue {
  return new Reader(bytes, options).read();
}

const MARK = Symbol("mark");
type Slot = PickleValue | typeof MARK;

/** The maximum memory of all values in bytes. The metadata of a model on many hosts takes a fifth of this limit. */
const MAX_VALUE_BYTES = 512 * 2 ** 20;
/**
 * The maximum number of values on the stack. Python pickles lists and dicts in batches of a thousand; only the elements
 * of a tuple are all on the stack at once.
 */
const MAX_STACK = 2 ** 20;

/**
 * Upper bounds, in bytes, of the memory that each kind of value takes, including the indexes for lookups. Lists, their
 * items and memo entries are overestimated on purpose: a hostile file can create one per byte, so the limit on memory
 * also limits the running time.
 */
const VALUE_BYTES = {
  number: 64,
  text: 64,
  bytes: 256,
  list: 256,
  item: 64,
  dict: 400,
  entry: 128,
  object: 256,
  memo: 128,
} as const;

/**
 * The maximum length of a string that is decoded without `TextDecoder`. For short strings such as field names, decoding
 * without it is faster.
 */
const SHORT = 32;

/** The maximum length of an integer in bytes. Integers in checkpoints are shorter. */
const MAX_INT_BYTES = 64;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, PickleValue>();
  #at = 0;
  #heldBytes = 0;
  /** The offset of the current opcode. */
  #opAt = 0;

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(
      bytes.buffer,
      bytes.byteOffset,
      bytes.byteLength,
    );
    this.#options = options;
  }

  read(): PickleValue {
    if (this.#u8() !== 0x80) {
      throw this.#fault("does not start with protocol 2 or later");
    }
    const protocol = this.#u8();
    if (protocol < 2 || protocol > 5) {
      throw this.#fault(
        `has protocol ${protocol}, but only 2 to 5 are supported`,
      );
    }
    while (true) {
      this.#opAt = this.#at;
      const code = this.#u8();
      if (code === 0x2e) return this.#end();
      const step = OPCODES.get(code);
      if (!step) {
        throw this.#fault(`has the unknown opcode 0x${code.toString(16)}`);
      }
      step(this);
    }
  }

  #end(): PickleValue {
    const value = this.pop();
    if (this.#stack.length > 0) {
      throw this.#fault("ends with unused values on the stack");
    }
    if (this.#at !== this.#bytes.length) {
      throw this.#fault(
        `ends at byte ${this.#at} of ${this.#bytes.length}`,
      );
    }
    return value;
  }

  #fault(what: string): DataError {
    return new DataError(
      `${this.#options.source} is damaged, or does not belong to a checkpoint: the pickle ${what} (opcode at byte ${this.#opAt})`,
      { hint: "save the checkpoint again" },
    );
  }

  #hold(kind: keyof typeof VALUE_BYTES, count = 1): void {
    this.#heldBytes += VALUE_BYTES[kind] * count;
    if (this.#heldBytes > MAX_VALUE_BYTES) {
      throw this.#fault("has more values than any checkpoint");
    }
  }

  /**
   * Skips `length` bytes.
   * @returns The offset of the first skipped byte.
   */
  #advance(length: number): number {
    const start = this.#at;
    const end = start + length;
    if (!(length >= 0)) throw this.#fault("has an item of negative length");
    if (end > this.#bytes.length) {
      throw this.#fault(
        `is cut off: it should extend to byte ${
          start + length
        }, but it ends at byte ${this.#bytes.length}`,
      );
    }
    this.#at = end;
    return start;
  }

  #take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, this.#at);
  }

  /** Reads one byte without creating a view, because this method runs for every opcode. */
  #u8(): number {
    return this.#bytes[this.#advance(1)]!;
  }

  /** Reads an unsigned little-endian integer of 1, 2, 4 or 8 bytes. */
  unsigned(bytes: 1 | 2 | 4 | 8): number {
    const at = this.#advance(bytes);
    if (bytes === 1) return this.#view.getUint8(at);
    if (bytes === 2) return this.#view.getUint16(at, true);
    if (bytes === 4) return this.#view.getUint32(at, true);
    return Number(this.#view.getBigUint64(at, true));
  }

  signed32(): number {
    const at = this.#advance(4);
    return this.#view.getInt32(at, true);
  }

  float64(): number {
    const at = this.#advance(8);
    this.#hold("number");
    return this.#view.getFloat64(at, false);
  }

  /** Reads a little-endian two's complement integer, as Python's `int.from_bytes` does. */
  long(length: number): number | bigint {
    if (length > MAX_INT_BYTES) {
      throw this.#fault(`has an integer of ${length} bytes, which is too long`);
    }
    const bytes = this.#take(length);
    this.#hold("number", 4);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) {
      value = value << 8n | BigInt(bytes[i]!);
    }
    value = BigInt.asIntN(8 * length, value);
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  text(length: number): string {
    const bytes = this.#take(length);
    // Text takes up to two bytes in memory per byte in the file.
    this.#hold("text", 1 + length / 16);
    if (length <= SHORT && bytes.every((byte) => byte < 0x80)) {
      return String.fromCharCode(...bytes);
    }
    try {
      return decoder.decode(bytes);
    } catch {
      throw this.#fault("has text that is not UTF-8");
    }
  }

  raw(length: number): Uint8Array {
    this.#hold("bytes");
    return this.#take(length);
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#fault("is cut off within a name");
    const text = this.text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  push(value: Slot): void {
    if (this.#stack.length >= MAX_STACK) {
      throw this.#fault("has more values on the stack than any checkpoint");
    }
    this.#stack.push(value);
  }

  pushList(values: PickleValue[]): void {
    this.#hold("list");
    this.#hold("item", values.length);
    this.push(values);
  }

  pushDict(): void {
    this.#hold("dict");
    this.push(new PickleDict());
  }

  pushPersistent(id: PickleValue): void {
    this.#hold("object");
    this.push(new PicklePersistent(id));
  }

  pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) {
      throw this.#fault("pops an empty stack");
    }
    return value;
  }

  /** Drops the top value or mark. */
  drop(): void {
    if (this.#stack.pop() === undefined) {
      throw this.#fault("pops an empty stack");
    }
  }

  top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) {
      throw this.#fault("pops an empty stack");
    }
    return value;
  }

  /** Pops all values above the last mark, and the mark. */
  popMark(): PickleValue[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#fault("lacks a mark");
    const values = this.#stack.splice(mark).slice(1);
    return values as PickleValue[];
  }

  popTuple(length: 1 | 2 | 3): PickleValue[] {
    // Allocated at its final length: a growing list reserves room for seventeen items.
    const values = new Array<PickleValue>(length);
    for (let i = length - 1; i >= 0; i--) values[i] = this.pop();
    return values;
  }

  remember(key: number = this.#memo.size): void {
    this.#hold("memo");
    this.#memo.set(key, this.top());
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) {
      throw this.#fault(`reads memo entry ${key}, which was never set`);
    }
    this.push(value);
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    if (!this.#options.allow(full)) {
      throw this.#fault(
        `names "${
          full.slice(0, 200)
        }", which no checkpoint needs: when loading the file, Python would import it and could run it`,
      );
    }
    this.#hold("object");
    this.push(new PickleGlobal(full));
  }

  stackGlobal(): void {
    const [module, name] = this.popTuple(2);
    if (typeof module !== "string" || typeof name !== "string") {
      throw this.#fault("names a class with a value that is not text");
    }
    this.global(module, name);
  }

  /** Records the creation of an instance, or a call, without executing it. */
  reduce(args: PickleValue, callee: PickleValue): void {
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) {
      throw this.#fault("calls a value that is not a class");
    }
    this.#hold("object");
    this.push(new PickleObject(callee.name, args));
  }

  build(): void {
    const state = this.pop();
    const target = this.top();
    if (!(target instanceof PickleObject)) {
      throw this.#fault("sets the state of a value that is not an object");
    }
    target.state = state;
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    // Subclasses of list and set store their items apart from their state; such subclasses are not read.
    if (list instanceof PickleObject) return;
    if (!Array.isArray(list)) {
      throw this.#fault("appends to a value that is not a list");
    }
    this.#hold("item", values.length);
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    const dict = this.top();
    if (values.length % 2 === 1) throw this.#fault("has a key without a value");
    if (dict instanceof PickleObject) return;
    if (!(dict instanceof PickleDict)) {
      throw this.#fault("sets items of a value that is not a dict");
    }
    this.#hold("entry", values.length / 2);
    for (let i = 0; i < values.length; i += 2) {
      dict.entries.push([values[i]!, values[i + 1]!]);
    }
  }

  dictOf(values: readonly PickleValue[]): void {
    this.pushDict();
    this.setItems(values);
  }
}

/** The handlers of the opcodes. Comments give the names of some opcodes in pickletools. */
const OPCODES: ReadonlyMap<number, (reader: Reader) => void> = new Map([
  op("(", (r) => r.push(MARK)),
  op("0", (r) => r.drop()), // POP
  op("1", (r) => void r.popMark()), // POP_MARK
  op("2", (r) => r.push(r.top())), // DUP
  op("N", (r) => r.push(null)),
  op(0x88, (r) => r.push(true)),
  op(0x89, (r) => r.push(false)),
  op("J", (r) => r.push(r.signed32())), // BININT
  op("K", (r) => r.push(r.unsigned(1))), // BININT1
  op("M", (r) => r.push(r.unsigned(2))), // BININT2
  op(0x8a, (r) => r.push(r.long(r.unsigned(1)))), // LONG1
  op(0x8b, (r) => r.push(r.long(r.signed32()))), // LONG4
  op("G", (r) => r.push(r.float64())), // BINFLOAT
  op("X", (r) => r.push(r.text(r.unsigned(4)))), // BINUNICODE
  op(0x8c, (r) => r.push(r.text(r.unsigned(1)))), // SHORT_BINUNICODE
  op(0x8d, (r) => r.push(r.text(r.unsigned(8)))), // BINUNICODE8
  op("B", (r) => r.push(r.raw(r.unsigned(4)))), // BINBYTES
  op("C", (r) => r.push(r.raw(r.unsigned(1)))), // SHORT_BINBYTES
  op(0x8e, (r) => r.push(r.raw(r.unsigned(8)))), // BINBYTES8
  op(0x96, (r) => r.push(r.raw(r.unsigned(8)))), // BYTEARRAY8
  op("]", (r) => r.pushList([])),
  op("a", (r) => r.append([r.pop()])),
  op("e", (r) => r.append(r.popMark())),
  op("l", (r) => r.pushList(r.popMark())), // LIST
  op(")", (r) => r.pushList([])),
  op("t", (r) => r.pushList(r.popMark())), // TUPLE
  op(0x85, (r) => r.pushList(r.popTuple(1))),
  op(0x86, (r) => r.pushList(r.popTuple(2))),
  op(0x87, (r) => r.pushList(r.popTuple(3))),
  op("}", (r) => r.pushDict()),
  op("d", (r) => r.dictOf(r.popMark())), // DICT
  op("s", (r) => r.setItems(r.popTuple(2))),
  op("u", (r) => r.setItems(r.popMark())),
  op(0x8f, (r) => r.pushList([])), // EMPTY_SET
  op(0x90, (r) => r.append(r.popMark())), // ADDITEMS
  op(0x91, (r) => r.pushList(r.popMark())), // FROZENSET
  op("c", (r) => r.global(r.line(), r.line())), // GLOBAL
  op(0x93, (r) => r.stackGlobal()),
  op("R", (r) => r.reduce(r.pop(), r.pop())),
  op(0x81, (r) => r.reduce(r.pop(), r.pop())), // NEWOBJ
  op(0x92, (r) => { // NEWOBJ_EX
    r.pop();
    r.reduce(r.pop(), r.pop());
  }),
  op("b", (r) => r.build()),
  op("Q", (r) => r.pushPersistent(r.pop())), // BINPERSID
  op("q", (r) => r.remember(r.unsigned(1))), // BINPUT
  op("r", (r) => r.remember(r.unsigned(4))), // LONG_BINPUT
  op(0x94, (r) => r.remember()), // MEMOIZE
  op("h", (r) => r.recall(r.unsigned(1))), // BINGET
  op("j", (r) => r.recall(r.unsigned(4))), // LONG_BINGET
  op(0x95, (r) => void r.unsigned(8)), // FRAME
]);

function op(
  code: string | number,
  step: (reader: Reader) => void,
): [number, (reader: Reader) => void] {
  return [typeof code === "string" ? code.charCodeAt(0) : code, step];
}
