import assert from "node:assert/strict";
import fc from "fast-check";
import { DataError } from "../../env/errors.ts";
import { isZip, readZip, writeZip } from "../../env/zip_archive.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("readZip() returns what writeZip() wrote, for any names and texts", () => {
  const entries = fc.uniqueArray(
    fc.tuple(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" })),
    { selector: ([name]) => name, minLength: 1, maxLength: 8 },
  );
  fc.assert(fc.property(entries, (entries) => {
    const bytes = writeZip(new Map(entries));
    assert.ok(isZip(bytes));
    const read = [...readZip(bytes, "a.zip")];
    assert.deepEqual(
      read.map(([name, entry]) => [name, text(entry())]),
      entries,
    );
  }));
});

Deno.test("readZip() rejects truncated, corrupted and invalid archives, and never reads past the end", () => {
  const whole = writeZip(new Map([["a", "some text"], ["b", "more"]]));
  assert.throws(() => readZip(whole.subarray(0, -3), "a.zip"), DataError);
  assert.throws(() => readZip(new Uint8Array(100), "a.zip"), DataError);
  for (let at = 0; at < whole.length; at++) {
    const flipped = whole.slice();
    flipped[at]! ^= 0x55;
    try {
      for (const entry of readZip(flipped, "a.zip").values()) entry();
    } catch (error) {
      assert.ok(error instanceof DataError, String(error));
    }
  }
});
