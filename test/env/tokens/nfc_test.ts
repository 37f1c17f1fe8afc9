import assert from "node:assert/strict";
import fc from "fast-check";
import { normalizeNfc } from "../../../env/tokens/nfc.ts";

Deno.test("normalizeNfc() composes and orders what Unicode 9 knows", () => {
  assert.equal(normalizeNfc("e\u0301"), "é");
  assert.equal(normalizeNfc("a\u0301\u0323"), "ạ\u0301");
  assert.equal(normalizeNfc("ᄀ\u1161"), "가");
  assert.equal(normalizeNfc("\u212b"), "Å");
});

Deno.test("normalizeNfc() leaves later letters where they are, and moves nothing across them", () => {
  // A mark of Unicode 11, which later tables put before the dot below; a pair of Unicode 13, which they join.
  const mark = "a\u0301\u{1133b}\u0323";
  const pair = "\u{11935}\u{11930}";
  for (const text of [mark, pair]) {
    assert.notEqual(text.normalize("NFC"), normalizeNfc(text));
  }
  assert.equal(normalizeNfc(mark), "á\u{1133b}\u0323");
  assert.equal(normalizeNfc(pair), pair);
});

Deno.test("normalizeNfc() of a normal text is the text, and of any text is settled", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const normal = text.normalize("NFC");
    assert.equal(normalizeNfc(normal), normal);
    assert.equal(normalizeNfc(normalizeNfc(text)), normalizeNfc(text));
  }));
});
