import assert from "node:assert/strict";
import fc from "fast-check";
import {
  sealedJson,
  sealedText,
  sealOfJson,
  sealOfText,
} from "../../../train/runs/seal.ts";

Deno.test("sealedText() is intact at first, and broken or unsealed after a character has changed", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.nat(),
      fc.string({ minLength: 1, maxLength: 1 }),
      (text, at, other) => {
        const sealed = sealedText(text);
        assert.equal(sealOfText(sealed), "intact");
        const i = at % sealed.length;
        const changed = sealed.slice(0, i) + other + sealed.slice(i + 1);
        if (changed !== sealed) assert.notEqual(sealOfText(changed), "intact");
        assert.notEqual(sealOfText(sealed.slice(0, i)), "intact");
      },
    ),
  );
});

Deno.test("sealedJson() is intact however it is printed, and broken after a value has changed", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
      // A record with such a key would be sealed differently.
      if ("sha256" in record || "__proto__" in record) return;
      const json = JSON.parse(sealedJson(record, 2));
      assert.equal(sealOfJson(json), "intact");
      assert.equal(sealOfJson({ ...json, more: 1 }), "broken");
    }),
  );
  assert.equal(sealOfJson({ a: 1 }), "none");
  assert.equal(sealOfJson(null), "none");
});
