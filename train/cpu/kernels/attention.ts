/**
 * Causal attention over pages of 32 positions. Each head of each layer has two streams: one for keys and one for
 * values. A stream consists of one block per page, so a head reads contiguous memory. A block of keys is
 * `[headDim][32]`, so that multiplying a query by 32 keys needs no sums across SIMD lanes. A block of values is
 * `[32][headDim]`.
 */
import { multiply } from "./gemm";
import { exp4, log1, madd, sum4, zero4 } from "./math";
import { blockOf, Model, PAGE, pageOf, Segment } from "./model";

const MASKED: f32 = -1e30;

/** Computes out[32] = q·keys, where keys is `[n][32]`. */
export function scoreRow(q: usize, keys: usize, out: usize, n: i32): void {
  let s0 = zero4(), s1 = s0, s2 = s0, s3 = s0;
  let s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const end = q + (<usize> n << 2);
  while (q < end) {
    const x = v128.load32_splat(q);
    s0 = madd(x, v128.load(keys), s0);
    s1 = madd(x, v128.load(keys, 16), s1);
    s2 = madd(x, v128.load(keys, 32), s2);
    s3 = madd(x, v128.load(keys, 48), s3);
    s4 = madd(x, v128.load(keys, 64), s4);
    s5 = madd(x, v128.load(keys, 80), s5);
    s6 = madd(x, v128.load(keys, 96), s6);
    s7 = madd(x, v128.load(keys, 112), s7);
    q += 4;
    keys += 128;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, s4, 64);
  v128.store(out, s5, 80);
  v128.store(out, s6, 96);
  v128.store(out, s7, 112);
}

/** Computes out[dim] += Σ p[j]·rows[j] over `n` rows that are `stride` bytes apart; `dim` is a multiple of 16. */
export function mixRows(
  p: usize,
  n: i32,
  rows: usize,
  stride: usize,
  out: usize,
  dim: i32,
): void {
  const last = p + (<usize> n << 2);
  let left = dim;
  for (; left >= 32; left -= 32) {
    mix32(p, last, rows, stride, out);
    rows += 128;
    out += 128;
  }
  if (left > 0) mix16(p, last, rows, stride, out);
}

function mix32(
  p: usize,
  last: usize,
  rows: usize,
  stride: usize,
  out: usize,
): void {
  let s0 = v128.load(out), s1 = v128.load(out, 16);
  let s2 = v128.load(out, 32), s3 = v128.load(out, 48);
  let s4 = v128.load(out, 64), s5 = v128.load(out, 80);
  let s6 = v128.load(out, 96), s7 = v128.load(out, 112);
  while (p < last) {
    const x = v128.load32_splat(p);
    s0 = madd(x, v128.load(rows), s0);
    s1 = madd(x, v128.load(rows, 16), s1);
    s2 = madd(x, v128.load(rows, 32), s2);
    s3 = madd(x, v128.load(rows, 48), s3);
    s4 = madd(x, v128.load(rows, 64), s4);
    s5 = madd(x, v128.load(rows, 80), s5);
    s6 = madd(x, v128.load(rows, 96), s6);
    s7 = madd(x, v128.load(rows, 112), s7);
    p += 4;
    rows += stride;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, s4, 64);
  v128.store(out, s5, 80);
  v128.store(out, s6, 96);
  v128.store(out, s7, 112);
}

