/** Runs the backward pass layer by layer, and a worker's job in a training step. */
import { blockBytes, openStreams } from "./attention";
import { attendBack, TILE_BYTES } from "./attention_back";
import { convolveBack } from "./conv";
import {
  activated,
  convolveAll,
  convolved,
  dimStride,
  forward,
  gateUpAt,
  gateUpStride,
  hiddenStride,
  inverseAt,
  lseAt,
  midAt,
  normed,
  openForward,
  outAt,
  pointerStride,
  qkvAt,
  qkvStride,
  states,
  xAt,
} from "./forward";
import { gemm } from "./gemm";
import { gemmTransposed } from "./gemm_transposed";
import { learnOutputs, openHead } from "./head";
import { addRows, axpy } from "./math";
import {
  Batch,
  layerAt,
  Model,
  PAGE,
  SCORE,
  segmentAt,
  TrainJob,
} from "./model";
import { normalize, normalizeBack } from "./norm";
import { rotateBack } from "./rope";
import { openScratch, scratchUsed, take, takeRows } from "./scratch";
import { activateBack } from "./swiglu";

let dx: usize = 0;
let dNormed: usize = 0;
let dOut: usize = 0;
let dQkv: usize = 0;
let dGateUp: usize = 0;
let dActivated: usize = 0;
let dPointerKeys: usize = 0;
let tiles: usize = 0;
let pages: usize = 0;
let blocks: usize = 0;
let pageTable: usize = 0;

function pagesOf(rows: i32, segments: i32): i32 {
  return (rows + PAGE - 1) / PAGE + segments;
}

function openTraining(
  model: Model,
  rows: i32,
  segments: i32,
  context: i32,
  backward: bool,
): void {
  openForward(model, rows, context, true);
  openHead(model, context);
  const count = pagesOf(rows, segments);
  const stream = <usize> count * blockBytes(model);
  pageTable = take(<usize> count << 3);
  pages = take(<usize> count * model.pageBytes);
  blocks = take(stream * 2 * <usize> model.heads);
  openStreams(model, stream, true);
  if (!backward) return;
  dx = takeRows(rows, model.dim);
  dNormed = takeRows(rows, model.dim);
  dOut = takeRows(rows, model.dim);
  dQkv = takeRows(rows, model.dim * 3);
  dGateUp = takeRows(rows, model.hidden * 2);
  dActivated = takeRows(rows, model.hidden);
  dPointerKeys = takeRows(rows, model.pointerDim);
  tiles = take(TILE_BYTES);
}

/**
 * Returns the working memory in bytes for a batch of `rows` rows in `segments` sequences, each with at most `context`
 * tokens.
 */
export function trainingBytes(
  model: usize,
  rows: i32,
  segments: i32,
  context: i32,
): usize {
  openScratch(0, <usize> 0xffffff00);
  openTraining(changetype<Model>(model), rows, segments, context, true);
  return scratchUsed() + 64;
}

/** Runs all batches of a {@linkcode TrainJob}. */
export function train(address: usize): void {
  const job = changetype<TrainJob>(address);
  const model = changetype<Model>(job.model);
  for (let i = 0; i < job.batches; i++) {
    const batch = changetype<Batch>(
      job.batchTable + <usize> i * offsetof<Batch>(),
    );
    trainBatch(job, model, batch);
  }
}

function trainBatch(job: TrainJob, model: Model, batch: Batch): void {
  let context = 0;
  for (let s = 0; s < batch.segments; s++) {
    context = max(context, segmentAt(batch.segmentTable, s).count);
  }
  openScratch(job.scratch, job.scratchEnd);
  openTraining(
    model,
    batch.rows,
    batch.segments,
    context,
    job.mode != SCORE,
  );
  dealPages(model, batch);
  forward(model, batch.segments, batch.segmentTable, batch.ids, batch.rows);
  if (job.mode == SCORE) {
    learnOutputs(job, batch, 0, 0);
    return;
  }
  // Collect the gradient of the final states in dNormed, then propagate it through the final norm to dx.
  memory.fill(dNormed, 0, <usize> batch.rows * dimStride);
  memory.fill(dPointerKeys, 0, <usize> (batch.rows + 4) * pointerStride);
  learnOutputs(job, batch, dNormed, dPointerKeys);
  outputsBack(job, model, batch);
  for (let l = model.layers - 1; l >= 0; l--) {
    mlpBack(job, model, l, batch.rows);
    attentionBack(job, model, l, batch);
  }
  embedBack(job, model, batch);
}

/** Assigns pages and blocks to each segment. */
function dealPages(model: Model, batch: Batch): void {
  let table = pageTable;
  let page = pages;
  let block = blocks;
  for (let s = 0; s < batch.segments; s++) {
    const segment = segmentAt(batch.segmentTable, s);
    segment.table = table;
    for (let p = 0; p < segment.count; p += PAGE) {
      store<usize>(table, page);
      store<usize>(table, block, 4);
      table += 8;
      page += model.pageBytes;
      block += blockBytes(model);
    }
  }
}

