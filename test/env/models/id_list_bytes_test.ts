import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bodyWithIds,
  HEAD_ROOM,
  moveEncodedIds,
} from "../../../env/models/id_list_bytes.ts";

const decoder = new TextDecoder();

const bodyOf = (ids: readonly number[], rest: object) =>
  JSON.parse(decoder.decode(bodyWithIds(ids, JSON.stringify(rest))));

Deno.test("bodyWithIds() writes the ids of a growing list, followed by the other members", () => {
  const id = fc.oneof(
    fc.nat({ max: 11 }),
    fc.nat(152_000),
    fc.constantFrom(9, 10, 99, 100, 999_999, 1_000_000),
    fc.maxSafeNat(),
  );
  fc.assert(
    fc.property(fc.array(fc.array(id)), fc.string(), (pieces, text) => {
      const ids: number[] = [];
      for (const piece of pieces) {
        ids.push(...piece);
        assert.deepEqual(bodyOf(ids, { text }), { input_ids: ids, text });
        assert.deepEqual(bodyOf(ids, { n: 1 }), { input_ids: ids, n: 1 });
      }
    }),
  );
});

Deno.test("bodyWithIds() encodes a list that became shorter again, and keeps lists separate", () => {
  const ids = [1, 22, 333];
  const other = [7];
  assert.deepEqual(bodyOf(ids, { a: 1 }).input_ids, [1, 22, 333]);
  assert.deepEqual(bodyOf(other, { a: 1 }).input_ids, [7]);
  ids.length = 1;
  assert.deepEqual(bodyOf(ids, { a: 1 }).input_ids, [1]);
  assert.deepEqual(bodyOf(other, { a: 1 }).input_ids, [7]);
});

Deno.test("bodyWithIds() encodes lists that share a beginning", () => {
  const [long, other] = [7, 9].map((factor) =>
    Array.from({ length: 700 }, (_, at) => (at * at * factor) % 150_000)
  ) as [number[], number[]];
  const list = fc.tuple(
    fc.constantFrom(long, other),
    fc.nat(700),
    fc.array(fc.nat(150_000), { maxLength: 300 }),
  ).map(([from, length, rest]) => [...from.slice(0, length), ...rest]);
  fc.assert(fc.property(fc.array(list, { maxLength: 12 }), (lists) => {
    for (const ids of lists) {
      assert.deepEqual(bodyOf(ids, { a: 1 }), { input_ids: ids, a: 1 });
      ids.push(5);
      assert.deepEqual(bodyOf(ids, { b: "é" }), { input_ids: ids, b: "é" });
    }
  }));
});

Deno.test("bodyWithIds() leaves room before the body, and encodes the same again once it was overwritten", () => {
  const ids = [1, 22];
  const body = bodyWithIds(ids, '{"a":1}');
  assert.ok(body.byteOffset >= HEAD_ROOM);
  new Uint8Array(body.buffer, body.byteOffset - HEAD_ROOM, HEAD_ROOM).fill(1);
  assert.deepEqual(bodyOf(ids, { a: 1 }), { input_ids: ids, a: 1 });
});

Deno.test("a body of a growing list takes little more than its length", () => {
  const ids: number[] = [];
  for (let at = 0; at < 5000; at++) {
    ids.push(100_000 + at);
    const { buffer, byteLength } = bodyWithIds(ids, '{"a":1}');
    assert.ok(buffer.byteLength <= byteLength + 8192);
  }
});

Deno.test("moveEncodedIds() reuses the encoded ids for a copy that begins with them, also under another name", () => {
  const lists = fc.tuple(fc.array(fc.nat(200_000)), fc.array(fc.nat(9)));
  fc.assert(fc.property(lists, lists, ([ids, more], [other, rest]) => {
    bodyWithIds(ids, '{"a":1}');
    const expected = { ids: [...ids, ...more], other: [...other, ...rest] };
    for (const tokens of Object.values(expected)) {
      moveEncodedIds(ids, tokens);
      const bytes = bodyWithIds(tokens, '{"b":"é"}', "tokens");
      assert.equal(
        decoder.decode(bytes),
        JSON.stringify({ tokens, b: "é" }),
      );
      assert.deepEqual(bodyOf(tokens, { c: 1 }), { input_ids: tokens, c: 1 });
    }
  }));
});
