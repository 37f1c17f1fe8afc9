/** Computes the gradient of attention in tiles of 32 × 32. */
import { keysAt, putColumns, stream } from "./attention";
import { gemmTransposed } from "./gemm_transposed";
import { multiply } from "./gemm";
import { dot, exp4 } from "./math";
import { blockOf, Model, PAGE, Segment } from "./model";

/**
 * Backpropagates through {@linkcode attend} for a segment that begins its sequence, and adds the gradient to `dqkv`,
 * which the caller must have set to zero. Recomputes the probabilities from `lse` in tiles of 32 × 32, so memory does
 * not grow with T². Overwrites the segment's blocks with its keys and values as columns.
 */
export function attendBack(
  model: Model,
  segment: Segment,
  qkv: usize,
  dqkv: usize,
  qkvStride: usize,
  out: usize,
  dOut: usize,
  outStride: usize,
  lse: usize,
  tiles: usize,
): void {
  const dim = <usize> model.dim << 2;
  for (let h = 0; h < model.heads; h++) {
    const head = <usize> (h * model.headDim) << 2;
    const keys = keysAt(0, h);
    const width = model.headDim;
    putColumns(segment, qkv + dim + head, qkvStride, keys, width);
    putColumns(
      segment,
      qkv + dim * 2 + head,
      qkvStride,
      keys + stream,
      width,
    );
    const qRow = <usize> segment.row * qkvStride + head;
    const oRow = <usize> segment.row * outStride + head;
    for (let q0 = 0; q0 < segment.count; q0 += PAGE) {
      attendBlockBack(
        model,
        segment,
        q0,
        keys,
        qkv + qRow,
        dqkv + qRow,
        qkvStride,
        out + oRow,
        dOut + oRow,
        outStride,
        lse + (<usize> (segment.row * model.heads + h) << 2),
        tiles,
      );
    }
  }
}

/** The working memory of {@linkcode attendBack} in bytes: two tiles and a column. */
export const TILE_BYTES: usize = 4096 * 2 + 128;

function attendBlockBack(
  model: Model,
  segment: Segment,
  q0: i32,
  keys: usize,
  q: usize,
  dq: usize,
  stride: usize,
  out: usize,
  dOut: usize,
  outStride: usize,
  lse: usize,
  tiles: usize,
): void {
  const headDim = model.headDim;
  const dim = <usize> model.dim << 2;
  const count = min(PAGE, segment.count - q0);
  const dTile = tiles + 4096;
  const pulls = tiles + 8192;
  const qi = q + <usize> q0 * stride;
  const doi = dOut + <usize> q0 * outStride;
  for (let i = 0; i < count; i++) {
    const row = <usize> (q0 + i) * outStride;
    store<f32>(pulls + (<usize> i << 2), dot(out + row, dOut + row, headDim));
  }
  for (let p = 0; p <= q0; p += PAGE) {
    const block = blockOf(segment.table, p) + keys;
    multiply(
      qi,
      stride,
      block,
      128,
      32,
      tiles,
      128,
      count,
      headDim,
      PAGE,
      false,
    );
    multiply(
      doi,
      outStride,
      block + stream,
      128,
      32,
      dTile,
      128,
      count,
      headDim,
      PAGE,
      false,
    );
    for (let i = 0; i < count; i++) {
      const tile = tiles + (<usize> i << 7);
      const dRow = dTile + (<usize> i << 7);
      const shift = v128.load32_splat(
        lse + (<usize> ((q0 + i) * model.heads) << 2),
      );
      const pull = v128.load32_splat(pulls + (<usize> i << 2));
      for (let o: usize = 0; o < 128; o += 16) {
        const x = exp4(f32x4.sub(v128.load(tile + o), shift));
        v128.store(tile + o, x);
        v128.store(dRow + o, f32x4.mul(x, f32x4.sub(v128.load(dRow + o), pull)));
      }
      if (p == q0) {
        const rest = <usize> (PAGE - 1 - i) << 2;
        memory.fill(tile + 128 - rest, 0, rest);
        memory.fill(dRow + 128 - rest, 0, rest);
      }
    }
    multiply(
      dTile,
      128,
      q + dim + <usize> p * stride,
      stride,
      32,
      dq + <usize> q0 * stride,
      stride,
      count,
      p == q0 ? count : PAGE,
      headDim,
      true,
    );
    const columns = p == q0 ? (count + 1) & ~1 : PAGE;
    const dk = dq + dim + <usize> p * stride;
    gemmTransposed(
      dTile,
      128,
      qi,
      stride,
      dk,
      stride,
      count,
      columns,
      headDim,
    );
    gemmTransposed(
      tiles,
      128,
      doi,
      outStride,
      dk + dim,
      stride,
      count,
      columns,
      headDim,
    );
  }
}
