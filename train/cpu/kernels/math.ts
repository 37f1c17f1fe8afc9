/** Vector arithmetic that every kernel shares. Lanes are f32. */

/** Returns a·b + c: fused in the relaxed build if the machine supports it, rounded twice in the plain build. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function zero4(): v128 {
  return f32x4.splat(0);
}

/** Returns the sum of four lanes, which are always added in the same order. */
// @ts-ignore: decorator
@inline
export function sum4(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/**
 * The constants of the polynomials. They are read from memory because a load is faster than the several instructions
 * that the compiler emits for a literal.
 */
const C: usize = memory.data<f32>([
  -86,
  87,
  1.44269504088896341,
  12582912,
  -0.693359375,
  2.12194440e-4,
  1.9875691500e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
  1,
  0.707106781186547524,
  7.0376836292e-2,
  -1.1514610310e-1,
  1.1676998740e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
  -2.12194440e-4,
  -0.5,
  0.693359375,
]);

// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load32_splat(C + (index << 2));
}

/**
 * Returns e^x to about 1e-7, for x clamped to [-86, 87]; NaN stays NaN. Uses the algorithm of `expf` in Cephes. Adding
 * 1.5·2^23 leaves the rounded exponent in the low bits.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, constant(0)), constant(1));
  const shifted = madd(x, constant(2), constant(3));
  const n = f32x4.sub(shifted, constant(3));
  let r = madd(n, constant(4), x);
  r = madd(n, constant(5), r);
  let p = madd(constant(6), r, constant(7));
  p = madd(p, r, constant(8));
  p = madd(p, r, constant(9));
  p = madd(p, r, constant(10));
  p = madd(p, r, constant(11));
  const y = f32x4.add(madd(p, f32x4.mul(r, r), r), constant(12));
  return i32x4.add(y, i32x4.shl(shifted, 23));
}

/**
 * Returns the natural logarithm of a positive number to about 1e-7, and about -88 for 0, so that 0·log 0 is 0. Uses the
 * algorithm of `logf` in Cephes.
 */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  let e = f32x4.convert_i32x4_s(
    i32x4.sub(i32x4.shr_u(x, 23), i32x4.splat(126)),
  );
  let m = v128.or(
    v128.and(x, i32x4.splat(0x007fffff)),
    i32x4.splat(0x3f000000),
  );
  const low = f32x4.lt(m, constant(13));
  e = f32x4.sub(e, v128.and(constant(12), low));
  m = f32x4.sub(f32x4.add(m, v128.and(m, low)), constant(12));
  const z = f32x4.mul(m, m);
  let p = madd(constant(14), m, constant(15));
  p = madd(p, m, constant(16));
  p = madd(p, m, constant(17));
  p = madd(p, m, constant(18));
  p = madd(p, m, constant(19));
  p = madd(p, m, constant(20));
  p = madd(p, m, constant(21));
  p = madd(p, m, constant(22));
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(e, constant(23), y);
  y = madd(constant(24), z, y);
  return madd(e, constant(25), f32x4.add(m, y));
}

// @ts-ignore: decorator
@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

// @ts-ignore: decorator
@inline
export function log1(x: f32): f32 {
  return f32x4.extract_lane(log4(f32x4.splat(x)), 0);
}

/** Returns 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = constant(12);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** Returns log(1 + e^x) without overflow. */
export function softplus(x: f32): f32 {
  return max(x, <f32> 0) + log1(1 + exp1(-abs(x)));
}

/** Returns log(e^a + e^b) without overflow. */
export function logAddExp(a: f32, b: f32): f32 {
  return max(a, b) + log1(1 + exp1(-abs(a - b)));
}

/** Returns the inner product of two vectors of `n` floats (a multiple of 4). */
export function dot(a: usize, b: usize, n: i32): f32 {
  let sum = zero4();
  for (let end = a + (<usize> n << 2); a < end; a += 16, b += 16) {
    sum = madd(v128.load(a), v128.load(b), sum);
  }
  return sum4(sum);
}

/** Computes y += s·x over `n` floats (a multiple of 4). */
export function axpy(s: f32, x: usize, y: usize, n: i32): void {
  const scale = f32x4.splat(s);
  for (let end = x + (<usize> n << 2); x < end; x += 16, y += 16) {
    v128.store(y, madd(scale, v128.load(x), v128.load(y)));
  }
}

/** Computes out = a + b for rows of `n` floats (a multiple of 4). */
export function addRows(
  a: usize,
  b: usize,
  out: usize,
  stride: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize> n << 2;
  for (let i = 0; i < rows; i++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(out + o, f32x4.add(v128.load(a + o), v128.load(b + o)));
    }
    a += stride;
    b += stride;
    out += stride;
  }
}

// @ts-ignore: decorator
@inline
export function copyFloats(to: usize, from: usize, n: i32): void {
  memory.copy(to, from, <usize> n << 2);
}
