/** Causal depthwise convolution of width 3: c[t] = w0·h[t-2] + w1·h[t-1] + w2·h[t]. `w` is `[3][dim]`. */
import { copyFloats, madd, zero4 } from "./math";
import { Model, PAGE, pageOf, Segment } from "./model";

/** Convolves a segment's rows of `h` into `c`. */
export function convolve(
  model: Model,
  segment: Segment,
  layer: i32,
  h: usize,
  c: usize,
  stride: usize,
  w: usize,
): void {
  const bytes = <usize> model.dim << 2;
  const first = h + <usize> segment.row * stride;
  const state: usize = segment.state == 0
    ? 0
    : segment.state + <usize> layer * bytes * 2;
  let before2 = state == 0 ? model.zeros : state;
  let before1 = state == 0 ? model.zeros : state + bytes;
  let here = first;
  let out = c + <usize> segment.row * stride;
  for (let t = 0; t < segment.count; t++) {
    for (let o: usize = 0; o < bytes; o += 16) {
      let v = f32x4.mul(v128.load(w + o), v128.load(before2 + o));
      v = madd(v128.load(w + bytes + o), v128.load(before1 + o), v);
      v = madd(v128.load(w + bytes * 2 + o), v128.load(here + o), v);
      v128.store(out + o, v);
    }
    before2 = before1;
    before1 = here;
    here += stride;
    out += stride;
  }
  if (state != 0) keepTails(model, segment, layer, first, stride, state);
}

/**
 * Saves the last two rows of a segment, which the next segment needs. Also saves the last two rows of each page, so
 * that a session can be truncated at the end of a page.
 */
function keepTails(
  model: Model,
  segment: Segment,
  layer: i32,
  h: usize,
  stride: usize,
  state: usize,
): void {
  const dim = model.dim;
  const bytes = <usize> dim << 2;
  for (let t = 0; t < segment.count; t++) {
    const position = segment.position + t;
    const slot = position & (PAGE - 1);
    if (slot < PAGE - 2) continue;
    const tails = pageOf(segment.table, position) + model.pageTails +
      <usize> layer * bytes * 2;
    copyFloats(
      tails + <usize> (slot - PAGE + 2) * bytes,
      h + <usize> t * stride,
      dim,
    );
  }
  const last = h + <usize> (segment.count - 1) * stride;
  if (segment.count > 1) copyFloats(state, last - stride, dim);
  else copyFloats(state, state + bytes, dim);
  copyFloats(state + bytes, last, dim);
}

/**
 * Backpropagates through {@linkcode convolve} for a segment that begins its sequence. Writes the gradient of `h` to
 * `dh`, and adds the gradient of `w` to `dw`.
 */
export function convolveBack(
  segment: Segment,
  h: usize,
  dc: usize,
  dh: usize,
  stride: usize,
  w: usize,
  dw: usize,
  dim: i32,
): void {
  const bytes = <usize> dim << 2;
  const count = segment.count;
  const start = <usize> segment.row * stride;
  for (let o: usize = 0; o < bytes; o += 16) {
    const w0 = v128.load(w + o);
    const w1 = v128.load(w + bytes + o);
    const w2 = v128.load(w + bytes * 2 + o);
    let s0 = v128.load(dw + o);
    let s1 = v128.load(dw + bytes + o);
    let s2 = v128.load(dw + bytes * 2 + o);
    let at = start + o + <usize> (count - 1) * stride;
    let after1 = zero4();
    let after2 = zero4();
    for (let t = count - 1; t >= 0; t--) {
      const d = v128.load(dc + at);
      const x = v128.load(h + at);
      s2 = madd(d, x, s2);
      s1 = madd(after1, x, s1);
      s0 = madd(after2, x, s0);
      v128.store(dh + at, madd(w0, after2, madd(w1, after1, f32x4.mul(w2, d))));
      after2 = after1;
      after1 = d;
      at -= stride;
    }
    v128.store(dw + o, s0);
    v128.store(dw + bytes + o, s1);
    v128.store(dw + bytes * 2 + o, s2);
  }
}
