/** Packs the weights, after every change, in the order in which the kernels read them. */
import { layerAt, Model } from "./model";

/**
 * Packs one of `parts` shares of every matrix: panels for the forward pass and, if the model is trained, panels of the
 * transposes for the backward pass.
 */
export function pack(address: usize, part: i32, parts: i32): void {
  const model = changetype<Model>(address);
  const dim = model.dim;
  packMatrix(model, model.pointerQuery, dim, model.pointerDim, part, parts);
  packMatrix(model, model.pointerKey, dim, model.pointerDim, part, parts);
  for (let l = 0; l < model.layers; l++) {
    const layer = layerAt(model, l);
    packMatrix(model, layer.qkv, dim, dim * 3, part, parts);
    packMatrix(model, layer.out, dim, dim, part, parts);
    packMatrix(model, layer.gateUp, dim, model.hidden * 2, part, parts);
    packMatrix(model, layer.down, model.hidden, dim, part, parts);
  }
  // The embedding is the transpose of the output matrix, so its two kinds of panels are swapped.
  const at = model.embedding;
  const from = model.weights + at;
  packTranspose(from, model.panels + at, model.vocab, dim, part, parts);
  if (model.backPanels != 0) {
    packPanels(from, model.backPanels + at, model.vocab, dim, part, parts);
  }
}

function packMatrix(
  model: Model,
  at: usize,
  k: i32,
  n: i32,
  part: i32,
  parts: i32,
): void {
  packPanels(model.weights + at, model.panels + at, k, n, part, parts);
  if (model.backPanels != 0) {
    packTranspose(model.weights + at, model.backPanels + at, k, n, part, parts);
  }
}

/** Packs W[k][n] as [n/8][k][8]. */
function packPanels(
  w: usize,
  to: usize,
  k: i32,
  n: i32,
  part: i32,
  parts: i32,
): void {
  const stride = <usize> n << 2;
  for (let j = part * 8; j < n; j += parts * 8) {
    let out = to + (<usize> (j * k) << 2);
    let from = w + (<usize> j << 2);
    for (let i = 0; i < k; i++) {
      v128.store(out, v128.load(from));
      v128.store(out, v128.load(from, 16), 16);
      out += 32;
      from += stride;
    }
  }
}

/** Packs the transpose of W[k][n] as [k/8][n][8]. */
function packTranspose(
  w: usize,
  to: usize,
  k: i32,
  n: i32,
  part: i32,
  parts: i32,
): void {
  const stride = <usize> n << 2;
  for (let i = part * 8; i < k; i += parts * 8) {
    let out = to + (<usize> (i * n) << 2);
    for (let j = 0; j < n; j++) {
      let from = w + (<usize> (i * n + j) << 2);
      for (let r: usize = 0; r < 32; r += 4) {
        store<f32>(out + r, load<f32>(from));
        from += stride;
      }
      out += 32;
    }
  }
}
