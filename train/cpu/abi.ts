/**
 * The binary interface between the host and the kernels: structs whose fields are 4 bytes each, in the same order as in
 * `kernels/model.ts`.
 */

import type { SharedHeap } from "./memory.ts";

/** The names and types of a struct's fields, in order. Addresses are `i32`. */
type Struct = Readonly<Record<string, "i32" | "f32">>;

/** The values of a struct's fields. */
export type Values<S extends Struct> = Readonly<Record<keyof S, number>>;

/** The number of positions per page of the key-value cache. */
export const PAGE = 32;

export const MODEL = {
  vocab: "i32",
  dim: "i32",
  layers: "i32",
  heads: "i32",
  headDim: "i32",
  hidden: "i32",
  pointerDim: "i32",
  weights: "i32",
  panels: "i32",
  backPanels: "i32",
  ropeCos: "i32",
  ropeSin: "i32",
  zeros: "i32",
  pageTails: "i32",
  pagePointer: "i32",
  pageBytes: "i32",
  embedding: "i32",
  finalGain: "i32",
  pointerQuery: "i32",
  pointerKey: "i32",
  gateWeight: "i32",
  gateBias: "i32",
  layerTable: "i32",
} as const satisfies Struct;

export const LAYER = {
  attentionGain: "i32",
  conv: "i32",
  qkv: "i32",
  out: "i32",
  mlpGain: "i32",
  gateUp: "i32",
  down: "i32",
} as const satisfies Struct;

export const SEGMENT = {
  row: "i32",
  count: "i32",
  position: "i32",
  table: "i32",
  state: "i32",
  lossStart: "i32",
  lossCount: "i32",
} as const satisfies Struct;

export const LOSS_ROW = {
  row: "i32",
  target: "i32",
  oldLogprob: "f32",
  advantage: "f32",
  referenceLogprob: "f32",
  logprob: "f32",
  entropy: "f32",
  clipped: "i32",
} as const satisfies Struct;

export const BATCH = {
  rows: "i32",
  segments: "i32",
  segmentTable: "i32",
  ids: "i32",
  lossTable: "i32",
} as const satisfies Struct;

export const TRAIN_JOB = {
  model: "i32",
  scratch: "i32",
  scratchEnd: "i32",
  gradient: "i32",
  batches: "i32",
  batchTable: "i32",
  mode: "i32",
  scale: "f32",
  clipLow: "f32",
  clipHigh: "f32",
  klCoef: "f32",
  entropyCoef: "f32",
  sequenceRatio: "i32",
} as const satisfies Struct;

/** The values of a training job's `mode` field. */
export const TRAIN_MODE = { supervised: 0, reinforce: 1, score: 2 } as const;

export const REQUEST = {
  table: "i32",
  state: "i32",
  position: "i32",
  pending: "i32",
  pendingCount: "i32",
  budget: "i32",
  temperature: "f32",
  stops: "i32",
  stopCount: "i32",
  uniforms: "i32",
  ids: "i32",
  logprobs: "i32",
  produced: "i32",
  stopped: "i32",
} as const satisfies Struct;

export const SAMPLE_JOB = {
  model: "i32",
  stream: "i32",
  scratch: "i32",
  scratchEnd: "i32",
  requests: "i32",
  requestTable: "i32",
  maxRows: "i32",
  maxContext: "i32",
} as const satisfies Struct;

export const OPTIMIZER_JOB = {
  start: "i32",
  end: "i32",
  weights: "i32",
  gradients: "i32",
  gradientCount: "i32",
  first: "i32",
  second: "i32",
  squares: "i32",
  decayEnd: "i32",
  gradientScale: "f32",
  learningRate: "f32",
  beta1: "f32",
  beta2: "f32",
  epsilon: "f32",
  weightDecay: "f32",
  correction1: "f32",
  correction2: "f32",
} as const satisfies Struct;

/** Returns the size of a struct in bytes. */
export function sizeOf(struct: Struct): number {
  return Object.keys(struct).length * 4;
}

/** Writes a struct at an address. */
export function writeStruct<S extends Struct>(
  heap: SharedHeap,
  at: number,
  struct: S,
  values: Values<S>,
): void {
  const { ints, floats } = heap;
  let index = at >>> 2;
  for (const name in struct) {
    (struct[name] === "f32" ? floats : ints)[index++] = values[name];
  }
}
