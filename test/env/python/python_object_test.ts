import assert from "node:assert/strict";
import fc from "fast-check";
import { parseInt10 } from "../../../env/python/python_int.ts";
import { parsePythonJson } from "../../../env/python/python_json.ts";
import { compare } from "../../../env/python/python_number.ts";
import {
  isEqual,
  isLess,
  subscript,
  sum,
} from "../../../env/python/python_object.ts";
import { Float } from "../../../env/python/python_value.ts";
import { pythonNumber } from "../../support/arbitrary.ts";

Deno.test("sum() adds from the left, starting with int 0", () => {
  assert.equal(sum([]), 0);
  assert.equal(sum([0.1, 0.2, 0.3]), 0.6000000000000001);
  assert.deepEqual(sum([new Float(1), 2]), new Float(3));
});

Deno.test("isEqual() compares by value; NaN equals nothing, except inside a list", () => {
  const pairs: [a: string, b: string, equal: boolean][] = [
    ["1", "1.0", true],
    ["true", "1", true],
    ["0", "-0.0", true],
    ["1", '"1"', false],
    ["null", "false", false],
    ["NaN", "NaN", false],
    ["[NaN]", "[NaN]", true],
    ['{"a": 1, "b": [2]}', '{"b": [2.0], "a": true}', true],
    ["[]", "{}", false],
    ['""', "[]", false],
  ];
  for (const [a, b, equal] of pairs) {
    assert.equal(isEqual(parsePythonJson(a), parsePythonJson(b)), equal, a + b);
  }
});

Deno.test("isLess() orders numbers, strings and lists, and throws Python's errors for other values", () => {
  const pairs: [a: string, b: string, less: boolean][] = [
    ["1", "1.5", true],
    ["NaN", "1", false],
    ["1", "NaN", false],
    ['"b"', '"a"', false],
    ['"\\uffff"', '"\\ud83d\\ude00"', true],
    ["[1, 2]", "[1.0, 3]", true],
    ["[]", "[[]]", true],
    ["[1]", "[]", false],
    ["[NaN, 1]", "[NaN, 2]", true],
  ];
  for (const [a, b, less] of pairs) {
    assert.equal(isLess(parsePythonJson(a), parsePythonJson(b)), less, a + b);
  }
  const refused: [a: string, b: string, types: string][] = [
    ['"1"', "1", "'str' and 'int'"],
    ["null", "1.5", "'NoneType' and 'float'"],
    ["{}", "{}", "'dict' and 'dict'"],
    ["[1]", '["1"]', "'int' and 'str'"],
    ["[]", "true", "'list' and 'bool'"],
  ];
  for (const [a, b, types] of refused) {
    assert.throws(() => isLess(parsePythonJson(a), parsePythonJson(b)), {
      name: "ToolError",
      message: `'<' not supported between instances of ${types}`,
    });
  }
  fc.assert(fc.property(pythonNumber(), pythonNumber(), (a, b) => {
    assert.equal(isLess(a, b), compare(a, b) < 0);
  }));
});

Deno.test("subscript() throws Python's errors", () => {
  const refused: [value: string, message: string][] = [
    ['"a"', "string indices must be integers, not 'str'"],
    ["[1]", "list indices must be integers or slices, not str"],
    ["1.0", "'float' object is not subscriptable"],
    ["{}", "'k'"],
  ];
  for (const [value, message] of refused) {
    const read = () => subscript(parsePythonJson(value), "k");
    assert.throws(read, { name: "ToolError", message });
  }
});

Deno.test("parseInt10() matches Python's int()", () => {
  const values: [text: string, value: number | bigint][] = [
    ["20", 20],
    ["+5", 5],
    ["-0", 0],
    [" \t\n\v\f\r7\r", 7],
    ["\x857", 7],
    ["7\u3000", 7],
    ["1_000", 1000],
    ["٣٤", 34],
    ["２１", 21],
    ["𝟙𝟡", 19],
    ["-٣_٣", -33],
    ["9".repeat(30), 10n ** 30n - 1n],
  ];
  for (const [text, value] of values) assert.equal(parseInt10(text), value);
  const refused = ["", " ", "+", "1_", "_1", "1__0", "+ 3", "²", "½", "1.0"];
  // U+FEFF and the separators are not white space; Kawi digits are newer than Python 3.11.
  refused.push("\ufeff5", "\x1c3", "\u200b3", "\u{11f50}", "3\x00");
  for (const text of refused) {
    assert.throws(() => parseInt10(text), {
      name: "ToolError",
      message: /^invalid literal for int\(\) with base 10: '/,
    }, text);
  }
});
