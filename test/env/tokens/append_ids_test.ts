import assert from "node:assert/strict";
import { appendIds } from "../../../env/tokens/_append_ids.ts";

Deno.test("appendIds() appends lists of any length completely and in order", () => {
  for (const length of [0, 1, 8191, 8192, 8193, 500_000]) {
    const ids = [7];
    const more = Array.from({ length }, (_, at) => at);
    appendIds(ids, more);
    assert.deepEqual(ids, [7, ...more]);
  }
});
