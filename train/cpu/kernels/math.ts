/** Vector arithmetic that every kernel shares. Lanes are f32. */

/** a·b + c: fused where the machine has relaxed SIMD, rounded twice in the plain build. */
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

/** The sum of four lanes, always in the same order. */
// @ts-ignore: decorator
@inline
export function sum4(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** e^x to about 1e-7, for x clamped to ±87. Cephes `expf`. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-87)), f32x4.splat(87));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = madd(n, f32x4.splat(-0.693359375), x);
  r = madd(n, f32x4.splat(2.12194440e-4), r);
  let p = madd(f32x4.splat(1.9875691500e-4), r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  const y = f32x4.add(madd(p, f32x4.mul(r, r), r), f32x4.splat(1));
  const exponent = i32x4.shl(
    i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)),
    23,
  );
  return f32x4.mul(y, exponent);
}

/** Natural log of positive numbers to about 1e-7; of 0 about -88, so that 0·log 0 is 0. Cephes `logf`. */
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
  const low = f32x4.lt(m, f32x4.splat(0.707106781186547524));
  e = f32x4.sub(e, v128.and(f32x4.splat(1), low));
  m = f32x4.sub(f32x4.add(m, v128.and(m, low)), f32x4.splat(1));
  const z = f32x4.mul(m, m);
  let p = madd(f32x4.splat(7.0376836292e-2), m, f32x4.splat(-1.1514610310e-1));
  p = madd(p, m, f32x4.splat(1.1676998740e-1));
  p = madd(p, m, f32x4.splat(-1.2420140846e-1));
  p = madd(p, m, f32x4.splat(1.4249322787e-1));
  p = madd(p, m, f32x4.splat(-1.6668057665e-1));
  p = madd(p, m, f32x4.splat(2.0000714765e-1));
  p = madd(p, m, f32x4.splat(-2.4999993993e-1));
  p = madd(p, m, f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(e, f32x4.splat(-2.12194440e-4), y);
  y = madd(f32x4.splat(-0.5), z, y);
  return madd(e, f32x4.splat(0.693359375), f32x4.add(m, y));
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

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}

/** log(1 + e^x) without overflow. */
export function softplus(x: f32): f32 {
  return max(x, <f32> 0) + log1(1 + exp1(-abs(x)));
}

/** log(e^a + e^b) without overflow. */
export function logAddExp(a: f32, b: f32): f32 {
  return max(a, b) + log1(1 + exp1(-abs(a - b)));
}

/** The inner product of two vectors of `n` floats (a multiple of 4). */
export function dot(a: usize, b: usize, n: i32): f32 {
  let sum = zero4();
  for (let end = a + (<usize> n << 2); a < end; a += 16, b += 16) {
    sum = madd(v128.load(a), v128.load(b), sum);
  }
  return sum4(sum);
}

/** y += s·x over `n` floats (a multiple of 4). */
export function axpy(s: f32, x: usize, y: usize, n: i32): void {
  const scale = f32x4.splat(s);
  for (let end = x + (<usize> n << 2); x < end; x += 16, y += 16) {
    v128.store(y, madd(scale, v128.load(x), v128.load(y)));
  }
}

// @ts-ignore: decorator
@inline
export function copyFloats(to: usize, from: usize, n: i32): void {
  memory.copy(to, from, <usize> n << 2);
}
