import assert from "node:assert/strict";
import {
  model,
  resultText,
  type ToolResult,
} from "../../../../../env/domains/shared/toolkit/result_text.ts";
import {
  Float,
  type JsonValue,
} from "../../../../../env/python/python_value.ts";

const object = new Map<string, JsonValue>([
  ["name", "é"],
  ["price", new Float(2)],
  ["tags", [1, true, null]],
]);

Deno.test("resultText() returns a string unchanged", () => {
  assert.equal(resultText("é 😀"), "é 😀");
});

Deno.test("resultText() prints a model instance with its numbers", () => {
  const text = '{"name": "\\u00e9", "price": 2.0, "tags": [1, true, null]}';
  assert.equal(resultText(model(object)), text);
  assert.equal(resultText([model(object)]), `[${text}]`);
});

Deno.test("resultText() converts numbers in plain dicts and lists to strings", () => {
  assert.equal(
    resultText(object),
    '{"name": "\\u00e9", "price": "2.0", "tags": ["1", "True", null]}',
  );
  assert.equal(
    resultText(
      new Map<string, ToolResult>([["used", 3.2], ["line", model(object)]]),
    ),
    '{"used": "3.2", "line": {"name": "\\u00e9", "price": 2.0, "tags": [1, true, null]}}',
  );
  assert.equal(resultText(null), "null");
  assert.equal(resultText(5), '"5"');
});
