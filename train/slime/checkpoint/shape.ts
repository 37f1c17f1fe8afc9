/** A model's shape out of what lies beside its weights: `config.json`, or the arguments of the run that wrote them. */

import { z } from "zod";
import { DataError } from "../../../env/errors.ts";
import { HEAD_DIM, type ModelShape, VOCAB_SIZE } from "../model_shapes.ts";
import { parseJsonObject } from "./byte_file.ts";
import type { CheckpointShape } from "./checkpoint_layout.ts";
import type { MegatronArguments } from "./torch_dist.ts";

/** More layers, heads or channels are none of a model; a file that says so is damaged. */
const size = z.int().min(1).max(1_000_000);
const layers = z.int().min(1).max(1000);

const shapeSchema = z.object({
  layers,
  hidden: size,
  ffn: size,
  heads: size,
  kvGroups: size,
  headDim: size,
  vocab: z.int().min(1).max(10_000_000),
  ropeBase: z.number(),
  tied: z.boolean(),
}).refine(({ heads, kvGroups }) => heads % kvGroups === 0, {
  path: ["kvGroups"],
  message: "does not divide the heads",
});

/** The shape of a model that has one here. */
export function fullShape(
  { positions: _, ...shape }: ModelShape,
): CheckpointShape {
  return { ...shape, headDim: HEAD_DIM, vocab: VOCAB_SIZE };
}

/**
 * The shape that a `config.json` says.
 * @throws {DataError} If it is no dense Qwen3, or a number is missing or cannot be.
 */
export function shapeOfConfig(text: string, path: string): CheckpointShape {
  const config = parseJsonObject(new TextEncoder().encode(text), path);
  if (config.model_type !== "qwen3") {
    throw new DataError(
      `"${path}" is of the type ${
        JSON.stringify(config.model_type)
      }, and the tensors of "qwen3" are known here`,
      { path },
    );
  }
  const rope = config.rope_parameters as { rope_theta?: unknown } | undefined;
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  return parseShape(path, {
    layers: config.num_hidden_layers,
    hidden,
    ffn: config.intermediate_size,
    heads,
    kvGroups: config.num_key_value_heads ?? heads,
    headDim: config.head_dim ?? Number(hidden) / Number(heads),
    vocab: config.vocab_size,
    ropeBase: config.rope_theta ?? rope?.rope_theta ?? 10_000,
    tied: config.tie_word_embeddings ?? false,
  });
}

/**
 * The shape that the run's arguments in `common.pt` say; `undefined` where they do not say all.
 * @throws {DataError} If a number cannot be.
 */
export function shapeOfArguments(
  args: MegatronArguments,
  path: string,
): CheckpointShape | undefined {
  const heads = args.get("num_attention_heads");
  const untied = args.get("untie_embeddings_and_output_weights");
  const shape = {
    layers: args.get("num_layers"),
    hidden: args.get("hidden_size"),
    ffn: args.get("ffn_hidden_size"),
    heads,
    kvGroups: args.get("num_query_groups") ?? heads,
    headDim: args.get("kv_channels"),
    vocab: args.get("vocab_size"),
    ropeBase: args.get("rotary_base") ?? 10_000,
    tied: untied === undefined ? undefined : !untied,
  };
  const known = Object.values(shape).every((value) => value !== undefined);
  return known ? parseShape(path, shape) : undefined;
}

function parseShape(path: string, shape: unknown): CheckpointShape {
  const result = shapeSchema.safeParse(shape);
  if (result.success) return result.data;
  const { path: [key], message } = result.error.issues[0]!;
  throw new DataError(
    `"${path}" gives a model that cannot be: ${String(key)}: ${message}`,
    { path, cause: result.error, hint: "download or write it again" },
  );
}

/** Where two shapes differ, each as `layers 36, not 28`. */
export function shapeDifferences(
  found: CheckpointShape,
  wanted: CheckpointShape,
): string[] {
  const keys = Object.keys(wanted) as (keyof CheckpointShape)[];
  return keys.filter((key) => found[key] !== wanted[key])
    .map((key) => `${key} ${found[key]}, not ${wanted[key]}`);
}
