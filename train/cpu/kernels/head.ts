/** Computes the loss and its gradient at the output (vocabulary, pointer and gate), for learned positions only. */
import { mixRows, scoreBytes } from "./attention";
import { dimStride, pointerKeys, pointerStride, states } from "./forward";
import { gemm } from "./gemm";
import { gemmTransposed } from "./gemm_transposed";
import {
  axpy,
  copyFloats,
  dot,
  exp1,
  log1,
  log4,
  madd,
  sum4,
  zero4,
} from "./math";
import {
  copyMass,
  distribute,
  entropyOf,
  gateOf,
  idAt,
  mix,
  mixtureLogprob,
  pointerScores,
} from "./mixture";
import {
  Batch,
  LossRow,
  Model,
  REINFORCE,
  SCORE,
  Segment,
  segmentAt,
  SUPERVISED,
  TrainJob,
} from "./model";
import { rowBytes, take, takeRows } from "./scratch";

/** The number of rows whose logits are in memory at the same time. */
const BLOCK: i32 = 32;

let logits: usize = 0;
let picked: usize = 0;
let dPicked: usize = 0;
let queries: usize = 0;
let dQueries: usize = 0;
let pointed: usize = 0;
let probabilities: usize = 0;
let gateGradients: usize = 0;
let pointedStride: usize = 0;
/** The importance ratio of the current segment, if all its rows use the same ratio. */
let segmentRatio: f32 = 1;

/** Allocates the buffers of the output head. */
export function openHead(model: Model, context: i32): void {
  logits = takeRows(BLOCK, model.vocab);
  picked = takeRows(BLOCK, model.dim);
  dPicked = takeRows(BLOCK, model.dim);
  queries = takeRows(BLOCK, model.pointerDim);
  dQueries = takeRows(BLOCK, model.pointerDim);
  pointedStride = scoreBytes(context);
  pointed = take(<usize> BLOCK * pointedStride);
  probabilities = takeRows(1, model.vocab);
  gateGradients = take(<usize> BLOCK << 2);
}

// @ts-ignore: decorator
@inline
function lossRowAt(batch: Batch, index: i32): LossRow {
  return changetype<LossRow>(
    batch.lossTable + <usize> index * offsetof<LossRow>(),
  );
}

/**
 * Fills in the results of each {@linkcode LossRow}. Unless the job only scores, adds to the gradients of the final
 * states, the pointer keys and the output's parameters.
 */
export function learnOutputs(
  job: TrainJob,
  batch: Batch,
  dStates: usize,
  dPointerKeys: usize,
): void {
  const backward = job.mode != SCORE;
  for (let s = 0; s < batch.segments; s++) {
    const segment = segmentAt(batch.segmentTable, s);
    if (job.mode == REINFORCE && job.sequenceRatio) {
      learnSegment(job, batch, segment, dStates, dPointerKeys, false);
      segmentRatio = ratioOf(batch, segment);
    }
    learnSegment(job, batch, segment, dStates, dPointerKeys, backward);
  }
}

/**
 * Returns the geometric mean of π/π_old over a segment's loss rows. The log probabilities of these rows must already be
 * computed.
 */
function ratioOf(batch: Batch, segment: Segment): f32 {
  let sum: f64 = 0;
  for (let i = 0; i < segment.lossCount; i++) {
    const loss = lossRowAt(batch, segment.lossStart + i);
    sum += loss.logprob - loss.oldLogprob;
  }
  return exp1(<f32> (sum / <f64> segment.lossCount));
}

function learnSegment(
  job: TrainJob,
  batch: Batch,
  segment: Segment,
  dStates: usize,
  dPointerKeys: usize,
  backward: bool,
): void {
  for (let i = 0; i < segment.lossCount; i += BLOCK) {
    learnBlock(
      job,
      changetype<Model>(job.model),
      batch,
      segment,
      segment.lossStart + i,
      min(BLOCK, segment.lossCount - i),
      dStates,
      dPointerKeys,
      backward,
    );
  }
}