function outputsBack(job: TrainJob, model: Model, batch: Batch): void {
  const width = model.pointerDim;
  gemmTransposed(
    states,
    dimStride,
    dPointerKeys,
    pointerStride,
    job.gradient + model.pointerKey,
    <usize> width << 2,
    batch.rows,
    model.dim,
    width,
  );
  gemm(
    dPointerKeys,
    pointerStride,
    model.backPanels + model.pointerKey,
    dNormed,
    dimStride,
    batch.rows,
    width,
    model.dim,
    true,
  );
  memory.fill(dx, 0, <usize> batch.rows * dimStride);
  normalizeBack(
    xAt(model.layers),
    dNormed,
    dx,
    dimStride,
    model.weights + model.finalGain,
    job.gradient + model.finalGain,
    inverseAt(2 * model.layers),
    batch.rows,
    model.dim,
  );
}

function mlpBack(job: TrainJob, model: Model, l: i32, rows: i32): void {
  const layer = layerAt(model, l);
  const gradient = job.gradient;
  const dim = model.dim;
  const hidden = model.hidden;
  gemm(
    dx,
    dimStride,
    model.backPanels + layer.down,
    dActivated,
    hiddenStride,
    rows,
    dim,
    hidden,
    false,
  );
  activateBack(
    gateUpAt(l),
    dGateUp,
    gateUpStride,
    activated,
    dActivated,
    hiddenStride,
    rows,
    hidden,
  );
  gemmTransposed(
    activated,
    hiddenStride,
    dx,
    dimStride,
    gradient + layer.down,
    <usize> dim << 2,
    rows,
    hidden,
    dim,
  );
  normalize(
    midAt(l),
    normed,
    dimStride,
    model.weights + layer.mlpGain,
    inverseAt(2 * l + 1),
    rows,
    dim,
  );
  gemmTransposed(
    normed,
    dimStride,
    dGateUp,
    gateUpStride,
    gradient + layer.gateUp,
    <usize> hidden << 3,
    rows,
    dim,
    hidden * 2,
  );
  gemm(
    dGateUp,
    gateUpStride,
    model.backPanels + layer.gateUp,
    dNormed,
    dimStride,
    rows,
    hidden * 2,
    dim,
    false,
  );
  normalizeBack(
    midAt(l),
    dNormed,
    dx,
    dimStride,
    model.weights + layer.mlpGain,
    gradient + layer.mlpGain,
    inverseAt(2 * l + 1),
    rows,
    dim,
  );
}

function attentionBack(
  job: TrainJob,
  model: Model,
  l: i32,
  batch: Batch,
): void {
  const layer = layerAt(model, l);
  const gradient = job.gradient;
  const dim = model.dim;
  const rows = batch.rows;
  normalize(
    xAt(l),
    normed,
    dimStride,
    model.weights + layer.attentionGain,
    inverseAt(2 * l),
    rows,
    dim,
  );
  convolveAll(model, l, batch.segments, batch.segmentTable);
  addRows(outAt(l), convolved, dNormed, dimStride, rows, dim);
  gemmTransposed(
    dNormed,
    dimStride,
    dx,
    dimStride,
    gradient + layer.out,
    <usize> dim << 2,
    rows,
    dim,
    dim,
  );
  gemm(
    dx,
    dimStride,
    model.backPanels + layer.out,
    dOut,
    dimStride,
    rows,
    dim,
    dim,
    false,
  );
  memory.fill(dQkv, 0, <usize> (rows + 4) * qkvStride);
  for (let s = 0; s < batch.segments; s++) {
    const segment = segmentAt(batch.segmentTable, s);
    attendBack(
      model,
      segment,
      qkvAt(l),
      dQkv,
      qkvStride,
      outAt(l),
      dOut,
      dimStride,
      lseAt(l),
      tiles,
    );
    rotateBack(model, segment, dQkv, qkvStride);
  }
  gemmTransposed(
    convolved,
    dimStride,
    dQkv,
    qkvStride,
    gradient + layer.qkv,
    <usize> (dim * 3) << 2,
    rows,
    dim,
    dim * 3,
  );
  // dOut is also the gradient of the convolution's result, which was added to the output.
  gemm(
    dQkv,
    qkvStride,
    model.backPanels + layer.qkv,
    dOut,
    dimStride,
    rows,
    dim * 3,
    dim,
    true,
  );
  for (let s = 0; s < batch.segments; s++) {
    convolveBack(
      segmentAt(batch.segmentTable, s),
      normed,
      dOut,
      dNormed,
      dimStride,
      model.weights + layer.conv,
      gradient + layer.conv,
      dim,
    );
  }
  normalizeBack(
    xAt(l),
    dNormed,
    dx,
    dimStride,
    model.weights + layer.attentionGain,
    gradient + layer.attentionGain,
    inverseAt(2 * l),
    rows,
    dim,
  );
}

function embedBack(job: TrainJob, model: Model, batch: Batch): void {
  const width = <usize> model.dim << 2;
  const gradient = job.gradient + model.embedding;
  for (let i = 0; i < batch.rows; i++) {
    const id = load<i32>(batch.ids + (<usize> i << 2));
    axpy(1, dx + <usize> i * dimStride, gradient + <usize> id * width, model.dim);
  }
}
