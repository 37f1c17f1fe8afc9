import assert from "node:assert/strict";
import fc from "fast-check";
import {
  jsonHash,
  sameJson,
  sortedJson,
} from "../../../env/python/json_hash.ts";
import { parsePythonJson } from "../../../env/python/python_json.ts";
import { jsonValue, text } from "../../support/arbitrary.ts";

Deno.test("sortedJson() sorts keys by code point at every level and distinguishes number types", () => {
  assert.equal(
    sortedJson(
      parsePythonJson(
        '{"\\ud83d\\ude00": 1, "\\uffee": {"b": 1.0, "a": -0.0}, "a": [{"2": null, "10": NaN}], "é": 1e400}',
      ),
    ),
    '{"a": [{"10": NaN, "2": null}], "\\u00e9": Infinity, "\\uffee": {"a": -0.0, "b": 1.0}, "\\ud83d\\ude00": 1}',
  );
  assert.equal(sortedJson(new Map()), "{}");
});

Deno.test("jsonHash() returns the SHA-256 of the text", () => {
  assert.equal(
    jsonHash(parsePythonJson('{"b": [], "a": 1.0}')),
    "64377cbb055f7cec9b6f28407fc421a482c89de856ae36e5c5a7de9c3cf2e834",
  );
});

Deno.test("sortedJson() does not depend on key order", () => {
  const members = fc.uniqueArray(fc.tuple(text(), jsonValue()), {
    selector: ([key]) => key,
    maxLength: 6,
  });
  fc.assert(fc.property(members, (pairs) => {
    assert.equal(
      sortedJson(new Map(pairs)),
      sortedJson(new Map(pairs.toReversed())),
    );
  }));
});

Deno.test("sameJson() is equivalent to equal sortedJson()", () => {
  const small = fc.oneof(
    jsonValue(),
    ...[
      "[]",
      "{}",
      '[["a", 1]]',
      '{"a": 1}',
      "1",
      "1.0",
      "true",
      "0.0",
      "-0.0",
      "NaN",
      '[{"b": 1, "a": 2}]',
      '[{"a": 2, "b": 1}]',
    ]
      .map((json) => fc.constant(parsePythonJson(json))),
  );
  fc.assert(fc.property(small, small, (a, b) => {
    assert.equal(sameJson(a, b), sortedJson(a) === sortedJson(b));
    assert(sameJson(a, a));
  }));
});
