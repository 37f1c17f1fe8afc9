/** Formats numbers for the conversion types of Python's `%` and `format()`, such as `d`, `x`, `f`, `e` and `g`. */

/** Maximum precision: digits after the point, or significant digits. */
export const MAX_PRECISION = 400;

/** Formats the magnitude of `value` with `precision` digits after the point. Ties round to even. */
export function fixed(value: number, precision: number): string {
  const [numerator, denominator] = fraction(value);
  const scaled = numerator * 10n ** BigInt(precision);
  const digits = String(divideToEven(scaled, denominator))
    .padStart(precision + 1, "0");
  const point = digits.length - precision;
  return precision === 0
    ? digits
    : `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/**
 * Implements Python's `round(value, precision)`. Ties round to even. A negative precision rounds to tens, hundreds,
 * etc.
 */
export function rounded(value: number, precision: number): number {
  if (!Number.isFinite(value)) return value;
  const sign = value < 0 || Object.is(value, -0) ? -1 : 1;
  if (precision >= 0) {
    // A double has no more digits than MAX_PRECISION.
    return sign * Number(fixed(value, Math.min(precision, MAX_PRECISION)));
  }
  const unit = 10n ** BigInt(Math.min(-precision, MAX_PRECISION));
  const [numerator, denominator] = fraction(value);
  return sign * Number(divideToEven(numerator, denominator * unit) * unit);
}

/** Formats the magnitude of `value` with an exponent and `precision` digits after the point, such as `1.50e+03`. */
export function exponential(value: number, precision: number): string {
  const [digits, exponent] = significant(value, precision + 1);
  const mantissa = precision === 0 ? digits : `${digits[0]}.${digits.slice(1)}`;
  return mantissa + exponentText(exponent);
}

/**
 * Formats the magnitude of `value` with `precision` significant digits, and with an exponent if it is very large or
 * very small.
 */
export function general(
  value: number,
  { precision, keepZeros }: {
    readonly precision: number;
    readonly keepZeros: boolean;
  },
): string {
  const count = Math.max(1, precision);
  const [digits, exponent] = significant(value, count);
  const short = exponent < -4 || exponent >= count;
  const text = short
    ? count === 1 ? digits : `${digits[0]}.${digits.slice(1)}`
    : fixed(value, count - 1 - exponent);
  const trimmed = keepZeros || !text.includes(".")
    ? text
    : text.replace(/(?:\.|(?<!0))0+$/, "");
  return short ? trimmed + exponentText(exponent) : trimmed;
}

/** Formats an infinity, without its sign, or NaN. Returns `undefined` for a finite number. */
export function notFinite(value: number): string | undefined {
  if (Number.isFinite(value)) return undefined;
  return Number.isNaN(value) ? "nan" : "inf";
}

/** Formats the magnitude of an int in a given base. */
export function digitsOf(value: number | bigint, base: number): string {
  const big = BigInt(value);
  return (big < 0n ? -big : big).toString(base);
}

/** Inserts a separator between the groups of digits before the point, counted from the right. */
export function grouped(digits: string, separator: string, size = 3): string {
  const whole = /^[0-9a-fA-F]+/.exec(digits)?.[0] ?? "";
  const parts: string[] = [];
  for (let end = whole.length; end > 0; end -= size) {
    parts.unshift(whole.slice(Math.max(0, end - size), end));
  }
  return parts.join(separator) + digits.slice(whole.length);
}

function exponentText(exponent: number): string {
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `e${exponent < 0 ? "-" : "+"}${digits}`;
}

/** Returns the first `count` digits of a number, rounded, and the exponent of the first digit. */
function significant(value: number, count: number): [string, number] {
  const [numerator, denominator] = fraction(value);
  if (numerator === 0n) return ["0".repeat(count), 0];
  let exponent = Math.floor(Math.log10(Math.abs(value)));
  // The logarithm may be off by one near powers of ten, and rounding may carry.
  for (let i = 0; i < 3; i++) {
    const shift = count - 1 - exponent;
    const [n, d] = shift >= 0
      ? [numerator * 10n ** BigInt(shift), denominator]
      : [numerator, denominator * 10n ** BigInt(-shift)];
    const digits = String(divideToEven(n, d));
    if (digits.length === count && n / d >= 10n ** BigInt(count - 1) - 1n) {
      return [digits, exponent];
    }
    exponent += digits.length - count || -1;
  }
  return [value.toExponential(count - 1).replace(/[.]|e.*/g, ""), exponent];
}

/** Returns the magnitude of a finite double as an exact fraction. */
function fraction(value: number): [bigint, bigint] {
  let magnitude = Math.abs(value);
  let denominator = 1n;
  while (!Number.isInteger(magnitude)) {
    magnitude *= 2;
    denominator *= 2n;
  }
  return [BigInt(magnitude), denominator];
}

function divideToEven(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = 2n * (numerator - quotient * denominator);
  const up = twice > denominator ||
    (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}
