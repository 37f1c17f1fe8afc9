import assert from "node:assert/strict";
import { parsePythonJson } from "../../../../env/python/python_json.ts";
import type { JsonObject } from "../../../../env/python/python_value.ts";
import { rows } from "../../../../env/domains/shared/read_row.ts";
import { variantThought } from "../../../../env/domains/retail/expert/search_words.ts";

const LAMP = parsePythonJson(JSON.stringify({
  variants: Object.fromEntries(
    [
      ["12", "red", "small"],
      ["34", "blue", "small"],
      ["56", "blue", "large"],
      ["78", "red", "large"],
    ].map(([item_id, color, size]) => [
      item_id,
      { item_id, options: { color, size } },
    ]),
  ),
})) as JsonObject;

Deno.test("variantThought() compares each variant with the wanted options up to the first difference, and stops at the match", () => {
  const meant = rows(LAMP, "variants")[2]!;
  assert.equal(
    variantThought(LAMP, { meant, words: "blue, large" }),
    "blue, large. 12: blue/red no; 34: blue/blue large/small no; 56: blue/blue large/large yes. blue, large 56",
  );
});