function mix16(
  p: usize,
  last: usize,
  rows: usize,
  stride: usize,
  out: usize,
): void {
  let s0 = v128.load(out), s1 = v128.load(out, 16);
  let s2 = v128.load(out, 32), s3 = v128.load(out, 48);
  while (p < last) {
    const x = v128.load32_splat(p);
    s0 = madd(x, v128.load(rows), s0);
    s1 = madd(x, v128.load(rows, 16), s1);
    s2 = madd(x, v128.load(rows, 32), s2);
    s3 = madd(x, v128.load(rows, 48), s3);
    p += 4;
    rows += stride;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
}

/** The largest score in the last call of {@linkcode softmax}. */
export let softmaxMax: f32 = 0;
/** The sum of e^(score - {@linkcode softmaxMax}) in the last call of {@linkcode softmax}. */
export let softmaxSum: f32 = 0;

/**
 * Replaces `n` scores with e^(score - max), without dividing by their sum, and sets the scores up to the next multiple
 * of 32 to 0.
 */
export function softmax(scores: usize, n: i32): void {
  const end = scores + (<usize> ((n + 31) & ~31) << 2);
  for (let s = scores + (<usize> n << 2); s < end; s += 4) {
    store<f32>(s, MASKED);
  }
  let top = v128.load(scores);
  for (let s = scores + 16; s < end; s += 16) top = f32x4.pmax(top, v128.load(s));
  const largest = max(
    max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
    max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)),
  );
  const shift = f32x4.splat(largest);
  const floor = f32x4.splat(MASKED / 2);
  let sum = zero4();
  for (let s = scores; s < end; s += 16) {
    const x = v128.load(s);
    const e = v128.and(exp4(f32x4.sub(x, shift)), f32x4.gt(x, floor));
    v128.store(s, e);
    sum = f32x4.add(sum, e);
  }
  softmaxMax = largest;
  softmaxSum = sum4(sum);
}

/**
 * Returns the size in bytes of a row with one score per position, rounded up to whole pages, plus a cache line for the
 * row's sum.
 */
// @ts-ignore: decorator
@inline
export function scoreBytes(positions: i32): usize {
  return (<usize> ((positions + PAGE - 1) >> 5) << 7) + 64;
}

/** Writes a row of `n` floats as column `slot` of a block, `[n][32]`. */
// @ts-ignore: decorator
@inline
function putColumn(row: usize, page: usize, slot: i32, n: i32): void {
  let to = page + (<usize> slot << 2);
  const end = row + (<usize> n << 2);
  while (row < end) {
    const v = v128.load(row);
    store<f32>(to, f32x4.extract_lane(v, 0));
    store<f32>(to, f32x4.extract_lane(v, 1), 128);
    store<f32>(to, f32x4.extract_lane(v, 2), 256);
    store<f32>(to, f32x4.extract_lane(v, 3), 384);
    row += 16;
    to += 512;
  }
}

/** Writes a segment's pointer keys, `[count][pointerDim]`, as columns of its pages. */
export function keepPointerKeys(
  model: Model,
  segment: Segment,
  rows: usize,
  stride: usize,
): void {
  let row = rows + <usize> segment.row * stride;
  for (let t = 0; t < segment.count; t++) {
    const position = segment.position + t;
    const page = pageOf(segment.table, position) + model.pagePointer;
    putColumn(row, page, position & (PAGE - 1), model.pointerDim);
    row += stride;
  }
}

/**
 * Writes a segment's rows, `[count][n]`, as columns of its blocks in one stream, which begins `offset` bytes after the
 * first stream.
 */
export function putColumns(
  segment: Segment,
  rows: usize,
  stride: usize,
  offset: usize,
  n: i32,
): void {
  let row = rows + <usize> segment.row * stride;
  for (let t = 0; t < segment.count; t++) {
    const position = segment.position + t;
    const block = blockOf(segment.table, position) + offset;
    putColumn(row, block, position & (PAGE - 1), n);
    row += stride;
  }
}

/** Returns the size of a block in bytes. */
// @ts-ignore: decorator
@inline
export function blockBytes(model: Model): usize {
  return <usize> model.headDim << 7;
}

/** The number of bytes from one stream to the next. */
export let stream: usize = 0;
/** The number of bytes from the first stream of a layer to the first stream of the next layer. */
let layerStreams: usize = 0;

/**
 * Sets the distances between streams; each stream has `bytes` bytes. If `share` is true, as in training, the layers use
 * the same streams one after the other.
 */
export function openStreams(model: Model, bytes: usize, share: bool): void {
  stream = bytes;
  layerStreams = share ? 0 : bytes * 2 * <usize> model.heads;
}

/** Returns the number of bytes from the first stream to a head's keys. The head's values are in the next stream. */
// @ts-ignore: decorator
@inline
export function keysAt(layer: i32, head: i32): usize {
  return <usize> layer * layerStreams + <usize> head * stream * 2;
}

