/**
 * Matrix products. Each element of a result is a single chain of multiply-adds in the order of the inner index,
 * regardless of the tile. Therefore, the result for a row does not depend on the number of rows.
 *
 * The inner loops are not unrolled: the compiler then keeps all sums in registers, which is 40% faster.
 */
import { madd, zero4 } from "./math";

/** The number of floats of A that stay in the first-level cache during a pass over B. */
const CACHED_FLOATS: i32 = 8192;

/**
 * Computes C[m,n] = A[m,k]·B[k,n]. If `add` is true, adds the product to C instead. B is in panels of 8 columns,
 * `[n/8][k][8]`; `n` is a multiple of 8. `lda` and `ldc` are the strides between the rows of A and of C, in bytes.
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
  for (let i = 0; i < m; i += block) {
    const rows = min(block, m - i);
    const ai = a + <usize> i * lda;
    const ci = c + <usize> i * ldc;
    multiply(ai, lda, b, 32, panel, ci, ldc, rows, k, n, add);
  }
}

/**
 * Computes the same product as {@linkcode gemm}, for a small number of rows and any layout of B. `ldb` is the stride
 * between rows, and `pitch` is the stride between groups of 8 columns, both in bytes. For a row-major B, `pitch` is 32.
 */
export function multiply(
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  pitch: usize,
  c: usize,
  ldc: usize,
  m: i32,
  k: i32,
  n: i32,
  add: bool,
): void {
  for (let j = 0; j < n; j += 8) {
    let ai = a;
    let ci = c;
    let left = m;
    for (; left >= 6; left -= 6) {
      tile6(ai, lda, b, ldb, ci, ldc, k, add);
      ai += lda * 6;
      ci += ldc * 6;
    }
    if (left >= 4) {
      tile4(ai, lda, b, ldb, ci, ldc, k, add);
      ai += lda * 4;
      ci += ldc * 4;
      left -= 4;
    }
    if (left >= 2) {
      tile2(ai, lda, b, ldb, ci, ldc, k, add);
      ai += lda * 2;
      ci += ldc * 2;
      left -= 2;
    }
    if (left > 0) tile1(ai, b, ldb, ci, k, add);
    b += pitch;
    c += 32;
  }
}

function tile6(
  a0: usize,
  lda: usize,
  b: usize,
  ldb: usize,
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
  let x0 = zero4(), y0 = x0;
  let x1 = x0, y1 = x0;
  let x2 = x0, y2 = x0;
  let x3 = x0, y3 = x0;
  let x4 = x0, y4 = x0;
  let x5 = x0, y5 = x0;
  if (add) {
    x0 = v128.load(c);
    y0 = v128.load(c, 16);
    x1 = v128.load(c + ldc);
    y1 = v128.load(c + ldc, 16);
    x2 = v128.load(c + ldc * 2);
    y2 = v128.load(c + ldc * 2, 16);
    x3 = v128.load(c + ldc * 3);
    y3 = v128.load(c + ldc * 3, 16);
    x4 = v128.load(c + ldc * 4);
    y4 = v128.load(c + ldc * 4, 16);
    x5 = v128.load(c + ldc * 5);
    y5 = v128.load(c + ldc * 5, 16);
  }
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
    b += ldb;
  }
  v128.store(c, x0);
  v128.store(c, y0, 16);
  v128.store(c + ldc, x1);
  v128.store(c + ldc, y1, 16);
  v128.store(c + ldc * 2, x2);
  v128.store(c + ldc * 2, y2, 16);
  v128.store(c + ldc * 3, x3);
  v128.store(c + ldc * 3, y3, 16);
  v128.store(c + ldc * 4, x4);
  v128.store(c + ldc * 4, y4, 16);
  v128.store(c + ldc * 5, x5);
  v128.store(c + ldc * 5, y5, 16);
}

function tile4(
  a0: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  k: i32,
  add: bool,
): void {
  let a1 = a0 + lda;
  let a2 = a1 + lda;
  let a3 = a2 + lda;
  let x0 = zero4(), y0 = x0;
  let x1 = x0, y1 = x0;
  let x2 = x0, y2 = x0;
  let x3 = x0, y3 = x0;
  if (add) {
    x0 = v128.load(c);
    y0 = v128.load(c, 16);
    x1 = v128.load(c + ldc);
    y1 = v128.load(c + ldc, 16);
    x2 = v128.load(c + ldc * 2);
    y2 = v128.load(c + ldc * 2, 16);
    x3 = v128.load(c + ldc * 3);
    y3 = v128.load(c + ldc * 3, 16);
  }
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
    b += ldb;
  }
  v128.store(c, x0);
  v128.store(c, y0, 16);
  v128.store(c + ldc, x1);
  v128.store(c + ldc, y1, 16);
  v128.store(c + ldc * 2, x2);
  v128.store(c + ldc * 2, y2, 16);
  v128.store(c + ldc * 3, x3);
  v128.store(c + ldc * 3, y3, 16);
}

function tile2(
  a0: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  c: usize,
  ldc: usize,
  k: i32,
  add: bool,
): void {
  let a1 = a0 + lda;
  let x0 = zero4(), y0 = x0;
  let x1 = x0, y1 = x0;
  if (add) {
    x0 = v128.load(c);
    y0 = v128.load(c, 16);
    x1 = v128.load(c + ldc);
    y1 = v128.load(c + ldc, 16);
  }
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
    b += ldb;
  }
  v128.store(c, x0);
  v128.store(c, y0, 16);
  v128.store(c + ldc, x1);
  v128.store(c + ldc, y1, 16);
}

function tile1(
  a0: usize,
  b: usize,
  ldb: usize,
  c: usize,
  k: i32,
  add: bool,
): void {
  let x0 = zero4(), y0 = x0;
  if (add) {
    x0 = v128.load(c);
    y0 = v128.load(c, 16);
  }
  const end = a0 + (<usize> k << 2);
  while (a0 < end) {
    const p = v128.load(b);
    const q = v128.load(b, 16);
    let s = v128.load32_splat(a0);
    x0 = madd(s, p, x0);
    y0 = madd(s, q, y0);
    a0 += 4;
    b += ldb;
  }
  v128.store(c, x0);
  v128.store(c, y0, 16);
}
