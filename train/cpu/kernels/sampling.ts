/**
 * Samples continuations. The prompts and continuations of many requests go through the network together, step by step.
 */
import { openStreams, scoreBytes } from "./attention";
import {
  dimStride,
  forward,
  openForward,
  pointerStride,
  states,
} from "./forward";
import { gemm } from "./gemm";
import { gateInput, pointerQueries } from "./head";
import { copyFloats, exp4, log1, log4 } from "./math";
import {
  copyMass,
  distribute,
  gateOf,
  mix,
  mixtureLogprob,
  pointerScores,
} from "./mixture";
import { Model, Request, SampleJob, Segment } from "./model";
import { openScratch, rowBytes, scratchUsed, take, takeRows } from "./scratch";

let segments: usize = 0;
let ids: usize = 0;
/**
 * A pair for each request that samples a token in this step: the request's index, and the row with the state to sample
 * from.
 */
let asked: usize = 0;
let picked: usize = 0;
let logits: usize = 0;
let queries: usize = 0;
let attention: usize = 0;
let probabilities: usize = 0;

function openSampling(
  model: Model,
  requests: i32,
  rows: i32,
  context: i32,
): void {
  openForward(model, rows, context, false);
  segments = take(<usize> requests * offsetof<Segment>());
  ids = take(<usize> rows << 2);
  asked = take(<usize> requests << 3);
  picked = takeRows(requests, model.dim);
  logits = takeRows(requests, model.vocab);
  queries = takeRows(requests, model.pointerDim);
  attention = take(scoreBytes(context));
  probabilities = takeRows(1, model.vocab);
}

/** Returns the working memory of {@linkcode sample} in bytes. */
export function samplingBytes(
  model: usize,
  requests: i32,
  rows: i32,
  context: i32,
): usize {
  openScratch(0, <usize> 0xffffff00);
  openSampling(changetype<Model>(model), requests, rows, context);
  return scratchUsed() + 64;
}

/** Feeds the pending ids, then samples for each request until it stops or has sampled its budget of tokens. */
export function sample(address: usize): void {
  const job = changetype<SampleJob>(address);
  const model = changetype<Model>(job.model);
  openScratch(job.scratch, job.scratchEnd);
  openSampling(model, job.requests, job.maxRows, job.maxContext);
  openStreams(model, job.stream, false);
  while (step(job, model)) continue;
}

// @ts-ignore: decorator
@inline
function requestAt(job: SampleJob, index: i32): Request {
  return changetype<Request>(
    job.requestTable + <usize> index * offsetof<Request>(),
  );
}

/**
 * Feeds the pending ids of all requests in one pass through the network, then samples the requests' next tokens.
 * Returns `false` if no ids were pending.
 */
function step(job: SampleJob, model: Model): bool {
  let rows = 0;
  let count = 0;
  let sampled = 0;
  for (let i = 0; i < job.requests; i++) {
    const request = requestAt(job, i);
    if (request.pendingCount == 0) continue;
    const segment = changetype<Segment>(
      segments + <usize> count * offsetof<Segment>(),
    );
    segment.row = rows;
    segment.count = request.pendingCount;
    segment.position = request.position;
    segment.table = request.table;
    segment.state = request.state;
    copyFloats(ids + (<usize> rows << 2), request.pending, segment.count);
    rows += segment.count;
    count++;
    request.position += segment.count;
    request.pendingCount = 0;
    if (request.produced < request.budget) {
      const pair = asked + (<usize> sampled << 3);
      store<i32>(pair, i);
      store<i32>(pair, rows - 1, 4);
      sampled++;
    }
  }
  if (count == 0) return false;
  forward(model, count, segments, ids, rows);
  answer(job, model, sampled);
  return true;
}

