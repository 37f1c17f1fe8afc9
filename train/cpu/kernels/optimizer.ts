/** Reduces the workers' gradients, and applies AdamW (Loshchilov and Hutter 2019). */
import { madd } from "./math";

/** A part of an optimizer step: the floats in `[start, end)` of the parameters, gradients and moments. */
// @ts-ignore: decorator
@unmanaged
class OptimizerJob {
  start: i32;
  end: i32;
  weights: usize;
  /** The addresses of the gradients, one per worker; the first receives their sum. */
  gradients: usize;
  gradientCount: i32;
  /** The address of the first moments. */
  first: usize;
  /** The address of the second moments. */
  second: usize;
  /** The address to which the sum of squares of the part's gradient (f64) is written. */
  squares: usize;
  /** The index of the first float to which weight decay does not apply. */
  decayEnd: i32;
  gradientScale: f32;
  learningRate: f32;
  beta1: f32;
  beta2: f32;
  epsilon: f32;
  weightDecay: f32;
  /** 1 / (1 - beta1^step). */
  correction1: f32;
  /** 1 / (1 - beta2^step). */
  correction2: f32;
}

/**
 * Sums the workers' gradients in order into the first, sets the others to zero, and computes the sum of squares of the
 * result.
 */
export function reduce(address: usize): void {
  const job = changetype<OptimizerJob>(address);
  const total = load<usize>(job.gradients);
  let squares: f64 = 0;
  for (let i = job.start; i < job.end; i += 4) {
    const at = <usize> i << 2;
    let sum = v128.load(total + at);
    for (let g = 1; g < job.gradientCount; g++) {
      const other = load<usize>(job.gradients + (<usize> g << 2)) + at;
      sum = f32x4.add(sum, v128.load(other));
      v128.store(other, f32x4.splat(0));
    }
    v128.store(total + at, sum);
    const square = f32x4.mul(sum, sum);
    squares += <f64> f32x4.extract_lane(square, 0) +
      <f64> f32x4.extract_lane(square, 1) +
      <f64> f32x4.extract_lane(square, 2) +
      <f64> f32x4.extract_lane(square, 3);
  }
  store<f64>(job.squares, squares);
}

/** Performs the AdamW step for a job's part of the parameters, and sets that part of the gradient to zero. */
export function adamw(address: usize): void {
  const job = changetype<OptimizerJob>(address);
  const gradient = load<usize>(job.gradients);
  const scale = f32x4.splat(job.gradientScale);
  const b1 = f32x4.splat(job.beta1);
  const b2 = f32x4.splat(job.beta2);
  const n1 = f32x4.splat(1 - job.beta1);
  const n2 = f32x4.splat(1 - job.beta2);
  const c1 = f32x4.splat(job.correction1 * job.learningRate);
  const c2 = f32x4.splat(job.correction2);
  const epsilon = f32x4.splat(job.epsilon);
  for (let i = job.start; i < job.end; i += 4) {
    const at = <usize> i << 2;
    const g = f32x4.mul(v128.load(gradient + at), scale);
    const m = madd(b1, v128.load(job.first + at), f32x4.mul(n1, g));
    const v = madd(
      b2,
      v128.load(job.second + at),
      f32x4.mul(n2, f32x4.mul(g, g)),
    );
    v128.store(job.first + at, m);
    v128.store(job.second + at, v);
    v128.store(gradient + at, f32x4.splat(0));
    const decay: f32 = i < job.decayEnd
      ? 1 - job.learningRate * job.weightDecay
      : 1;
    const w = f32x4.mul(v128.load(job.weights + at), f32x4.splat(decay));
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(v, c2)), epsilon);
    v128.store(
      job.weights + at,
      f32x4.sub(w, f32x4.div(f32x4.mul(m, c1), root)),
    );
  }
}
