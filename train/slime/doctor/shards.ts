/**
 * The weights of a Hugging Face directory, as its files say they are: which shards there have to be, and how
 * long each is.
 *
 * @see https://github.com/huggingface/safetensors: eight bytes of length, that many of JSON, then the data.
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

/** The file that names the shards. */
export const INDEX_FILE = "model.safetensors.index.json";
/** The file that holds all weights where there is no index. */
export const SINGLE_FILE = "model.safetensors";

/** A file of weights as a host has it. */
export interface Shard {
  readonly name: string;
  /** Bytes that are there. */
  readonly size: number;
  readonly isReadable: boolean;
  /** Bytes of its header; `null` where the file is too short for one. */
  readonly headerLength: number | null;
}

/** What a header says. */
export interface ShardHeader {
  readonly tensors: readonly string[];
  /** Numbers in all tensors. */
  readonly parameters: number;
  /** Bytes of the whole file. */
  readonly size: number;
}

/** Shards by their names, with the tensors that the index puts into each. `null` where the text is no index. */
export function parseIndex(text: string): Map<string, string[]> | null {
  const index = indexSchema.safeParse(modelJsonIfAny(text)).data;
  if (index === undefined) return null;
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(index.weight_map)) {
    shards.set(shard, [...shards.get(shard) ?? [], tensor]);
  }
  return shards;
}

/** Reads a header's JSON. `null` where it is none. */
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
