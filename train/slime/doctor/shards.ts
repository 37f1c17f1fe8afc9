/**
 * Reads the headers of the weight files in a Hugging Face directory: which shards must exist, and how long each must
 * be.
 *
 * @see https://github.com/huggingface/safetensors: eight bytes that hold a length, that many bytes of JSON, then the
 * data.
 */

import { modelJsonIfAny } from "../../../env/tokens/model_dir.ts";
import { parseJson } from "../../runs/versions.ts";
import { z } from "zod";

const headerSchema = z.record(
  z.string(),
  z.looseObject({
    data_offsets: z.tuple([z.int().min(0), z.int().min(0)]).optional(),
    shape: z.array(z.int().min(0)).optional(),
  }),
);

const indexSchema = z.looseObject({
  weight_map: z.record(z.string(), z.string()),
});

/** The name of the file that lists the shards. */
export const INDEX_FILE = "model.safetensors.index.json";
/** The name of the single weight file if there is no index. */
export const SINGLE_FILE = "model.safetensors";

/** A file of weights on a host. */
export interface Shard {
  readonly name: string;
  /** Its actual size in bytes. */
  readonly size: number;
  readonly isReadable: boolean;
  /** The length of its header in bytes; `null` if the file is too short for one. */
  readonly headerLength: number | null;
}

/** The contents of a shard's header. */
export interface ShardHeader {
  readonly tensors: readonly string[];
  /** The number of elements in all tensors. */
  readonly parameters: number;
  /** The size in bytes that the file must have. */
  readonly size: number;
}

/**
 * Parses an index.
 * @returns The shards by name, with the names of their tensors; `null` if the text is not an index.
 */
export function parseIndex(text: string): Map<string, string[]> | null {
  const index = indexSchema.safeParse(modelJsonIfAny(text)).data;
  if (index === undefined) return null;
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(index.weight_map)) {
    shards.set(shard, [...shards.get(shard) ?? [], tensor]);
  }
  return shards;
}

/** Parses a header's JSON; `null` if it is invalid. */
export function parseShardHeader(
  text: string,
  headerLength: number,
): ShardHeader | null {
  const header = headerSchema.safeParse(parseJson(text)).data;
  if (header === undefined) return null;
  const tensors = Object.entries(header).filter(([name]) =>
    name !== "__metadata__"
  );
  const ends = tensors.map(([, { data_offsets }]) => data_offsets?.[1] ?? 0);
  return {
    tensors: tensors.map(([name]) => name),
    parameters: tensors.reduce(
      (sum, [, { shape = [] }]) => sum + shape.reduce((a, b) => a * b, 1),
      0,
    ),
    size: 8 + headerLength + Math.max(0, ...ends),
  };
}
