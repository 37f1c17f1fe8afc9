import assert from "node:assert/strict";
import { indentJson } from "../../../notebooks/viewer/page/text.js";

Deno.test("indentJson() indents JSON and keeps every token", () => {
  const laidOut: [text: string, shown: string][] = [
    ["[]", "[]"],
    ["{ }", "{}"],
    ["[[], {}]", "[\n  [],\n  {}\n]"],
    [
      '{"a": 1.0,"b":[true, "x, {y}"]}',
      '{\n  "a": 1.0,\n  "b": [\n    true,\n    "x, {y}"\n  ]\n}',
    ],
  ];
  for (const [text, shown] of laidOut) assert.equal(indentJson(text), shown);
});

Deno.test("indentJson() rejects text that is not JSON, too long or too deep", () => {
  assert.equal(indentJson("plain words"), null);
  assert.equal(indentJson("[1"), null);
  assert.equal(indentJson(`[${"1,".repeat(100_000)}1]`), null);
  assert.equal(indentJson("[".repeat(101) + "]".repeat(101)), null);
  assert.equal(indentJson("[".repeat(90_000) + "]".repeat(90_000)), null);
  assert.match(
    indentJson("[".repeat(100) + "]".repeat(100)) ?? "",
    /^\[\n {2}\[/,
  );
  const many = `[${"[],".repeat(60_000)}0]`;
  assert.equal(indentJson(many)?.length, 6 * 60_000 + 7);
});
