/** A model's shape out of what lies beside its weights: `config.json`, or the arguments of the run that wrote them. */

import { z } from "zod";
import { DataError } from "../../../env/errors.ts";
import { type ModelShape, SHAPE_NAMES } from "../model_shapes.ts";
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
  return shape;
}

/** The numbers of a shape out of what calls them by the names of a column of {@linkcode SHAPE_NAMES}. */
function numbersOf(
  get: (name: string) => unknown,
  column: 0 | 1,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(SHAPE_NAMES).map((
      [part, names],
    ) => [part, get(names[column])]),
  );
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
  const shape = numbersOf((name) => config[name], 0);
  const { hidden, heads } = shape;
  return parseShape(path, {
    ...shape,
    kvGroups: shape.kvGroups ?? heads,
    headDim: shape.headDim ?? Number(hidden) / Number(heads),
    ropeBase: shape.ropeBase ?? rope?.rope_theta ?? 10_000,
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
  const numbers = numbersOf((name) => args.get(name), 1);
  const untied = args.get("untie_embeddings_and_output_weights");
  const shape = {
    ...numbers,
    kvGroups: numbers.kvGroups ?? numbers.heads,
    ropeBase: numbers.ropeBase ?? 10_000,
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
