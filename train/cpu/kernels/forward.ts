/**
 * The network's forward pass over a batch of rows. Training and sampling run the same kernels in the same order, so a
 * token's log probability is the same in both.
 */
import {
  attend,
  keepKeysAndValues,
  keepPointerKeys,
  scoreBytes,
} from "./attention";
import { convolve } from "./conv";
import { gemm } from "./gemm";
import { addRows, copyFloats } from "./math";
import { layerAt, Model, PAGE, pageOf, Segment, segmentAt } from "./model";
import { normalize } from "./norm";
import { rotate } from "./rope";
import { rowBytes, take, takeRows } from "./scratch";
import { activate } from "./swiglu";

/** The strides between the rows of each kind of buffer, in bytes. */
export let dimStride: usize = 0;
export let qkvStride: usize = 0;
export let gateUpStride: usize = 0;
export let hiddenStride: usize = 0;
export let pointerStride: usize = 0;

/** Buffers that the backward pass reads. In training, each layer has its own; in sampling, all layers share them. */
let xs: usize = 0;
let mids: usize = 0;
let outs: usize = 0;
let qkvs: usize = 0;
let gateUps: usize = 0;
let inverses: usize = 0;
let lses: usize = 0;
/** The distances from a layer's buffers to the next layer's buffers, in bytes; 0 in sampling. */
let keepRows: usize = 0;
let keepQkv: usize = 0;
let keepGateUp: usize = 0;
let keepInverses: usize = 0;
let keepLses: usize = 0;

/** Buffers that the backward pass does not read. */
export let normed: usize = 0;
export let convolved: usize = 0;
export let activated: usize = 0;
export let scores: usize = 0;
/** The final normalized states. */
export let states: usize = 0;
/** The keys of the pointer head. */
export let pointerKeys: usize = 0;

// @ts-ignore: decorator
@inline
export function xAt(layer: i32): usize {
  return xs + <usize> layer * keepRows;
}
// @ts-ignore: decorator
@inline
export function midAt(layer: i32): usize {
  return mids + <usize> layer * keepRows;
}
// @ts-ignore: decorator
@inline
export function outAt(layer: i32): usize {
  return outs + <usize> layer * keepRows;
}
// @ts-ignore: decorator
@inline
export function qkvAt(layer: i32): usize {
  return qkvs + <usize> layer * keepQkv;
}
// @ts-ignore: decorator
@inline
export function gateUpAt(layer: i32): usize {
  return gateUps + <usize> layer * keepGateUp;
}
/** Returns the address of rms⁻¹ for norm `index`. Each layer has two norms; the final norm comes last. */
// @ts-ignore: decorator
@inline
export function inverseAt(index: i32): usize {
  return inverses + <usize> index * keepInverses;
}
// @ts-ignore: decorator
@inline
export function lseAt(layer: i32): usize {
  return lses + <usize> layer * keepLses;
}

/**
 * Allocates the buffers for `rows` rows, where `context` is the length of the longest sequence that a row attends to.
 */
export function openForward(
  model: Model,
  rows: i32,
  context: i32,
  training: bool,
): void {
  dimStride = rowBytes(model.dim);
  qkvStride = rowBytes(model.dim * 3);
  gateUpStride = rowBytes(model.hidden * 2);
  hiddenStride = rowBytes(model.hidden);
  pointerStride = rowBytes(model.pointerDim);
  const kept = training ? model.layers : 1;
  const one: usize = training ? 1 : 0;
  const room = <usize> (rows + 4);
  keepRows = room * dimStride * one;
  keepQkv = room * qkvStride * one;
  keepGateUp = room * gateUpStride * one;
  keepInverses = (<usize> (rows + 16) << 2) * one;
  keepLses = (<usize> ((rows + 16) * model.heads) << 2) * one;
  xs = take(room * dimStride * <usize> (kept + 1));
  mids = take(room * dimStride * <usize> kept);
  outs = take(room * dimStride * <usize> kept);
  qkvs = take(room * qkvStride * <usize> kept);
  gateUps = take(room * gateUpStride * <usize> kept);
  inverses = take((<usize> (rows + 16) << 2) * <usize> (2 * kept + 1));
  lses = take((<usize> ((rows + 16) * model.heads) << 2) * <usize> kept);
  normed = takeRows(rows, model.dim);
  convolved = takeRows(rows, model.dim);
  activated = takeRows(rows, model.hidden);
  states = takeRows(rows, model.dim);
  pointerKeys = takeRows(rows, model.pointerDim);
  scores = take(<usize> PAGE * scoreBytes(context));
}

