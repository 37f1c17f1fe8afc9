/** RMSNorm, forward and backward. */
import { madd, sum4, zero4 } from "./math";

const EPSILON: f32 = 1e-6;

/** Computes y = x·rms(x)⁻¹·gain for each row. `inverse[rows]` receives rms(x)⁻¹. */
export function normalize(
  x: usize,
  y: usize,
  stride: usize,
  gain: usize,
  inverse: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize> n << 2;
  for (let i = 0; i < rows; i++) {
    let sum = zero4();
    for (let o: usize = 0; o < bytes; o += 16) {
      const v = v128.load(x + o);
      sum = madd(v, v, sum);
    }
    const r: f32 = 1 / sqrt<f32>(sum4(sum) / <f32> n + EPSILON);
    store<f32>(inverse, r);
    const scale = f32x4.splat(r);
    for (let o: usize = 0; o < bytes; o += 16) {
      v128.store(
        y + o,
        f32x4.mul(f32x4.mul(v128.load(x + o), scale), v128.load(gain + o)),
      );
    }
    x += stride;
    y += stride;
    inverse += 4;
  }
}

/** Backpropagates through {@linkcode normalize}: adds the gradients of `x` and `gain` to `dx` and `dgain`. */
export function normalizeBack(
  x: usize,
  dy: usize,
  dx: usize,
  stride: usize,
  gain: usize,
  dgain: usize,
  inverse: usize,
  rows: i32,
  n: i32,
): void {
  const bytes = <usize> n << 2;
  for (let i = 0; i < rows; i++) {
    const r = load<f32>(inverse);
    const scale = f32x4.splat(r);
    let sum = zero4();
    for (let o: usize = 0; o < bytes; o += 16) {
      const xd = f32x4.mul(v128.load(x + o), v128.load(dy + o));
      sum = madd(xd, v128.load(gain + o), sum);
      v128.store(dgain + o, madd(xd, scale, v128.load(dgain + o)));
    }
    const pull = f32x4.splat(-sum4(sum) * r * r * r / <f32> n);
    for (let o: usize = 0; o < bytes; o += 16) {
      const direct = f32x4.mul(
        f32x4.mul(v128.load(dy + o), v128.load(gain + o)),
        scale,
      );
      const d = f32x4.add(v128.load(dx + o), direct);
      v128.store(dx + o, madd(pull, v128.load(x + o), d));
    }
    x += stride;
    dy += stride;
    dx += stride;
    inverse += 4;
  }
}
