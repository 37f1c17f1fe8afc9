/**
 * Matrix products. Each element of a result is one chain of multiply-adds in the order of the inner
 * index, whatever tile it falls into; so a row's result does not depend on how many rows there are.
 */
import { madd, zero4 } from "./math";

/** Floats of A that stay in the first-level cache while every panel of B passes over them. */
const CACHED_FLOATS: i32 = 8192;

/**
 * C[m,n] = A[m,k]·B[k,n], or C += with `add`. B is in panels of 8 columns, `[n/8][k][8]`.
 * `lda` and `ldc` are bytes from row to row; `n` is a multiple of 8.
 */
export function gemm(
  a: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  m: i32,
  k: i32,
  n: i32,
  add: bool,
): void {
  const block = max(6, CACHED_FLOATS / k / 6 * 6);
  const panel = <usize> k << 5;
  for (let i0 = 0; i0 < m; i0 += block) {
    const rows = min(block, m - i0);
    const aBlock = a + <usize> i0 * lda;
    let cBlock = c + <usize> i0 * ldc;
    let p = b;
    for (let j = 0; j < n; j += 8) {
      let i = 0;
      let ai = aBlock;
      let ci = cBlock;
      for (; i + 6 <= rows; i += 6) {
        tile6(ai, lda, p, ci, ldc, k, add);
        ai += lda * 6;
        ci += ldc * 6;
      }
      if (i + 4 <= rows) {
        tile4(ai, lda, p, ci, ldc, k, add);
        ai += lda * 4;
        ci += ldc * 4;
        i += 4;
      }
      if (i + 2 <= rows) {
        tile2(ai, lda, p, ci, ldc, k, add);
        ai += lda * 2;
        ci += ldc * 2;
        i += 2;
      }
      if (i < rows) tile1(ai, p, ci, k, add);
      p += panel;
      cBlock += 32;
    }
  }
}

// @ts-ignore: decorator
@inline
function put(c: usize, x: v128, y: v128, add: bool): void {
  if (add) {
    x = f32x4.add(v128.load(c), x);
    y = f32x4.add(v128.load(c, 16), y);
  }
  v128.store(c, x);
  v128.store(c, y, 16);
}

function tile6(
  a0: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  k: i32,
  add: bool,
): void {
  let a1 = a0 + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  let a4 = a3 + lda;
  let a5 = a4 + lda;
  let x0 = zero4(), y0 = x0, x1 = x0, y1 = x0, x2 = x0, y2 = x0;
  let x3 = x0, y3 = x0, x4 = x0, y4 = x0, x5 = x0, y5 = x0;
  const end = a0 + (<usize> k << 2);
  // Not unrolled: the compiler then keeps all twelve sums in registers, and that is 40% faster.
  while (a0 < end) {
    const p = v128.load(b);
    const q = v128.load(b, 16);
    let s = v128.load32_splat(a0);
    x0 = madd(s, p, x0);
    y0 = madd(s, q, y0);
    s = v128.load32_splat(a1);
    x1 = madd(s, p, x1);
    y1 = madd(s, q, y1);
    s = v128.load32_splat(a2);
    x2 = madd(s, p, x2);
    y2 = madd(s, q, y2);
    s = v128.load32_splat(a3);
    x3 = madd(s, p, x3);
    y3 = madd(s, q, y3);
    s = v128.load32_splat(a4);
    x4 = madd(s, p, x4);
    y4 = madd(s, q, y4);
    s = v128.load32_splat(a5);
    x5 = madd(s, p, x5);
    y5 = madd(s, q, y5);
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    a4 += 4;
    a5 += 4;
    b += 32;
  }
  put(c, x0, y0, add);
  put(c + ldc, x1, y1, add);
  put(c + ldc * 2, x2, y2, add);
  put(c + ldc * 3, x3, y3, add);
  put(c + ldc * 4, x4, y4, add);
  put(c + ldc * 5, x5, y5, add);
}

