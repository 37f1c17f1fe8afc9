import assert from "node:assert/strict";
import { readChoice } from "../../../notebooks/viewer/export_choice.ts";

Deno.test("readChoice() reads ids and ranges, each once, or a filter", () => {
  assert.deepEqual(readChoice({ episodes: "5-7,1, 6" }).ids, [5, 6, 7, 1]);
  const { ids, filter } = readChoice({ filter: "reward<1 and step=40" });
  assert.equal(ids, undefined);
  assert.ok(filter.size > 0);
  assert.equal(readChoice({}).filter.size, 0);
});

Deno.test("readChoice() refuses unparsable values, and both flags at once", () => {
  for (
    const choice of [
      { episodes: "0" },
      { episodes: "3-1" },
      { episodes: "1-200000" },
      { episodes: "a" },
      { filter: "nothing=1" },
      { episodes: "1", filter: "reward<1" },
    ]
  ) {
    assert.throws(() => readChoice(choice), { name: "ConfigError" });
  }
});
