import { deepStrictEqual, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { DataError } from "../../../../env/errors.ts";
import {
  PickleDict,
  PickleGlobal,
  type PickleObject,
  PicklePersistent,
  type PickleValue,
  readPickle,
} from "../../../../train/slime/checkpoint/pickle.ts";
import {
  allowInCommon,
  allowInMetadata,
  allowInTensor,
} from "../../../../train/slime/checkpoint/torch_names.ts";
import { writePickle } from "../../../../train/slime/checkpoint/pickle_writer.ts";

const options = { source: "a test", allow: () => true };

/** Builds a pickle of protocol 4. Strings are written as text, and numbers as bytes. */
function ops(...parts: (string | number)[]): Uint8Array {
  const bytes = parts.flatMap((part) =>
    typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]
  );
  return Uint8Array.from([0x80, 4, ...bytes]);
}

function read(...parts: (string | number)[]) {
  return readPickle(ops(...parts, "."), options);
}

Deno.test("readPickle() reads numbers of every kind", () => {
  deepStrictEqual(read("K", 7), 7);
  deepStrictEqual(read("M", 1, 2), 513);
  deepStrictEqual(read("J", 254, 255, 255, 255), -2);
  deepStrictEqual(read(0x8a, 0), 0);
  deepStrictEqual(read(0x8a, 1, 255), -1);
  deepStrictEqual(read(0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 64), 2n ** 62n);
  deepStrictEqual(read("G", 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), 1.5);
  deepStrictEqual([read("N"), read(0x88), read(0x89)], [null, true, false]);
});

Deno.test("readPickle() reads text, bytes, lists, tuples, dicts and sets", () => {
  deepStrictEqual(read(0x8c, 2, "hé".slice(0, 1), "i"), "hi");
  deepStrictEqual(read("X", 1, 0, 0, 0, "a"), "a");
  deepStrictEqual(read("C", 2, 1, 2), Uint8Array.of(1, 2));
  deepStrictEqual(read("](K", 1, "K", 2, "e"), [1, 2]);
  deepStrictEqual(read("K", 1, "K", 2, "K", 3, 0x87), [1, 2, 3]);
  const dict = read("}(K", 1, "N", "K", 2, "K", 3, "u") as PickleDict;
  deepStrictEqual(dict.entries, [[1, null], [2, 3]]);
  deepStrictEqual(read(0x8f, "(K", 5, 0x90), [5]);
});

Deno.test("readPickle() keeps shared values identical, and turns calls into objects", () => {
  const [a, b] = read("(]", 0x94, "h", 0, "t") as unknown[];
  ok(a === b);
  const made = read("ctorch\nSize\n(K", 2, "t", 0x85, "R") as PickleObject;
  deepStrictEqual([made.type, made.args], ["torch.Size", [[2]]]);
  const built = read("ca\nB\n)", 0x81, "}b") as PickleObject;
  ok(built.state instanceof PickleDict);
  ok(read("K", 1, "Q") instanceof PicklePersistent);
  ok(read(0x8c, 1, "a", 0x8c, 1, "b", 0x93) instanceof PickleGlobal);
});

Deno.test("readPickle() rejects names that Python would run, with the name and position", () => {
  for (const allow of [allowInTensor, allowInMetadata, allowInCommon]) {
    for (
      const [module, name] of [
        ["os", "system"],
        ["posix", "system"],
        ["builtins", "eval"],
        ["builtins", "getattr"],
        ["torch.hub", "load"],
        ["torch", "load"],
        ["subprocess", "Popen"],
        ["numpy", "load"],
        ["functools", "partial"],
        ["torch.serialization", "load"],
      ]
    ) {
      const bytes = ops(`c${module}\n${name}\n(X`, 2, 0, 0, 0, "idtR.");
      throws(
        () => readPickle(bytes, { source: "here", allow }),
        (error) =>
          error instanceof DataError &&
          error.message.includes(`names "${module}.${name}"`) &&
          error.message.includes("byte 2"),
      );
    }
  }
});

Deno.test("readPickle() rejects endless numbers and lengths without allocating memory for them", () => {
  const huge = [255, 255, 255, 127];
  for (
    const bytes of [
      ops("X", ...huge, "a."),
      ops(0x8d, ...huge, 0, 0, 0, 0, "a."),
      ops("B", ...huge, "."),
      ops(0x8b, ...huge, "."),
      ops(0x8b, 255, 255, 255, 255, "."),
      ops(0x96, 255, 255, 255, 255, 255, 255, 255, 255, "."),
    ]
  ) throws(() => readPickle(bytes, options), DataError);
});

