import assert from "node:assert/strict";
import fc from "fast-check";
import { evaluate } from "../../../../env/benchmarks/python_source/literal_value.ts";
import { assignments } from "../../../../env/benchmarks/python_source/python_modules.ts";
import { parsePython } from "../../../../env/benchmarks/python_source/syntax_tree.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import { pythonRepr } from "../../../../env/python/python_repr.ts";
import type { JsonValue } from "../../../../env/python/python_value.ts";

/** Evaluates a Python expression. */
function valueOf(expression: string): JsonValue {
  const source = parsePython("x.py", `x = ${expression}\n`);
  const node = assignments(source.root, source).get("x");
  assert.ok(node, expression);
  return evaluate(source, node);
}

Deno.test("evaluate() reads the output of Python's repr()", () => {
  const value = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
      fc.integer(),
      fc.bigInt().filter((n) => n > 2n ** 60n),
      fc.double({ noNaN: true, noDefaultInfinity: true })
        .filter((n) => !Number.isInteger(n)),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 })
        .map((members) => new Map(Object.entries(members))),
    ),
  })).value;
  fc.assert(fc.property(value, (value) => {
    assert.equal(
      printPythonJson(valueOf(pythonRepr(value))),
      printPythonJson(value),
    );
  }));
});

Deno.test("evaluate() reads string literals as Python does", () => {
  const cases: [literal: string, value: string][] = [
    [`'it\\'s'`, "it's"],
    [`"a" 'b' """c"""`, "abc"],
    [`("a"\n    "b")`, "ab"],
    [`r"\\n\\\\"`, "\\n\\\\"],
    [`"\\x41\\u00e9\\U0001F600\\101\\0"`, "Aé😀A\0"],
    [`"\\q\\ "`, "\\q\\ "],
    [`"a\\\nb"`, "ab"],
    [`'''a\r\nb'''`, "a\nb"],
    [`f"{{}}" "x"`, "{}x"],
    [`u"x"`, "x"],
  ];
  for (const [literal, value] of cases) {
    assert.equal(valueOf(literal), value, literal);
  }
});

Deno.test("evaluate() distinguishes ints and floats", () => {
  const cases: [literal: string, json: string][] = [
    ["1_000", "1000"],
    ["-3", "-3"],
    ["+3", "3"],
    ["2.0", "2.0"],
    [".5", "0.5"],
    ["1e3", "1000.0"],
    ["-0.0", "-0.0"],
    ["12345678901234567890", "12345678901234567890"],
    ["1 + 2", "3"],
    ["(1)", "1"],
    ["(1,)", "[1]"],
  ];
  for (const [literal, json] of cases) {
    assert.equal(printPythonJson(valueOf(literal)), json, literal);
  }
});