function tile4(
  a0: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  k: i32,
  add: bool,
): void {
  let a1 = a0 + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  let x0 = zero4(), y0 = x0, x1 = x0, y1 = x0;
  let x2 = x0, y2 = x0, x3 = x0, y3 = x0;
  const end = a0 + (<usize> k << 2);
  while (a0 < end) {
    const p = v128.load(b);
    const q = v128.load(b, 16);
    let s = v128.load32_splat(a0);
    x0 = madd(s, p, x0);
    y0 = madd(s, q, y0);
    s = v128.load32_splat(a1);
    x1 = madd(s, p, x1);
    y1 = madd(s, q, y1);
    s = v128.load32_splat(a2);
    x2 = madd(s, p, x2);
    y2 = madd(s, q, y2);
    s = v128.load32_splat(a3);
    x3 = madd(s, p, x3);
    y3 = madd(s, q, y3);
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    b += 32;
  }
  put(c, x0, y0, add);
  put(c + ldc, x1, y1, add);
  put(c + ldc * 2, x2, y2, add);
  put(c + ldc * 3, x3, y3, add);
}

function tile2(
  a0: usize,
  lda: usize,
  b: usize,
  c: usize,
  ldc: usize,
  k: i32,
  add: bool,
): void {
  let a1 = a0 + lda;
  let x0 = zero4(), y0 = x0, x1 = x0, y1 = x0;
  const end = a0 + (<usize> k << 2);
  while (a0 < end) {
    const p = v128.load(b);
    const q = v128.load(b, 16);
    let s = v128.load32_splat(a0);
    x0 = madd(s, p, x0);
    y0 = madd(s, q, y0);
    s = v128.load32_splat(a1);
    x1 = madd(s, p, x1);
    y1 = madd(s, q, y1);
    a0 += 4;
    a1 += 4;
    b += 32;
  }
  put(c, x0, y0, add);
  put(c + ldc, x1, y1, add);
}

function tile1(a: usize, b: usize, c: usize, k: i32, add: bool): void {
  let x = zero4(), y = x;
  const end = a + (<usize> k << 2);
  while (a < end) {
    const s = v128.load32_splat(a);
    x = madd(s, v128.load(b), x);
    y = madd(s, v128.load(b, 16), y);
    a += 4;
    b += 32;
  }
  put(c, x, y, add);
}

/** Rows of A and B that are summed before the result's tile is stored and the next is begun. */
const SUM_ROWS: i32 = 96;

/**
 * C[k,n] += A[m,k]ᵀ·B[m,n], all row-major; the gradient of a weight. `k` is a multiple of 4, `n` of 8.
 */
export function gemmTransposed(
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  m: i32,
  k: i32,
  n: i32,
): void {
  for (let m0 = 0; m0 < m; m0 += SUM_ROWS) {
    const rows = min(SUM_ROWS, m - m0);
    const aBlock = a + <usize> m0 * lda;
    const bBlock = b + <usize> m0 * ldb;
    for (let j: usize = 0; j < <usize> n << 2; j += 32) {
      let ci = c + j;
      for (let i: usize = 0; i < <usize> k << 2; i += 16) {
        tileTransposed(aBlock + i, lda, bBlock + j, ldb, ci, ldc, rows);
        ci += ldc << 2;
      }
    }
  }
}

function tileTransposed(
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  m: i32,
): void {
  const c1 = c + ldc;
  const c2 = c1 + ldc;
  const c3 = c2 + ldc;
  let x0 = v128.load(c), y0 = v128.load(c, 16);
  let x1 = v128.load(c1), y1 = v128.load(c1, 16);
  let x2 = v128.load(c2), y2 = v128.load(c2, 16);
  let x3 = v128.load(c3), y3 = v128.load(c3, 16);
  const end = a + <usize> m * lda;
  while (a < end) {
    const p = v128.load(b);
    const q = v128.load(b, 16);
    let s = v128.load32_splat(a);
    x0 = madd(s, p, x0);
    y0 = madd(s, q, y0);
    s = v128.load32_splat(a, 4);
    x1 = madd(s, p, x1);
    y1 = madd(s, q, y1);
    s = v128.load32_splat(a, 8);
    x2 = madd(s, p, x2);
    y2 = madd(s, q, y2);
    s = v128.load32_splat(a, 12);
    x3 = madd(s, p, x3);
    y3 = madd(s, q, y3);
    a += lda;
    b += ldb;
  }
  v128.store(c, x0);
  v128.store(c, y0, 16);
  v128.store(c1, x1);
  v128.store(c1, y1, 16);
  v128.store(c2, x2);
  v128.store(c2, y2, 16);
  v128.store(c3, x3);
  v128.store(c3, y3, 16);
}
