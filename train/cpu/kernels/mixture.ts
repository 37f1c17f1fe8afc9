/**
 * Computes the output distribution: p = (1 - g)·softmax(logits) + g·c, where c is the pointer's attention mass on the
 * positions that are followed by the given token (See et al. 2017, in self-attention form). The query at position t
 * attends to the positions before it, so nothing is copied at t = 0.
 */
import { exp1, log1, log4, logAddExp, madd, softplus, sum4, zero4 } from "./math";
import { Model, PAGE, pageOf } from "./model";
import { scoreRow, softmax, softmaxSum } from "./attention";

/** Computes the scores of a pointer query at position `t` over the positions before it. */
export function pointerScores(
  model: Model,
  table: usize,
  query: usize,
  t: i32,
  scores: usize,
): void {
  for (let p = 0; p < t; p += PAGE) {
    scoreRow(
      query,
      pageOf(table, p) + model.pagePointer,
      scores + (<usize> p << 2),
      model.pointerDim,
    );
  }
}

/** Replaces `n` scores with probabilities, and sets the following entries, up to the next multiple of 32, to 0. */
export function distribute(scores: usize, n: i32): void {
  softmax(scores, n);
  const scale = f32x4.splat(1 / softmaxSum);
  const end = scores + (<usize> n << 2);
  for (let s = scores; s < end; s += 16) {
    v128.store(s, f32x4.mul(v128.load(s), scale));
  }
}

/**
 * Returns the weight of copying, computed from the gate's input `z`; 0 at position 0, where there is nothing to copy.
 */
// @ts-ignore: decorator
@inline
export function gateOf(z: f32, t: i32): f32 {
  return t > 0 ? <f32> 1 / (1 + exp1(-z)) : 0;
}

/** Returns the id at a position, read from its page. */
// @ts-ignore: decorator
@inline
export function idAt(table: usize, position: i32): i32 {
  return load<i32>(
    pageOf(table, position) + (<usize> (position & (PAGE - 1)) << 2),
  );
}

/** Returns the attention mass on positions before `t` whose next token is `target`. */
export function copyMass(
  table: usize,
  attention: usize,
  t: i32,
  target: i32,
): f32 {
  let mass: f32 = 0;
  for (let j = 0; j < t; j++) {
    if (idAt(table, j + 1) == target) {
      mass += load<f32>(attention + (<usize> j << 2));
    }
  }
  return mass;
}

/** Writes the probabilities of the whole vocabulary to `out`. */
export function mix(
  model: Model,
  table: usize,
  vocabulary: usize,
  attention: usize,
  gate: f32,
  t: i32,
  out: usize,
): void {
  const keep = f32x4.splat(1 - gate);
  const bytes = <usize> model.vocab << 2;
  for (let o: usize = 0; o < bytes; o += 16) {
    v128.store(out + o, f32x4.mul(v128.load(vocabulary + o), keep));
  }
  for (let j = 0; j < t; j++) {
    const to = out + (<usize> idAt(table, j + 1) << 2);
    const mass = gate * load<f32>(attention + (<usize> j << 2));
    store<f32>(to, load<f32>(to) + mass);
  }
}

/**
 * Returns log p of a token, computed from its vocabulary probability, its copy mass and the gate's input `z`. The
 * products are computed as sums of logarithms, so they do not underflow.
 */
export function mixtureLogprob(
  vocabulary: f32,
  copied: f32,
  z: f32,
  t: i32,
): f32 {
  if (t == 0) return log1(vocabulary);
  const said = log1(vocabulary) - softplus(z);
  if (copied <= 0) return said;
  return logAddExp(said, log1(copied) - softplus(-z));
}

/** Returns -Σ p log p. */
export function entropyOf(p: usize, n: i32): f32 {
  let sum = zero4();
  for (let end = p + (<usize> n << 2); p < end; p += 16) {
    const x = v128.load(p);
    sum = madd(x, log4(x), sum);
  }
  return -sum4(sum);
}
