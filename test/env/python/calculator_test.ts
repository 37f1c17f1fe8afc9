import assert from "node:assert/strict";
import process from "node:process";
import fc from "fast-check";
import { calculate } from "../../../env/python/calculator.ts";
import { floatRepr, roundDouble2 } from "../../../env/python/python_number.ts";

Deno.test("calculate() matches Python", () => {
  const values: [expression: string, value: string][] = [
    ["2+2", "4.0"],
    ["  2 +  2 ", "4.0"],
    ["2*(3+4)-1", "13.0"],
    ["-2**2", "-4.0"],
    ["2**3**2", "512.0"],
    ["2**-1", "0.5"],
    ["7//2", "3.0"],
    ["-7//2", "-4.0"],
    ["7.5//-2", "-4.0"],
    ["-0.0", "-0.0"],
    ["-0", "0.0"],
    ["-1/1000", "-0.0"],
    ["10**16", "1e+16"],
    ["10.0**308*10", "inf"],
    ["10**400//10**399", "10.0"],
    ["10**400/10**399", "10.0"],
    ["1/10**400", "0.0"],
    ["99999999999999999999", "1e+20"],
    ["00", "0.0"],
    ["01.5", "1.5"],
    ["1.", "1.0"],
    [".5", "0.5"],
    ["1--1", "2.0"],
    ["0.1+0.2", "0.3"],
    ["1/3", "0.33"],
    ["2/3*100", "66.67"],
    ["2.675", "2.67"],
    ["1.1**100", "13780.61"],
    ["(-1)**1000", "1.0"],
    ["1**99999999999999999999", "1.0"],
  ];
  for (const [expression, value] of values) {
    assert.equal(calculate(expression), value, expression);
  }
});

Deno.test("calculate() uses Python's error messages if models read them", () => {
  const errors: [expression: string, message: string][] = [
    ["1/0", "division by zero"],
    ["1/0.0", "float division by zero"],
    ["1//0", "integer division or modulo by zero"],
    ["1.0//0", "float floor division by zero"],
    ["0**-1", "0.0 cannot be raised to a negative power"],
    ["(-8)**0.5/0", "complex division by zero"],
    // The operands are evaluated before the call and the tuple that fail.
    ["(1/0)(2)", "division by zero"],
    ["2(1/0)", "division by zero"],
    ["()*(1/0)", "division by zero"],
    ["1e5", "invalid characters in expression"],
    ["1\t", "invalid characters in expression"],
    ["１", "invalid characters in expression"],
  ];
  for (const [expression, message] of errors) {
    assert.throws(() => calculate(expression), { name: "ToolError", message });
  }
});

Deno.test("calculate() rejects invalid expressions and non-real values", () => {
  const wrong = [
    "",
    " ",
    "()",
    "...",
    "1 1",
    "1+",
    "*1",
    "(1",
    "1)",
    "007",
    "1..",
    "1.5.2",
    "5(3)",
    "(*1)",
    "1(2",
    "(-8)**0.5",
    "10**309",
    "10.0**309",
    "10**10**10",
    "9".repeat(4301),
    "(".repeat(201) + "1" + ")".repeat(201),
    "-".repeat(5000) + "1",
    "1" + "+1".repeat(5000),
    "1" + "**1".repeat(5000),
  ];
  for (const expression of wrong) {
    assert.throws(() => calculate(expression), { name: "ToolError" });
  }
  for (const value of [null, 1, true, [], ["1"], ["+-", "12"], new Map()]) {
    assert.throws(() => calculate(value), { name: "ToolError" });
  }
  assert.throws(() => calculate(["21"]), /invalid characters in expression/);
});

Deno.test("calculate() limits the cost and depth of an expression", () => {
  const power = "(9**99999)";
  const costly = [
    // Each operation is within the limit, but all of them together are not.
    Array(60).fill(power).join("*"),
    Array(400).fill(power).join("+"),
    Array(400).fill(power).join("//"),
    Array(400).fill(`${power}/7`).join("-"),
    Array(60).fill("(9**9**5)").join("-"),
    "9".repeat(4000) + "**2000",
    `(${Array(200).fill("9".repeat(4000)).join("*")})`.repeat(3),
    Array(2000).fill("1.0000001**2047").join("+"),
    Array(2000).fill(`(0.${"0".repeat(300)}1)**2047`).join("+"),
    "-".repeat(2000) + "9**200000",
  ];
  const sum = (inner: string) => `(${inner}${"+1".repeat(2800)})`;
  const deep = [
    sum(sum(sum(sum("1")))),
    "-".repeat(2000) + sum("1"),
    `${sum("1")}${"(1)".repeat(2000)}`,
    `2**${sum("1")}${"**1".repeat(2000)}`,
  ];
  for (const expression of [...costly, ...deep]) {
    const start = process.cpuUsage();
    assert.throws(() => calculate(expression), { name: "ToolError" });
    // Without limits, this takes minutes or overflows the stack. Measures CPU time, independent of machine load.
    const { user } = process.cpuUsage(start);
    assert.ok(user < 10_000_000, `${expression.slice(0, 40)}: ${user} µs`);
  }
  const allowed: [expression: string, value: string][] = [
    ["9**100000//9**99999", "9.0"],
    ["10**4000//10**3999*(10**4000//10**3999)", "100.0"],
  ];
  for (const [expression, value] of allowed) {
    assert.equal(calculate(expression), value);
  }
  assert.equal(calculate(Array(100).fill("1.05**30").join("+")), "432.19");
  assert.match(
    calculate(Array(500).fill("2**64").join("-")),
    /^-9\.18\d+e\+21$/,
  );
});

Deno.test("calculate() matches JavaScript's arithmetic on cents", () => {
  const number = fc.integer({ min: 1, max: 10_000_00 }).map((cents) =>
    (cents / 100).toFixed(2)
  );
  const operator = fc.constantFrom("+", "-", "*", "/");
  const terms = fc.array(fc.tuple(operator, number), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(fc.property(number, terms, (first, rest) => {
    const text = rest.reduce(
      (left, [operator, right]) => `(${left}) ${operator} ${right}`,
      first,
    );
    const value = rest.reduce(
      (left, [operator, right]) => apply(operator, left, Number(right)),
      Number(first),
    );
    assert.equal(calculate(text), floatRepr(roundDouble2(value)));
  }));
});

Deno.test("calculate() returns a result or a ToolError for any text", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."0123456789+-*/(). "),
    maxLength: 12,
  });
  fc.assert(
    fc.property(text, (expression) => {
      try {
        assert.match(
          calculate(expression),
          /^-?(\d+(\.\d+)?(e[+-]\d+)?|inf)$|^nan$/,
        );
      } catch (error) {
        assert.equal(error instanceof Error && error.name, "ToolError");
      }
    }),
    { numRuns: 3000 },
  );
});

function apply(operator: string, a: number, b: number): number {
  return operator === "+"
    ? a + b
    : operator === "-"
    ? a - b
    : operator === "*"
    ? a * b
    : a / b;
}
