/** Computes the matrix product AᵀB, which yields the gradients of weights. */
import { madd } from "./math";

/** The number of rows of A and B to sum before a tile of the result is stored. */
const SUM_ROWS: i32 = 96;

/**
 * Computes C[k,n] += A[m,k]ᵀ·B[m,n], all row-major, as for the gradient of a weight. `k` is even, and `n` is a multiple
 * of 8.
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
  for (let i = 0; i < m; i += SUM_ROWS) {
    const rows = min(SUM_ROWS, m - i);
    const ai = a + <usize> i * lda;
    const bi = b + <usize> i * ldb;
    for (let j: usize = 0; j < <usize> n << 2; j += 32) {
      sumColumns(ai, lda, bi + j, ldb, c + j, ldc, rows, k);
    }
  }
}

/** Adds 8 columns of the product to C. */
function sumColumns(
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  m: i32,
  k: i32,
): void {
  for (; k >= 6; k -= 6) {
    sum6(a, lda, b, ldb, c, ldc, m);
    a += 24;
    c += ldc * 6;
  }
  if (k >= 4) {
    sum4(a, lda, b, ldb, c, ldc, m);
    a += 16;
    c += ldc * 4;
    k -= 4;
  }
  if (k > 0) sum2(a, lda, b, ldb, c, ldc, m);
}

function sum6(
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
  const c4 = c3 + ldc;
  const c5 = c4 + ldc;
  let x0 = v128.load(c), y0 = v128.load(c, 16);
  let x1 = v128.load(c1), y1 = v128.load(c1, 16);
  let x2 = v128.load(c2), y2 = v128.load(c2, 16);
  let x3 = v128.load(c3), y3 = v128.load(c3, 16);
  let x4 = v128.load(c4), y4 = v128.load(c4, 16);
  let x5 = v128.load(c5), y5 = v128.load(c5, 16);
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
    s = v128.load32_splat(a, 16);
    x4 = madd(s, p, x4);
    y4 = madd(s, q, y4);
    s = v128.load32_splat(a, 20);
    x5 = madd(s, p, x5);
    y5 = madd(s, q, y5);
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
  v128.store(c4, x4);
  v128.store(c4, y4, 16);
  v128.store(c5, x5);
  v128.store(c5, y5, 16);
}

function sum4(
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

function sum2(
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  m: i32,
): void {
  const c1 = c + ldc;
  let x0 = v128.load(c), y0 = v128.load(c, 16);
  let x1 = v128.load(c1), y1 = v128.load(c1, 16);
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
    a += lda;
    b += ldb;
  }
  v128.store(c, x0);
  v128.store(c, y0, 16);
  v128.store(c1, x1);
  v128.store(c1, y1, 16);
}
