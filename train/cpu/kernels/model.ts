/**
 * The structs that the host writes into shared memory for the kernels, with the same fields in the same order as in
 * `../abi.ts`.
 */

/**
 * The shape of a model and the locations of its parameters. The offset of a parameter is in bytes, and is the same
 * relative to `weights`, `panels`, `backPanels` and a gradient.
 */
// @ts-ignore: decorator
@unmanaged
export class Model {
  vocab: i32;
  dim: i32;
  layers: i32;
  heads: i32;
  headDim: i32;
  hidden: i32;
  pointerDim: i32;
  /** The address of the parameters, row-major, inputs × outputs. */
  weights: usize;
  /** The address of a copy of the matrices in panels of 8 columns, for the forward pass. */
  panels: usize;
  /** The address of the transposed matrices in panels, for the backward pass; 0 if the model is not trained. */
  backPanels: usize;
  /** The address of the cosines of the rotary embedding, `[context][headDim/2]`. */
  ropeCos: usize;
  /** The address of the sines of the rotary embedding, `[context][headDim/2]`. */
  ropeSin: usize;
  /** The address of `dim` zeros. */
  zeros: usize;
  /** The offset of the convolution tails in a page, in bytes. */
  pageTails: usize;
  /** The offset of the pointer keys in a page, in bytes. */
  pagePointer: usize;
  /** The size of a page in bytes. */
  pageBytes: usize;
  embedding: usize;
  finalGain: usize;
  pointerQuery: usize;
  pointerKey: usize;
  gateWeight: usize;
  gateBias: usize;
  /** The address of the {@linkcode Layer}s. */
  layerTable: usize;
}

// @ts-ignore: decorator
@unmanaged
export class Layer {
  attentionGain: usize;
  conv: usize;
  qkv: usize;
  out: usize;
  mlpGain: usize;
  gateUp: usize;
  down: usize;
}

/** Consecutive rows of a batch that belong to one sequence. */
// @ts-ignore: decorator
@unmanaged
export class Segment {
  row: i32;
  count: i32;
  /** The position of the segment's first row in the sequence. */
  position: i32;
  /**
   * The page table: for each of the sequence's pages, the address of the page and the address of its block in the first
   * stream.
   */
  table: usize;
  /**
   * The address of the convolutions' last inputs, `[layers][2][dim]`; 0 if the segment begins its sequence and nothing
   * needs to be kept.
   */
  state: usize;
  /** The index of the segment's first {@linkcode LossRow} in the batch. */
  lossStart: i32;
  /** The number of loss rows in the segment. */
  lossCount: i32;
}

/** A position whose next token is learned. */
// @ts-ignore: decorator
@unmanaged
export class LossRow {
  row: i32;
  target: i32;
  oldLogprob: f32;
  advantage: f32;
  referenceLogprob: f32;
  /**
   * The log probability of `target`. The kernels write this field and the fields after it, or, in {@linkcode SCORE}
   * mode, only `referenceLogprob`.
   */
  logprob: f32;
  entropy: f32;
  clipped: i32;
}

/** Sequences that go through the network in one batch. */
// @ts-ignore: decorator
@unmanaged
export class Batch {
  rows: i32;
  segments: i32;
  segmentTable: usize;
  ids: usize;
  lossTable: usize;
}

/** The batches assigned to one worker, and the operation to perform on them. */
// @ts-ignore: decorator
@unmanaged
export class TrainJob {
  model: usize;
  scratch: usize;
  scratchEnd: usize;
  /** The worker's gradient, to which the job adds. */
  gradient: usize;
  batches: i32;
  batchTable: usize;
  mode: i32;
  /** 1 / (number of learned tokens in the whole step). */
  scale: f32;
  clipLow: f32;
  clipHigh: f32;
  klCoef: f32;
  entropyCoef: f32;
  /** 1 if all loss rows of a segment use the geometric mean of their ratios; 0 if each row uses its own ratio. */
  sequenceRatio: i32;
}

/** Values of {@linkcode TrainJob.mode}. */
export const SUPERVISED: i32 = 0;
export const REINFORCE: i32 = 1;
/** Runs only the forward pass and writes the log probabilities to `referenceLogprob`. */
export const SCORE: i32 = 2;

/** A continuation that is being sampled. */
// @ts-ignore: decorator
@unmanaged
export class Request {
  table: usize;
  state: usize;
  /** The number of tokens whose keys and values are in the pages. */
  position: i32;
  /** The address of the ids to feed. */
  pending: usize;
  /** The number of ids to feed. */
  pendingCount: i32;
  /** The maximum number of tokens to sample in this job; 0 if a later job feeds the rest of the prompt. */
  budget: i32;
  temperature: f32;
  stops: usize;
  stopCount: i32;
  /** The address of the uniform random numbers (f64), one per token to sample. */
  uniforms: usize;
  /** The address to which the sampled ids (i32) are written. */
  ids: usize;
  /** The address to which the log probabilities of the sampled ids (f32) are written. */
  logprobs: usize;
  produced: i32;
  stopped: i32;
}

// @ts-ignore: decorator
@unmanaged
export class SampleJob {
  model: usize;
  /** The number of bytes from one stream to the next. */
  stream: usize;
  scratch: usize;
  scratchEnd: usize;
  requests: i32;
  requestTable: usize;
  maxRows: i32;
  maxContext: i32;
}

/** The number of positions in a page. */
export const PAGE: i32 = 32;
/** The size in bytes of a page's ids, which are at its beginning. */
export const PAGE_IDS_BYTES: usize = 128;

// @ts-ignore: decorator
@inline
export function layerAt(model: Model, layer: i32): Layer {
  return changetype<Layer>(
    model.layerTable + <usize> layer * offsetof<Layer>(),
  );
}

// @ts-ignore: decorator
@inline
export function segmentAt(table: usize, index: i32): Segment {
  return changetype<Segment>(table + <usize> index * offsetof<Segment>());
}

/**
 * Returns the address of the page that contains a position. A page consists of ids, convolution tails and pointer keys.
 */
// @ts-ignore: decorator
@inline
export function pageOf(table: usize, position: i32): usize {
  return load<usize>(table + (<usize> (position >> 5) << 3));
}

/** Returns the address of the block in the first stream that belongs to the page of a position. */
// @ts-ignore: decorator
@inline
export function blockOf(table: usize, position: i32): usize {
  return load<usize>(table + (<usize> (position >> 5) << 3), 4);
}