function learnBlock(
  job: TrainJob,
  model: Model,
  batch: Batch,
  segment: Segment,
  first: i32,
  count: i32,
  dStates: usize,
  dPointerKeys: usize,
  backward: bool,
): void {
  const vocabStride = rowBytes(model.vocab);
  const dim = model.dim;
  const width = model.pointerDim;
  for (let i = 0; i < count; i++) {
    const row = <usize> lossRowAt(batch, first + i).row;
    copyFloats(
      picked + <usize> i * dimStride,
      states + row * dimStride,
      dim,
    );
  }
  gemm(
    picked,
    dimStride,
    model.panels + model.embedding,
    logits,
    vocabStride,
    count,
    dim,
    model.vocab,
    false,
  );
  pointerQueries(model, picked, queries, count);
  const longest = lossRowAt(batch, first + count - 1).row - segment.row;
  for (let i = 0; i < count; i++) {
    const loss = lossRowAt(batch, first + i);
    learnRow(job, model, loss, segment, i, longest, backward);
  }
  if (!backward) return;

  const gradient = job.gradient;
  gemmTransposed(
    logits,
    vocabStride,
    picked,
    dimStride,
    gradient + model.embedding,
    <usize> dim << 2,
    count,
    model.vocab,
    dim,
  );
  gemm(
    logits,
    vocabStride,
    model.backPanels + model.embedding,
    dPicked,
    dimStride,
    count,
    model.vocab,
    dim,
    false,
  );
  memory.fill(dQueries, 0, <usize> count * pointerStride);
  const scale = f32x4.splat(1 / sqrt<f32>(<f32> width));
  for (let i = 0; i < count; i++) {
    const t = lossRowAt(batch, first + i).row - segment.row;
    const dQuery = dQueries + <usize> i * pointerStride;
    mixRows(
      pointed + <usize> i * pointedStride,
      t,
      pointerKeys + <usize> segment.row * pointerStride,
      pointerStride,
      dQuery,
      width,
    );
    for (let o: usize = 0; o < <usize> width << 2; o += 16) {
      v128.store(dQuery + o, f32x4.mul(v128.load(dQuery + o), scale));
    }
  }
  gemmTransposed(
    pointed,
    pointedStride,
    queries,
    pointerStride,
    dPointerKeys + <usize> segment.row * pointerStride,
    pointerStride,
    count,
    (longest + 1) & ~1,
    width,
  );
  gemmTransposed(
    picked,
    dimStride,
    dQueries,
    pointerStride,
    gradient + model.pointerQuery,
    <usize> width << 2,
    count,
    dim,
    width,
  );
  gemm(
    dQueries,
    pointerStride,
    model.backPanels + model.pointerQuery,
    dPicked,
    dimStride,
    count,
    width,
    dim,
    true,
  );
  for (let i = 0; i < count; i++) {
    const dz = load<f32>(gateGradients + (<usize> i << 2));
    const dRow = dPicked + <usize> i * dimStride;
    const bias = gradient + model.gateBias;
    store<f32>(bias, load<f32>(bias) + dz);
    axpy(dz, picked + <usize> i * dimStride, gradient + model.gateWeight, dim);
    axpy(dz, model.weights + model.gateWeight, dRow, dim);
    const row = <usize> lossRowAt(batch, first + i).row;
    axpy(1, dRow, dStates + row * dimStride, dim);
  }
}

/** Computes pointer queries from rows of final states, scaled by pointerDim^-½. */
export function pointerQueries(
  model: Model,
  rows: usize,
  out: usize,
  count: i32,
): void {
  gemm(
    rows,
    dimStride,
    model.panels + model.pointerQuery,
    out,
    pointerStride,
    count,
    model.dim,
    model.pointerDim,
    false,
  );
  const scale = f32x4.splat(1 / sqrt<f32>(<f32> model.pointerDim));
  for (let i = 0; i < count; i++) {
    const row = out + <usize> i * pointerStride;
    for (let o: usize = 0; o < <usize> model.pointerDim << 2; o += 16) {
      v128.store(row + o, f32x4.mul(v128.load(row + o), scale));
    }
  }
}

/** Returns the gate's input for a row of final states. */
export function gateInput(model: Model, row: usize): f32 {
  return dot(row, model.weights + model.gateWeight, model.dim) +
    load<f32>(model.weights + model.gateBias);
}

/**
 * Computes the log probability of one row's target. If `backward` is true, also computes the row's other results,
 * replaces its logits and pointer scores with their gradients, and stores the gradient of the gate's input.
 */
