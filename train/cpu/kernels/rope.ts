/**
 * Rotary position embeddings of queries and keys; channel i of a head is rotated together with channel i + headDim/2.
 */
import { Model, Segment } from "./model";

/** Rotates a segment's queries and keys in place, and scales the queries by headDim^-½. */
export function rotate(
  model: Model,
  segment: Segment,
  qkv: usize,
  stride: usize,
): void {
  const half = <usize> model.headDim << 1;
  let row = qkv + <usize> segment.row * stride;
  for (let t = 0; t < segment.count; t++) {
    const at = <usize> (segment.position + t) * half;
    turnRow(model, row, model.ropeCos + at, model.ropeSin + at, false);
    row += stride;
  }
}

/** Backpropagates through {@linkcode rotate} in place. */
export function rotateBack(
  model: Model,
  segment: Segment,
  dqkv: usize,
  stride: usize,
): void {
  const half = <usize> model.headDim << 1;
  let row = dqkv + <usize> segment.row * stride;
  for (let t = 0; t < segment.count; t++) {
    const at = <usize> (segment.position + t) * half;
    turnRow(model, row, model.ropeCos + at, model.ropeSin + at, true);
    row += stride;
  }
}

function turnRow(
  model: Model,
  row: usize,
  cos: usize,
  sin: usize,
  back: bool,
): void {
  const half = <usize> model.headDim << 1;
  const queries = row + (<usize> model.dim << 2);
  const end = queries + (<usize> model.dim << 2);
  const scale = f32x4.splat(1 / sqrt<f32>(<f32> model.headDim));
  for (let head = row; head < end; head += half * 2) {
    const s = head < queries ? scale : f32x4.splat(1);
    for (let o: usize = 0; o < half; o += 16) {
      const a = v128.load(head + o);
      const b = v128.load(head + half + o);
      const c = f32x4.mul(v128.load(cos + o), s);
      let d = f32x4.mul(v128.load(sin + o), s);
      if (back) d = f32x4.neg(d);
      v128.store(head + o, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, d)));
      v128.store(head + half + o, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, d)));
    }
  }
}
