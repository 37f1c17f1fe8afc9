import assert from "node:assert/strict";
import fc from "fast-check";
import {
  Float,
  fromPlain,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
  toPlain,
} from "../../../env/python/python_json.ts";
import { jsonValue } from "../../support/arbitrary.ts";

Deno.test("parsePythonJson() and printPythonJson() are inverses", () => {
  fc.assert(fc.property(jsonValue(), fc.boolean(), (value, ensureAscii) => {
    const text = printPythonJson(value, { ensureAscii });
    assert.deepEqual(parsePythonJson(text), value);
  }));
});

Deno.test("printPythonJson() output parses in JavaScript to the same plain data", () => {
  const finite = jsonValue().filter((value) =>
    !/NaN|Infinity/.test(printPythonJson(value))
  );
  fc.assert(fc.property(finite, (value) => {
    assert.deepEqual(JSON.parse(printPythonJson(value)), toPlain(value));
  }));
});

Deno.test("parsePythonJson() distinguishes ints from floats", () => {
  const spellings: [text: string, value: JsonValue, printed: string][] = [
    ["200", 200, "200"],
    ["200.0", new Float(200), "200.0"],
    ["1e3", new Float(1000), "1000.0"],
    ["1.10", 1.1, "1.1"],
    ["-0", 0, "0"],
    ["-0.0", new Float(-0), "-0.0"],
    ["1E400", Infinity, "Infinity"],
    ["-Infinity", -Infinity, "-Infinity"],
    ["NaN", NaN, "NaN"],
    ["12345678901234567890", 12345678901234567890n, "12345678901234567890"],
    ["9007199254740993.0", new Float(9007199254740992), "9007199254740992.0"],
    ["1e16", new Float(1e16), "1e+16"],
    ["0.00001", 0.00001, "1e-05"],
  ];
  for (const [text, value, printed] of spellings) {
    assert.deepEqual(parsePythonJson(text), value, text);
    assert.equal(printPythonJson(value), printed);
  }
});

Deno.test("parsePythonJson() keeps the order of integer-like keys, and the last of duplicate keys", () => {
  assert.equal(
    printPythonJson(
      parsePythonJson('{"10": 1, "9": 2, "10": 3, "__proto__": 4}'),
    ),
    '{"10": 3, "9": 2, "__proto__": 4}',
  );
});

Deno.test("printPythonJson() escapes like json.dumps", () => {
  const text = '/"\\\n\r\t\b\f\u0001\u007fé\u2028😀\ud800';
  assert.equal(
    printPythonJson(text),
    '"/\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u007f\\u00e9\\u2028\\ud83d\\ude00\\ud800"',
  );
  assert.equal(printPythonJson("é😀", { ensureAscii: false }), '"é😀"');
});

Deno.test("parsePythonJson() reports the position of an error", () => {
  const wrong: [text: string, message: RegExp][] = [
    ['{"a": 1,\n "b" 2}', /expected ':' after the key, line 2, column 6$/],
    ["[1, 2", /expected ',' or '\]', line 1, column 6$/],
    ["[1,]", /expected a value, line 1, column 4$/],
    ['{"a": 1,}', /expected a key in double quotes, line 1, column 9$/],
    ['["abc', /unterminated string, line 1, column 6$/],
    [
      '["a\tb"]',
      /a control character in a string must be escaped, line 1, column 4$/,
    ],
    ['["\\x"]', /an invalid escape, line 1, column 2$/],
    ["[1] 2", /unexpected text after the end, line 1, column 5$/],
    ["01", /unexpected text after the end, line 1, column 2$/],
    ["", /the text ends where a value is expected, line 1, column 1$/],
    ["[".repeat(2000), /nested more than 990 levels deep/],
  ];
  for (const [text, message] of wrong) {
    assert.throws(() => parsePythonJson(text), { name: "DataError", message });
  }
  assert.throws(() => parsePythonJson("[", { path: "x/y.json" }), {
    message: /^Cannot read JSON in "x\/y.json": /,
    path: "x/y.json",
  });
});

Deno.test("parsePythonJson() fails on every proper prefix of an object", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      const text = JSON.stringify(object);
      for (let end = 0; end < text.length; end++) {
        assert.throws(
          () => parsePythonJson(text.slice(0, end)),
          /Cannot read JSON/,
        );
      }
    }),
  );
});

Deno.test("fromPlain() converts plain data, integral numbers to ints", () => {
  assert.deepEqual(
    fromPlain({ a: [1, 1.5, -0, 2 ** 60, null, "x", true] }),
    new Map([["a", [1, 1.5, 0, 2n ** 60n, null, "x", true]]]),
  );
  for (const wrong of [undefined, () => 1, Symbol(), new Date()]) {
    assert.throws(() => fromPlain(wrong), TypeError);
  }
});