function learnRow(
  job: TrainJob,
  model: Model,
  loss: LossRow,
  segment: Segment,
  index: i32,
  longest: i32,
  backward: bool,
): void {
  const t = loss.row - segment.row;
  const table = segment.table;
  const said = logits + <usize> index * rowBytes(model.vocab);
  const copied = pointed + <usize> index * pointedStride;
  const z = gateInput(model, picked + <usize> index * dimStride);
  const gate = gateOf(z, t);
  distribute(said, model.vocab);
  if (t > 0) {
    pointerScores(
      model,
      table,
      queries + <usize> index * pointerStride,
      t,
      copied,
    );
    distribute(copied, t);
  }
  const padded = (t + 31) & ~31;
  const end = (longest + 31) & ~31;
  if (end > padded) {
    memory.fill(
      copied + (<usize> padded << 2),
      0,
      <usize> (end - padded) << 2,
    );
  }
  const target = loss.target;
  const vocabulary = load<f32>(said + (<usize> target << 2));
  const mass = copyMass(table, copied, t, target);
  const logprob = mixtureLogprob(vocabulary, mass, z, t);
  if (job.mode == SCORE) {
    loss.referenceLogprob = logprob;
    return;
  }
  loss.logprob = logprob;
  if (!backward) return;
  mix(model, table, said, copied, gate, t, probabilities);
  loss.entropy = entropyOf(probabilities, model.vocab);
  const weight = targetWeight(job, loss, logprob);
  const share: f32 = mass > 0 && t > 0
    ? exp1(log1(mass) + log1(gate) - logprob)
    : 0;
  const pull: f32 = job.mode == REINFORCE ? job.entropyCoef * job.scale : 0;
  rowGradient(
    model,
    table,
    said,
    copied,
    t,
    target,
    gate,
    mass,
    min(share, <f32> 1),
    weight,
    pull,
    index,
  );
}

/** Returns -dL/dlogprob of the target, and records whether the ratio was clipped. */
function targetWeight(job: TrainJob, loss: LossRow, logprob: f32): f32 {
  if (job.mode == SUPERVISED) return job.scale;
  const ratio = job.sequenceRatio
    ? segmentRatio
    : exp1(logprob - loss.oldLogprob);
  const advantage = loss.advantage;
  const clipped = advantage > 0
    ? ratio > 1 + job.clipHigh
    : advantage < 0 && ratio < 1 - job.clipLow;
  loss.clipped = clipped ? 1 : 0;
  let weight: f32 = clipped ? 0 : ratio * advantage;
  if (job.klCoef != 0) {
    // k3 = e^d - d - 1 with d = reference - policy; its derivative with respect to the policy's log probability is 1 -
    // e^d.
    weight -= job.klCoef * (1 - exp1(loss.referenceLogprob - logprob));
  }
  return weight * job.scale;
}

/**
 * Computes the gradients of a row, where w is `weight`, r is `share` (the part of the target's probability that comes
 * from copying), s is softmax(logits), a is the pointer's attention, c is `mass`, g is `gate` and z is the gate's
 * input: dlogits = w(1 - r)(s - 1[target]), dscores = w·r·a(1 - 1[the token after the attended position is the
 * target]/c), and dz = -w(r - g). The entropy term, whose weight is `pull`, adds dL/dp = pull·log p, which is propagated
 * through the same mixture.
 */
function rowGradient(
  model: Model,
  table: usize,
  said: usize,
  copied: usize,
  t: i32,
  target: i32,
  gate: f32,
  mass: f32,
  share: f32,
  weight: f32,
  pull: f32,
  index: i32,
): void {
  const vocabBytes = <usize> model.vocab << 2;
  const keep: f32 = 1 - gate;
  let saidMean: f32 = 0;
  let copiedMean: f32 = 0;
  if (pull != 0) {
    let sum = zero4();
    for (let o: usize = 0; o < vocabBytes; o += 16) {
      const u = log4(v128.load(probabilities + o));
      v128.store(probabilities + o, u);
      sum = madd(v128.load(said + o), u, sum);
    }
    saidMean = sum4(sum);
    for (let j = 0; j < t; j++) {
      const u = load<f32>(probabilities + (<usize> idAt(table, j + 1) << 2));
      copiedMean += load<f32>(copied + (<usize> j << 2)) * u;
    }
  }
  const sayWeight = weight * (1 - share);
  const base = f32x4.splat(sayWeight - pull * keep * saidMean);
  const slope = f32x4.splat(pull * keep);
  for (let o: usize = 0; o < vocabBytes; o += 16) {
    const u = pull == 0
      ? base
      : madd(slope, v128.load(probabilities + o), base);
    v128.store(said + o, f32x4.mul(v128.load(said + o), u));
  }
  const hit = said + (<usize> target << 2);
  store<f32>(hit, load<f32>(hit) - sayWeight);
  const copyWeight = weight * share;
  const match: f32 = mass > 0 ? copyWeight / mass : 0;
  for (let j = 0; j < t; j++) {
    const at = copied + (<usize> j << 2);
    const id = idAt(table, j + 1);
    let u = copyWeight;
    if (id == target) u -= match;
    if (pull != 0) {
      u += pull * gate *
        (load<f32>(probabilities + (<usize> id << 2)) - copiedMean);
    }
    store<f32>(at, load<f32>(at) * u);
  }
  let dz: f32 = 0;
  if (t > 0) {
    dz = -weight * (share - gate) +
      pull * (copiedMean - saidMean) * gate * keep;
  }
  store<f32>(gateGradients + (<usize> index << 2), dz);
}