/** Writes a segment's keys and values, taken from rows of `qkv`, into its blocks. */
export function keepKeysAndValues(
  model: Model,
  segment: Segment,
  layer: i32,
  qkv: usize,
  stride: usize,
): void {
  const dim = <usize> model.dim << 2;
  const width = <usize> model.headDim << 2;
  for (let h = 0; h < model.heads; h++) {
    const at = keysAt(layer, h);
    const values = at + stream;
    putColumns(
      segment,
      qkv + dim + <usize> h * width,
      stride,
      at,
      model.headDim,
    );
    let row = qkv + dim * 2 + <usize> h * width +
      <usize> segment.row * stride;
    for (let t = 0; t < segment.count; t++) {
      const position = segment.position + t;
      const slot = <usize> (position & (PAGE - 1));
      memory.copy(
        blockOf(segment.table, position) + values + slot * width,
        row,
        width,
      );
      row += stride;
    }
  }
}

/**
 * Computes causal attention for a segment's rows, whose keys and values must already be in its blocks. Writes the
 * result, `[count][dim]`, to the segment's rows of `out`, and log Σ e^score to `lse`, `[row][heads]`, unless `lse` is
 * 0.
 */
export function attend(
  model: Model,
  segment: Segment,
  layer: i32,
  qkv: usize,
  qkvStride: usize,
  out: usize,
  outStride: usize,
  lse: usize,
  scores: usize,
): void {
  for (let h = 0; h < model.heads; h++) {
    for (let q0 = 0; q0 < segment.count; q0 += PAGE) {
      const rows = min(PAGE, segment.count - q0);
      const row = segment.row + q0;
      const head = <usize> (h * model.headDim) << 2;
      attendBlock(
        model,
        segment.table,
        segment.position + q0,
        rows,
        keysAt(layer, h),
        qkv + <usize> row * qkvStride + head,
        qkvStride,
        out + <usize> row * outStride + head,
        outStride,
        lse == 0 ? 0 : lse + (<usize> (row * model.heads + h) << 2),
        scores,
      );
    }
  }
}

/** Computes the attention of one head for up to 32 queries, starting at `position`. */
function attendBlock(
  model: Model,
  table: usize,
  position: i32,
  rows: i32,
  keys: usize,
  q: usize,
  qStride: usize,
  out: usize,
  outStride: usize,
  lse: usize,
  scores: usize,
): void {
  const headDim = model.headDim;
  const stride = scoreBytes(position + rows);
  const values = keys + stream;
  const end = position + rows;
  for (let p = 0; p < end; p += PAGE) {
    const block = blockOf(table, p) + keys;
    const first = <usize> max(0, p - position);
    const to = scores + first * stride + (<usize> p << 2);
    if (rows == 1) scoreRow(q, block, to, headDim);
    else {
      multiply(
        q + first * qStride,
        qStride,
        block,
        128,
        32,
        to,
        stride,
        rows - <i32> first,
        headDim,
        PAGE,
        false,
      );
    }
  }
  for (let i = 0; i < rows; i++) {
    const s = scores + <usize> i * stride;
    softmax(s, position + i + 1);
    // The row's sum is stored in the padding behind its scores.
    store<f32>(s + stride - 64, softmaxSum);
    if (lse != 0) {
      store<f32>(
        lse + (<usize> (i * model.heads) << 2),
        softmaxMax + log1(softmaxSum),
      );
    }
    memory.fill(out + <usize> i * outStride, 0, <usize> headDim << 2);
  }
  const width = <usize> headDim << 2;
  for (let p = 0; p < end; p += PAGE) {
    const block = blockOf(table, p) + values;
    const first = <usize> max(0, p - position);
    const from = scores + first * stride + (<usize> p << 2);
    // Scores beyond a row's own position are 0; beyond the last row's position there may be no values.
    const count = min(PAGE, end - p);
    if (rows == 1) mixRows(from, count, block, width, out, headDim);
    else {
      multiply(
        from,
        stride,
        block,
        width,
        32,
        out + first * outStride,
        outStride,
        rows - <i32> first,
        count,
        headDim,
        true,
      );
    }
  }
  for (let i = 0; i < rows; i++) {
    const sum = load<f32>(scores + <usize> i * stride + stride - 64);
    const scale = f32x4.splat(1 / sum);
    const to = out + <usize> i * outStride;
    for (let o: usize = 0; o < width; o += 16) {
      v128.store(to + o, f32x4.mul(v128.load(to + o), scale));
    }
  }
}