/** Samples a token for each request in {@linkcode asked}, from the state at its last row. */
function answer(job: SampleJob, model: Model, sampled: i32): void {
  if (sampled == 0) return;
  for (let i = 0; i < sampled; i++) {
    const row = load<i32>(asked + (<usize> i << 3), 4);
    copyFloats(
      picked + <usize> i * dimStride,
      states + <usize> row * dimStride,
      model.dim,
    );
  }
  const vocabStride = rowBytes(model.vocab);
  gemm(
    picked,
    dimStride,
    model.panels + model.embedding,
    logits,
    vocabStride,
    sampled,
    model.dim,
    model.vocab,
    false,
  );
  pointerQueries(model, picked, queries, sampled);
  for (let i = 0; i < sampled; i++) {
    sampleRow(
      model,
      requestAt(job, load<i32>(asked + (<usize> i << 3))),
      picked + <usize> i * dimStride,
      logits + <usize> i * vocabStride,
      queries + <usize> i * pointerStride,
    );
  }
}

function sampleRow(
  model: Model,
  request: Request,
  state: usize,
  said: usize,
  query: usize,
): void {
  const t = request.position - 1;
  const z = gateInput(model, state);
  distribute(said, model.vocab);
  if (t > 0) {
    pointerScores(model, request.table, query, t, attention);
    distribute(attention, t);
  }
  mix(
    model,
    request.table,
    said,
    attention,
    gateOf(z, t),
    t,
    probabilities,
  );
  const at = <usize> request.produced;
  const temperature = request.temperature;
  let id: i32;
  let logprob: f32 = 0;
  if (temperature == 0) {
    id = likeliest(model.vocab);
  } else {
    if (temperature != 1) flatten(model.vocab, 1 / temperature);
    id = draw(model.vocab, load<f64>(request.uniforms + (at << 3)));
  }
  if (temperature == 0 || temperature == 1) {
    logprob = mixtureLogprob(
      load<f32>(said + (<usize> id << 2)),
      copyMass(request.table, attention, t, id),
      z,
      t,
    );
  } else {
    logprob = log1(load<f32>(probabilities + (<usize> id << 2)));
  }
  store<i32>(request.ids + (at << 2), id);
  store<f32>(request.logprobs + (at << 2), logprob);
  request.produced++;
  for (let i = 0; i < request.stopCount; i++) {
    if (load<i32>(request.stops + (<usize> i << 2)) == id) request.stopped = 1;
  }
  if (request.stopped == 0 && request.produced < request.budget) {
    request.pending = request.ids + (at << 2);
    request.pendingCount = 1;
  }
}

/** Returns the most probable token; in a tie, the token with the lowest id. */
function likeliest(vocab: i32): i32 {
  let best = 0;
  let top = load<f32>(probabilities);
  for (let v = 1; v < vocab; v++) {
    const p = load<f32>(probabilities + (<usize> v << 2));
    if (p > top) {
      top = p;
      best = v;
    }
  }
  return best;
}

/** Raises each probability to `power`, and normalizes the results. */
function flatten(vocab: i32, power: f32): void {
  const bytes = <usize> vocab << 2;
  const scale = f32x4.splat(power);
  const top = log1(load<f32>(probabilities + (<usize> likeliest(vocab) << 2)));
  const shift = f32x4.splat(top);
  let sum: f64 = 0;
  for (let o: usize = 0; o < bytes; o += 16) {
    const x = f32x4.sub(log4(v128.load(probabilities + o)), shift);
    const p = exp4(f32x4.mul(x, scale));
    v128.store(probabilities + o, p);
    sum += f32x4.extract_lane(p, 0) + f32x4.extract_lane(p, 1) +
      f32x4.extract_lane(p, 2) + f32x4.extract_lane(p, 3);
  }
  const norm = f32x4.splat(<f32> (1 / sum));
  for (let o: usize = 0; o < bytes; o += 16) {
    v128.store(
      probabilities + o,
      f32x4.mul(v128.load(probabilities + o), norm),
    );
  }
}

/** Returns the token at the quantile `u` in [0, 1). */
function draw(vocab: i32, u: f64): i32 {
  const end = probabilities + (<usize> vocab << 2);
  let total: f64 = 0;
  for (let p = probabilities; p < end; p += 4) total += load<f32>(p);
  let left = u * total;
  let last = 0;
  for (let v = 0; v < vocab; v++) {
    const p = load<f32>(probabilities + (<usize> v << 2));
    if (p <= 0) continue;
    left -= p;
    last = v;
    if (left < 0) break;
  }
  return last;
}
