import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePythonJson } from "../../../env/python/python_json.ts";
import {
  compareStrings,
  pythonRepr,
  pythonStr,
  stringRepr,
} from "../../../env/python/python_repr.ts";
import { isPrintable } from "../../../env/python/unicode_printable.ts";
import { text } from "../../support/arbitrary.ts";

Deno.test("pythonStr() leaves strings unquoted and formats other values with repr", () => {
  const cases: [json: string, str: string][] = [
    ['"it\'s"', "it's"],
    ["null", "None"],
    ["true", "True"],
    ["1.0", "1.0"],
    ["1e22", "1e+22"],
    ["NaN", "nan"],
    ["12345678901234567890", "12345678901234567890"],
    ['[{"a": 1, "b": ["x"]}]', "[{'a': 1, 'b': ['x']}]"],
    ["[]", "[]"],
    ["{}", "{}"],
  ];
  for (const [json, str] of cases) {
    assert.equal(pythonStr(parsePythonJson(json)), str);
  }
  assert.equal(pythonRepr("a"), "'a'");
});

Deno.test("stringRepr() chooses quotes and escapes like Python", () => {
  const cases: [text: string, repr: string][] = [
    ["plain", "'plain'"],
    ["it's", `"it's"`],
    [`it's "x"`, `'it\\'s "x"'`],
    ["\\\n\r\t", "'\\\\\\n\\r\\t'"],
    ["\u0000\u007f\u00a0\u00ad", "'\\x00\\x7f\\xa0\\xad'"],
    ["\u200b\u2028\ud800\ufffe", "'\\u200b\\u2028\\ud800\\ufffe'"],
    ["é漢😀", "'é漢😀'"],
    // Assigned after Unicode 14, and unassigned.
    ["\u{1fae8}\u{378}\u{10ffff}", "'\\U0001fae8\\u0378\\U0010ffff'"],
  ];
  for (const [text, repr] of cases) assert.equal(stringRepr(text), repr);
});

Deno.test("isPrintable() matches CPython 3.11's count, and a subset of later Unicode", () => {
  let count = 0;
  for (let code = 0; code <= 0x10ffff; code++) {
    if (!isPrintable(code)) continue;
    count++;
    const character = String.fromCodePoint(code);
    assert.ok(
      code === 0x20 || !/[\p{C}\p{Z}]/u.test(character),
      code.toString(16),
    );
  }
  assert.equal(count, 144516);
});

Deno.test("compareStrings() orders by code point", () => {
  const ascending = ["", "a", "\ud83d", "\ud83da", "\ud83d\ud83d", "\udc00"];
  ascending.push("\ue000", "\uffff", "\u{10000}", "\u{1f600}", "\u{1f600}a");
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareStrings(a, b)), Math.sign(i - j), a + b);
    }
  }
  fc.assert(fc.property(text(), text(), (a, b) => {
    const [x, y] = [a, b].map((text) =>
      Array.from(text, (c) => c.codePointAt(0) ?? 0)
    );
    assert.ok(x !== undefined && y !== undefined);
    const place = x.findIndex((code, i) => code !== y[i]);
    const expected = place < 0
      ? x.length - y.length
      : (x[place] ?? 0) - (y[place] ?? -1);
    assert.equal(Math.sign(compareStrings(a, b)), Math.sign(expected));
  }));
});
