import assert from "node:assert/strict";
import fc from "fast-check";
import {
  copyValue,
  Float,
  type JsonValue,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import {
  canonicalText,
  sameCanonical,
  stateHash,
} from "../../env/state_hash.ts";
import { jsonValue, text } from "../support/arbitrary.ts";

Deno.test("stateHash() reproduces τ-bench's hashes of three examples", () => {
  const examples: [json: string, text: string, hash: string][] = [
    [
      '{"b":[1,2.0,true],"a":null}',
      "(('a', None), ('b', (1, 2.0, True)))",
      "7d95859e0faf4ae2b01462c0e2b7201ed8534dafb2721263cba1a74db85be8e9",
    ],
    [
      '{"x":{},"y":["it\'s"],"w":[]}',
      `(('w', ()), ('x', ()), ('y', ("it's",)))`,
      "c1eb3c833566dbe1e5c18e4c6c289883056d70fd42c54fcf08d12f4d1feb0417",
    ],
    [
      '{"n":1e16,"s":"é\\n\\u200b\\"q\\"","z":-0.0,"f":0.30000000000000004}',
      `(('f', 0.30000000000000004), ('n', 1e+16), ('s', 'é\\n\\u200b"q"'), ('z', -0.0))`,
      "d9af096f7516ef120e5652da5ad9940b49e4d57bdbbf747fbafcd799e770abc5",
    ],
  ];
  for (const [json, text, hash] of examples) {
    const value = parsePythonJson(json);
    assert.equal(canonicalText(value), text);
    assert.equal(stateHash(value), hash);
  }
});

Deno.test("canonicalText() does not depend on the order of keys", () => {
  const members = fc.uniqueArray(fc.tuple(text(), jsonValue()), {
    selector: ([key]) => key,
    maxLength: 6,
  });
  fc.assert(fc.property(members, (pairs) => {
    assert.equal(
      canonicalText(new Map(pairs)),
      canonicalText(new Map(pairs.toReversed())),
    );
  }));
});

Deno.test("sameCanonical() is equivalent to equal canonicalText()", () => {
  const small = fc.oneof(
    jsonValue(),
    fc.constantFrom<JsonValue>(
      [],
      new Map(),
      [["a", 1]],
      new Map([["a", 1]]),
      new Map([["a", new Float(1)]]),
      0,
      new Float(0),
      new Float(-0),
      NaN,
      false,
      null,
      "",
    ),
  );
  const pair = fc.oneof(
    fc.tuple(small, small),
    jsonValue().map((
      value,
    ): [JsonValue, JsonValue] => [value, copyValue(value)]),
  );
  fc.assert(
    fc.property(pair, fc.boolean(), ([a, b], nest) => {
      const [x, y] = nest
        ? [new Map([["k", [a]]]), new Map([["k", [b]]])]
        : [a, b];
      assert.equal(sameCanonical(x, y), canonicalText(x) === canonicalText(y));
    }),
    { numRuns: 2000 },
  );
});