/**
 * Runs the forward pass on the rows of all segments, with one id per row in `ids`. Writes the results to {@linkcode
 * states} and {@linkcode pointerKeys}.
 */
export function forward(
  model: Model,
  segments: i32,
  table: usize,
  ids: usize,
  rows: i32,
): void {
  embed(model, segments, table, ids);
  for (let l = 0; l < model.layers; l++) {
    attentionBlock(model, l, segments, table, rows);
    mlpBlock(model, l, rows);
  }
  const last = 2 * model.layers;
  normalize(
    xAt(model.layers),
    states,
    dimStride,
    model.weights + model.finalGain,
    inverseAt(last),
    rows,
    model.dim,
  );
  gemm(
    states,
    dimStride,
    model.panels + model.pointerKey,
    pointerKeys,
    pointerStride,
    rows,
    model.dim,
    model.pointerDim,
    false,
  );
  for (let s = 0; s < segments; s++) {
    keepPointerKeys(model, segmentAt(table, s), pointerKeys, pointerStride);
  }
}

/** Looks up the embeddings of the ids, and stores the ids in the pages, from which the pointer head copies them. */
function embed(model: Model, segments: i32, table: usize, ids: usize): void {
  const width = <usize> model.dim << 2;
  const embedding = model.weights + model.embedding;
  for (let s = 0; s < segments; s++) {
    const segment = segmentAt(table, s);
    for (let t = 0; t < segment.count; t++) {
      const row = <usize> (segment.row + t);
      const id = load<i32>(ids + (row << 2));
      const position = segment.position + t;
      store<i32>(
        pageOf(segment.table, position) +
          (<usize> (position & (PAGE - 1)) << 2),
        id,
      );
      copyFloats(
        xAt(0) + row * dimStride,
        embedding + <usize> id * width,
        model.dim,
      );
    }
  }
}

function attentionBlock(
  model: Model,
  l: i32,
  segments: i32,
  table: usize,
  rows: i32,
): void {
  const layer = layerAt(model, l);
  const qkv = qkvAt(l);
  const out = outAt(l);
  normalize(
    xAt(l),
    normed,
    dimStride,
    model.weights + layer.attentionGain,
    inverseAt(2 * l),
    rows,
    model.dim,
  );
  convolveAll(model, l, segments, table);
  gemm(
    convolved,
    dimStride,
    model.panels + layer.qkv,
    qkv,
    qkvStride,
    rows,
    model.dim,
    model.dim * 3,
    false,
  );
  for (let s = 0; s < segments; s++) {
    const segment = segmentAt(table, s);
    rotate(model, segment, qkv, qkvStride);
    keepKeysAndValues(model, segment, l, qkv, qkvStride);
    attend(
      model,
      segment,
      l,
      qkv,
      qkvStride,
      out,
      dimStride,
      keepLses == 0 ? 0 : lseAt(l),
      scores,
    );
  }
  // The convolution's result is also added to the output. From the first training step on, a state then depends on the
  // tokens just before it, so the pointer learns to choose in half the steps.
  addRows(out, convolved, normed, dimStride, rows, model.dim);
  memory.copy(midAt(l), xAt(l), <usize> rows * dimStride);
  gemm(
    normed,
    dimStride,
    model.panels + layer.out,
    midAt(l),
    dimStride,
    rows,
    model.dim,
    model.dim,
    true,
  );
}

export function convolveAll(
  model: Model,
  l: i32,
  segments: i32,
  table: usize,
): void {
  const w = model.weights + layerAt(model, l).conv;
  for (let s = 0; s < segments; s++) {
    convolve(model, segmentAt(table, s), l, normed, convolved, dimStride, w);
  }
}

function mlpBlock(model: Model, l: i32, rows: i32): void {
  const layer = layerAt(model, l);
  normalize(
    midAt(l),
    normed,
    dimStride,
    model.weights + layer.mlpGain,
    inverseAt(2 * l + 1),
    rows,
    model.dim,
  );
  gemm(
    normed,
    dimStride,
    model.panels + layer.gateUp,
    gateUpAt(l),
    gateUpStride,
    rows,
    model.dim,
    model.hidden * 2,
    false,
  );
  activate(
    gateUpAt(l),
    gateUpStride,
    activated,
    hiddenStride,
    rows,
    model.hidden,
  );
  memory.copy(xAt(l + 1), midAt(l), <usize> rows * dimStride);
  gemm(
    activated,
    hiddenStride,
    model.panels + layer.down,
    xAt(l + 1),
    dimStride,
    rows,
    model.hidden,
    model.dim,
    true,
  );
}