Deno.test("readPickle() rejects damaged pickles", () => {
  for (
    const parts of [
      [],
      ["."],
      ["N"],
      ["NN."],
      ["N.N"],
      ["K"],
      ["t."],
      ["(."],
      ["Na."],
      ["](Ks."],
      ["]N]s."],
      ["h", 3, "."],
      ["NNR."],
      ["N}b."],
      ["c\n"],
      [0x93, "."],
      ["0."],
      ["P1\n."],
      ["I1\n."],
      ["}(Nu."],
      ["(N", 0x85, "a."],
      [0xfe, "."],
      ["X", 1, 0, 0, 0, 0xff, "."],
    ]
  ) {
    throws(
      () => readPickle(ops(...parts), options),
      DataError,
      JSON.stringify(parts),
    );
  }
  throws(
    () => readPickle(Uint8Array.of(0x28, 0x74, 0x2e), options),
    /not start with protocol 2/,
  );
  throws(
    () => readPickle(Uint8Array.of(0x80, 9, 0x4e, 0x2e), options),
    /protocol 9/,
  );
});

Deno.test("readPickle() reads back any value that is pickled", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.string(),
      fc.boolean(),
      fc.constant(null),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true }).filter((x) => !Number.isInteger(x)),
      fc.array(tie("value")),
    ),
  })).value;
  fc.assert(fc.property(value, (value) => {
    const pickle = writePickle(value as PickleValue);
    deepStrictEqual(readPickle(pickle, options), value);
  }));
});

Deno.test("readPickle() ends with a value or a DataError, whatever the bytes", () => {
  const op = fc.constantFrom(
    ...[..."(012NJKMGXBC]aetl)}dsucRbQqrhj."].map((letter) =>
      letter.charCodeAt(0)
    ),
    0x80,
    0x81,
    0x85,
    0x86,
    0x87,
    0x88,
    0x8a,
    0x8b,
    0x8c,
    0x8d,
    0x8f,
    0x90,
    0x91,
    0x92,
    0x93,
    0x94,
    0x95,
    0x96,
    0,
    1,
    2,
    10,
    255,
  );
  fc.assert(
    fc.property(fc.array(op, { maxLength: 60 }), (code) => {
      try {
        readPickle(Uint8Array.from([0x80, 2, ...code, 0x2e]), options);
      } catch (error) {
        ok(error instanceof DataError, String(error));
      }
    }),
    { numRuns: 3000 },
  );
});

/** Builds a pickle of a list of `count` values. Each value is created by the given opcodes. */
function listOf(count: number, ...unit: number[]): Uint8Array {
  const bytes = new Uint8Array(6 + count * unit.length);
  bytes.set([0x80, 4, 0x5d, 0x28]);
  for (let i = 0; i < count; i++) bytes.set(unit, 4 + i * unit.length);
  bytes.set([0x65, 0x2e], bytes.length - 2);
  return bytes;
}

Deno.test("readPickle() rejects more values than a checkpoint has before they fill the memory", () => {
  const [million, many] = [
    2 ** 20,
    /than any checkpoint \(opcode at byte \d+\)/,
  ];
  for (
    const bytes of [
      listOf(2 * million, 0x7d), // empty dicts
      listOf(3 * million, 0x43, 0), // bytes
      listOf(5 * million, 0x4e), // None
      listOf(5 * million, 0x28), // marks
    ]
  ) {
    throws(
      () => readPickle(bytes, options),
      (error) => error instanceof DataError && many.test(error.message),
    );
  }
  const fine = readPickle(listOf(100_000, 0x7d), options) as unknown[];
  deepStrictEqual(fine.length, 100_000);
});

Deno.test("readPickle() rejects a long chain of nested tuples early", () => {
  // Counts bytes, not seconds, so that the machine's speed does not matter.
  const bytes = new Uint8Array(3 * 2 ** 20);
  for (const link of [[0x85], [0x4e, 0x86], [0x85, 0x94]]) {
    const links = Uint8Array.from(
      { length: 4096 },
      (_, i) => link[i % link.length]!,
    );
    for (let at = 0; at < bytes.length; at += links.length) {
      bytes.set(links, at);
    }
    bytes.set([0x80, 4, 0x4e, 0x85]);
    throws(
      () => readPickle(bytes, options),
      (error) =>
        error instanceof DataError &&
        /more values than any checkpoint/.test(error.message),
    );
  }
});
