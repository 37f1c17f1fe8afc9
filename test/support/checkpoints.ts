/** Writes small checkpoints in Hugging Face's and Megatron's formats, which tests may damage. */

import { join } from "node:path";
import {
  hfTensors,
  megatronChunks,
  type SyntheticChunk,
  SyntheticNumbers,
  type SyntheticTensor,
  writeHf,
  writeTorchDist,
} from "../../train/slime/checkpoint/synthetic_checkpoint.ts";
import type { CheckpointShape } from "../../train/slime/checkpoint/checkpoint_layout.ts";
import {
  verifyCheckpoints,
  type VerifyReport,
} from "../../train/slime/checkpoint/verify_checkpoint.ts";
import { openCheckpoint } from "../../train/slime/checkpoint/tensor_view.ts";

/** The shape of a Qwen3 model with a few thousand parameters, a tied embedding, and two groups of two heads. */
export const TINY: CheckpointShape = {
  layers: 3,
  hidden: 32,
  ffn: 48,
  heads: 4,
  kvGroups: 2,
  headDim: 8,
  vocab: 100,
  ropeBase: 1_000_000,
  tied: true,
};

/** Options for {@linkcode writePair}. */
export interface PairOptions {
  readonly shape?: CheckpointShape;
  /** Returns the tensors to write to the Hugging Face directory, given the original ones. Default: no changes. */
  readonly hf?: (tensors: SyntheticTensor[]) => SyntheticTensor[];
  /** Returns the chunks to write to the Megatron checkpoint, given the original ones. Default: no changes. */
  readonly megatron?: (chunks: SyntheticChunk[]) => SyntheticChunk[];
  readonly shardBytes?: number;
}

/** A Hugging Face and a Megatron checkpoint of the same model. Megatron's vocabulary is padded to a multiple of 128. */
export interface Pair {
  readonly hf: string;
  readonly megatron: string;
  /** The directory in the Megatron checkpoint that contains `.metadata`. */
  readonly release: string;
}

/** Writes a pair of checkpoints under `dir`. */
export async function writePair(
  dir: string,
  { shape = TINY, hf = same, megatron = same, shardBytes = 20_000 }:
    PairOptions = {},
): Promise<Pair> {
  const numbers = new SyntheticNumbers(65_536);
  const pair = {
    hf: join(dir, "hf"),
    megatron: join(dir, "megatron"),
    release: join(dir, "megatron", "release"),
  };
  const vocabRows = Math.ceil(shape.vocab / 128) * 128;
  await writeHf(pair.hf, {
    shape,
    tensors: hf([...hfTensors(shape, numbers)]),
    shardBytes,
  });
  await writeTorchDist(pair.megatron, {
    shape,
    chunks: megatron([...megatronChunks(shape, numbers, { vocabRows })]),
  });
  return pair;
}

function same<T>(value: T): T {
  return value;
}

/**
 * Verifies a checkpoint, and compares it with `other` if given. By default, blocks are so small that the larger tensors
 * are read in several blocks.
 */
export async function verify(
  one: string,
  other?: string,
  { shape = TINY, blockBytes = 1000 }: {
    shape?: CheckpointShape;
    blockBytes?: number;
  } = {},
): Promise<VerifyReport> {
  using left = openCheckpoint(one);
  using right = other === undefined ? undefined : openCheckpoint(other);
  return await verifyCheckpoints(left, { shape, other: right, blockBytes });
}

/** Returns the kind of each fault in a report, followed by the names of the affected tensors. */
export function faultsOf({ faults }: VerifyReport): string[] {
  return faults.map(({ kind, tensors }) =>
    `${kind} ${tensors.join(" ")}`.trim()
  );
}
