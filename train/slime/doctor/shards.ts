/**
 * Parses the index and the shard headers of a Hugging Face directory. The index lists the shards that must exist, and
 * each header determines the size that its shard must have.
 *
 * @see https://github.com/huggingface/safetensors: a file consists of eight bytes with the header's length, the header
 * in JSON, and the data.
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

/** The name of the index file, which lists the shards. */
export const INDEX_FILE = "model.safetensors.index.json";
/** The name of the weight file in a directory that has a single weight file and no index. */
export const SINGLE_FILE = "model.safetensors";

/** A file of weights on a host. */
export interface Shard {
  readonly name: string;
  /** The actual size in bytes. */
  readonly size: number;
  readonly isReadable: boolean;
  /** The length of the header in bytes; `null` if the file is not readable or too short to contain one. */
  readonly headerLength: number | null;
}

/** The contents of a shard's header. */
export interface ShardHeader {
  readonly tensors: readonly string[];
  /** The total number of elements in the shard's tensors. */
  readonly parameters: number;
  /** The size in bytes that the file must have according to the header. */
  readonly size: number;
}

/**
 * Parses an index.
 * @returns The names of the tensors in each shard, keyed by the shard's name; `null` if the text is not an index.
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

/**
 * Parses the JSON of a header.
 * @returns The header's contents; `null` if they are invalid.
 */
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
