/**
 * Reads a model's shape from the files alongside its weights: `config.json`, or the arguments of the run that wrote the
 * weights.
 */

import { z } from "zod";
import { DataError } from "../../../env/errors.ts";
import { explainIssue } from "../../../env/schema_issue.ts";
import { type ModelShape, SHAPE_NAMES } from "../model_shapes.ts";
import { parseJsonObject } from "./byte_file.ts";
import type { CheckpointShape } from "./checkpoint_layout.ts";
import type { MegatronArguments } from "./torch_dist.ts";

/**
 * The schema of a size in a shape. No model has a larger size than the maximum, so a larger size means that the file is
 * damaged.
 */
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
  experts: z.object({
    count: z.int().min(1).max(100_000),
    active: size,
    ffn: size,
    shared: z.literal(0, "shared experts are not supported"),
    layers,
  }).exactOptional(),
}).refine(({ heads, kvGroups }) => heads % kvGroups === 0, {
  path: ["kvGroups"],
  message: "must divide the number of heads",
});

/** Returns the shape of a preset, without the number of positions. */
export function fullShape(
  { positions: _, ...shape }: ModelShape,
): CheckpointShape {
  return shape;
}

/**
 * Reads the numbers of a shape.
 * @param get Returns the value for a name.
 * @param column The column of {@linkcode SHAPE_NAMES} that contains the names.
 */
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
 * Returns the shape that a `config.json` describes.
 * @throws {DataError} If the text is not a JSON object, the model is not a Qwen3 model, only some of its layers have
 * experts, or a number is missing or invalid.
 */
export function shapeOfConfig(text: string, path: string): CheckpointShape {
  const config = parseJsonObject(new TextEncoder().encode(text), path);
  const { model_type: type } = config;
  if (type !== "qwen3" && type !== "qwen3_moe") {
    throw new DataError(
      `"${path}" has ${
        type === undefined
          ? "no model_type"
          : `the unsupported model_type ${JSON.stringify(type)}`
      }; supported are "qwen3" and "qwen3_moe"`,
      {
        path,
        hint:
          "convert such a model with slime's own tools (tools/convert_*.py), without verification",
      },
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
    ...type === "qwen3_moe" && {
      experts: {
        count: config.num_experts,
        active: config.num_experts_per_tok,
        ffn: config.moe_intermediate_size,
        shared: 0,
        layers: expertLayers(config, path),
      },
    },
  });
}

/**
 * Returns the number of layers with experts.
 * @throws {DataError} If some of the layers are dense.
 */
function expertLayers(config: Record<string, unknown>, path: string): unknown {
  const { decoder_sparse_step: step = 1, mlp_only_layers: dense = [] } = config;
  if (step === 1 && Array.isArray(dense) && dense.length === 0) {
    return config.num_hidden_layers;
  }
  throw new DataError(
    `"${path}" describes a model in which only some layers have experts; such models cannot be verified`,
    {
      path,
      hint:
        "convert such a model with slime's own tools (tools/convert_*.py), without verification",
    },
  );
}

/**
 * Returns the shape from the run's arguments in `common.pt`; `undefined` if they are incomplete.
 * @throws {DataError} If a number is invalid.
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
  if (!known) return undefined;
  const count = args.get("num_experts") ?? null;
  if (count === null) return parseShape(path, shape);
  return parseShape(path, {
    ...shape,
    experts: {
      count,
      active: args.get("moe_router_topk"),
      ffn: args.get("moe_ffn_hidden_size") ?? numbers.ffn,
      shared: args.get("moe_shared_expert_intermediate_size") ?? 0,
      layers: numbers.layers,
    },
  });
}

function parseShape(path: string, shape: unknown): CheckpointShape {
  const result = shapeSchema.safeParse(shape);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new DataError(
    `"${path}" describes an invalid model: ${issue.path.join(".")}: ${
      explainIssue(issue, undefined)
    }`,
    { path, cause: result.error, hint: "download or save the file again" },
  );
}

/** Lists the differences between two shapes, such as `layers 36, not 28`. */
export function shapeDifferences(
  found: CheckpointShape,
  wanted: CheckpointShape,
): string[] {
  const [are, were] = [flat(found), flat(wanted)];
  return Object.keys({ ...are, ...were })
    .filter((key) => are[key] !== were[key])
    .map((key) => `${key} ${are[key] ?? "none"}, not ${were[key] ?? "none"}`);
}

/** Flattens a shape: the numbers of the experts get names such as `experts.count`. */
function flat({ experts = {}, ...shape }: object & {
  readonly experts?: object;
}): Record<string, unknown> {
  const named = Object.entries(experts).map(([key, value]) =>
    [`experts.${key}`, value] as const
  );
  return { ...shape, ...Object.fromEntries(named) };
}
