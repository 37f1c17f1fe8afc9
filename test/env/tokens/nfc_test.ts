import assert from "node:assert/strict";
import fc from "fast-check";
import { normalizeNfc } from "../../../env/tokens/nfc.ts";

Deno.test("normalizeNfc() composes and reorders characters of Unicode 9", () => {
  assert.equal(normalizeNfc("e\u0301"), "é");
  assert.equal(normalizeNfc("a\u0301\u0323"), "ạ\u0301");
  assert.equal(normalizeNfc("ᄀ\u1161"), "가");
  assert.equal(normalizeNfc("\u212b"), "Å");
});

Deno.test("normalizeNfc() keeps later characters, and moves nothing across them", () => {
  // A mark that was added in Unicode 11, and a pair of characters that was added in Unicode 13. Newer tables reorder
  // the mark and compose the pair.
  const mark = "a\u0301\u{1133b}\u0323";
  const pair = "\u{11935}\u{11930}";
  for (const text of [mark, pair]) {
    assert.notEqual(text.normalize("NFC"), normalizeNfc(text));
  }
  assert.equal(normalizeNfc(mark), "á\u{1133b}\u0323");
  assert.equal(normalizeNfc(pair), pair);
});

Deno.test("normalizeNfc() does not change normalized text, and is idempotent", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const normal = text.normalize("NFC");
    assert.equal(normalizeNfc(normal), normal);
    assert.equal(normalizeNfc(normalizeNfc(text)), normalizeNfc(text));
  }));
});
