import assert from "node:assert/strict";
import fc from "fast-check";
import {
  absolute,
  add,
  compare,
  floatRepr,
  isFloat,
  multiply,
  negate,
  round2,
  roundDouble2,
  subtract,
  toDouble,
} from "../../../env/python/python_number.ts";
import { Float, normalInt } from "../../../env/python/python_value.ts";
import { float, int, pythonNumber } from "../../support/arbitrary.ts";

Deno.test("add() and subtract() are exact where large ints cancel", () => {
  const large = 2n ** 255n;
  assert.equal(add(-large, large + 1n), 1);
  assert.equal(subtract(large + 1n, large), 1);
});

Deno.test("add(), subtract(), multiply() are exact on ints", () => {
  fc.assert(fc.property(int(), int(), (a, b) => {
    const [x, y] = [BigInt(a), BigInt(b)];
    assert.equal(add(a, b), normalInt(x + y));
    assert.equal(subtract(a, b), normalInt(x - y));
    assert.equal(multiply(a, b), normalInt(x * y));
    assert.equal(negate(a), normalInt(-x));
    assert.equal(absolute(a), normalInt(x < 0n ? -x : x));
  }));
});

Deno.test("arithmetic returns a float if and only if an operand is a float", () => {
  fc.assert(fc.property(pythonNumber(), pythonNumber(), (a, b) => {
    for (const operate of [add, subtract, multiply]) {
      const result = operate(a, b);
      assert.equal(isFloat(result), isFloat(a) || isFloat(b));
      if (isFloat(a) && isFloat(b)) {
        const expected = {
          add: toDouble(a) + toDouble(b),
          subtract: toDouble(a) - toDouble(b),
          multiply: toDouble(a) * toDouble(b),
        };
        assert.ok(
          Object.is(
            toDouble(result),
            expected[operate.name as keyof typeof expected],
          ),
        );
      }
    }
  }));
});

Deno.test("compare() compares exactly by value across types", () => {
  assert.equal(compare(200, new Float(200)), 0);
  assert.equal(compare(true, 1), 0);
  assert.ok(compare(9007199254740993n, new Float(9007199254740992)) > 0);
  assert.ok(Number.isNaN(compare(NaN, 1)));
  fc.assert(fc.property(int(), int(), (a, b) => {
    assert.equal(
      compare(a, b),
      BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0,
    );
  }));
});

Deno.test("roundDouble2() rounds the exact binary value, ties to even", () => {
  fc.assert(
    fc.property(float(), (value) => {
      const double = toDouble(value);
      fc.pre(Number.isFinite(double) && Math.abs(double) < 1e15);
      assert.ok(
        Object.is(roundDouble2(double), exactRound2(double)),
        `${double}`,
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("round2() matches Python", () => {
  const cases: [number, string][] = [
    [2.675, "2.67"],
    [1 / 8, "0.12"],
    [3 / 8, "0.38"],
    [-0.001, "-0.0"],
    [-0.125, "-0.12"],
    [1.005, "1.0"],
    [0.285, "0.28"],
    [1e300, "1e+300"],
    [2 ** 51 + 0.5, "2251799813685248.5"],
    [Infinity, "inf"],
    [NaN, "nan"],
  ];
  for (const [value, expected] of cases) {
    assert.equal(floatRepr(roundDouble2(value)), expected);
  }
  assert.equal(round2(7), 7);
  assert.deepEqual(round2(new Float(7)), new Float(7));
});

Deno.test("floatRepr() round-trips and matches Python", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (value) => {
        const text = floatRepr(value);
        assert.ok(Object.is(Number(text), value));
        assert.match(text, /^-?(\d+\.\d+|\d(\.\d+)?e[+-]\d{2,})$/);
        const magnitude = Math.abs(value);
        const plain = magnitude === 0 ||
          (magnitude >= 1e-4 && magnitude < 1e16);
        assert.equal(text.includes("e"), !plain);
      },
    ),
  );
  const spellings: [number, string][] = [
    [1e16, "1e+16"],
    [9999999999999998, "9999999999999998.0"],
    [1.5e-7, "1.5e-07"],
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1e100, "1e+100"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [5e-324, "5e-324"],
    [-0, "-0.0"],
  ];
  for (const [value, text] of spellings) assert.equal(floatRepr(value), text);
});

/**
 * Rounds a value to hundredths in exact arithmetic, with ties to even, and returns the double nearest to the result.
 */
function exactRound2(value: number): number {
  let [numerator, denominator] = [value, 1n];
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    denominator *= 2n;
  }
  const scaled = BigInt(Math.abs(numerator)) * 100n;
  let hundredths = scaled / denominator;
  const twice = (scaled % denominator) * 2n;
  if (
    twice > denominator || (twice === denominator && hundredths % 2n === 1n)
  ) hundredths++;
  const digits = hundredths.toString().padStart(3, "0");
  const rounded = Number(`${digits.slice(0, -2)}.${digits.slice(-2)}`);
  return value < 0 || Object.is(value, -0) ? -rounded : rounded;
}
