/**
 * Compares the checkpoint's config and number of parameters with the recipe's model, because slime takes the shape from
 * the recipe. Also checks the end tokens.
 */

import { modelJsonIfAny } from "../../../../env/tokens/model_dir.ts";
import { z } from "zod";
import { DataError } from "../../../../env/errors.ts";
import {
  isCountExact,
  parameterCount,
  shapeMismatches,
} from "../../model_shapes.ts";
import { MODEL_PRESETS } from "../../shapes/model_presets.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  verdict,
  warn,
} from "../check.ts";
import { listModel, readHeaders } from "../host_shards.ts";

/** The `model-config` check. */
export const check: Check = {
  id: "model-config",
  order: 100,
  title: "config.json matches the recipe's model, including the rope base",
  async run(context) {
    const { facts, config: { model }, model: shape } = context;
    const path = `${model.directory}/config.json`;
    const text = await facts.modelFile("config.json");
    if (text === undefined) {
      throw new DataError(
        `"${path}" is missing`,
        { path, hint: 'fix what the check "model-files" reports' },
      );
    }
    const mismatches = shapeMismatches(shape, { text, path });
    return verdict(
      [
        ...mismatches.map((one) =>
          mismatch(one, { text, config: context.config })
        ),
        ...await countFaults(context),
        ...await stopFaults(context),
      ],
      `config.json matches ${model.name}: rope base ${shape.ropeBase}, ${shape.layers} ${
        shape.layers === 1 ? "layer" : "layers"
      }`,
    );
  },
};

function mismatch(
  { key, expected, found }: {
    readonly key: string;
    readonly expected: unknown;
    readonly found: unknown;
  },
  { text, config: { model } }: { text: string; config: SlimeConfig },
): Observed {
  const fitting = modelNameOf(text, `${model.directory}/config.json`);
  if (model.shape !== null) {
    return fail(
      `${key} is ${JSON.stringify(found) ?? "missing"} in the checkpoint, but ${
        JSON.stringify(expected)
      } in model.shape`,
      "set model.shape to the checkpoint's shape, or use a checkpoint of that shape",
    );
  }
  const way = fitting === null
    ? `download ${model.name} to model.directory, or describe the model that is there with model.shape`
    : `set model.name to ${fitting}, which matches the checkpoint, or model.directory to a ${model.name} checkpoint`;
  return fail(
    `${key} is ${JSON.stringify(found) ?? "missing"} in the checkpoint, but ${
      JSON.stringify(expected)
    } for ${model.name}`,
    way,
  );
}

/** Returns the name of the first preset whose shape matches a config; `null` if there is none. */
function modelNameOf(text: string, path: string): string | null {
  const found = Object.entries(MODEL_PRESETS).find(([, shape]) =>
    shapeMismatches(shape, { text, path }).length === 0
  );
  return found?.[0] ?? null;
}

/** Checks the number of parameters. Adapters and quantized models have a matching config, but too few parameters. */
async function countFaults(
  { hosts: [head], config: { model }, model: shape, signal }: CheckContext,
): Promise<Observed[]> {
  if (head === undefined || !isCountExact(shape)) return [];
  const there = await listModel(head, model.directory, { signal });
  const shards = [...there?.shards.values() ?? []];
  const headers = await readHeaders(head, {
    dir: model.directory,
    shards,
    signal,
  });
  const sound = [...headers.values()].filter((header) => header !== null);
  // The `model-files` check reports damaged files.
  if (sound.length === 0 || sound.length < headers.size) return [];
  const count = sound.reduce((sum, { parameters }) => sum + parameters, 0);
  const planned = parameterCount(shape);
  // Some checkpoints of tied models contain the embedding twice.
  const allowed = shape.tied
    ? [planned, parameterCount({ ...shape, tied: false })]
    : [planned];
  return allowed.includes(count) ? [] : [fail(
    `the weights have ${count} parameters, but ${model.name} has ${planned}`,
    `download ${model.name} to model.directory, not a quantized model or an adapter, which cannot be trained`,
  )];
}

const generationSchema = z.looseObject({
  eos_token_id: z.union([z.int(), z.array(z.int())]).optional(),
});

const tokenizerConfigSchema = z.looseObject({
  eos_token: z.union([z.string(), z.looseObject({ content: z.string() })]),
  added_tokens_decoder: z.record(
    z.string(),
    z.looseObject({ content: z.string() }),
  ),
});

/**
 * Checks the end tokens. Engines stop at the ids in `generation_config.json`, which must include the tokenizer's end
 * token, because the chat template ends answers with it.
 */
async function stopFaults({ facts }: CheckContext): Promise<Observed[]> {
  const generation = generationSchema.safeParse(
    modelJsonIfAny(await facts.modelFile("generation_config.json") ?? ""),
  ).data;
  const tokenizer = tokenizerConfigSchema.safeParse(
    modelJsonIfAny(await facts.modelFile("tokenizer_config.json") ?? ""),
  ).data;
  // Other checks report damaged or missing files.
  if (generation === undefined || tokenizer === undefined) return [];
  const { eos_token: end, added_tokens_decoder: tokens } = tokenizer;
  const name = typeof end === "string" ? end : end.content;
  const id = Object.entries(tokens).find(([, { content }]) => content === name)
    ?.[0];
  const ids = [generation.eos_token_id ?? []].flat();
  return id === undefined || ids.includes(Number(id)) ? [] : [warn(
    `eos_token_id in generation_config.json is ${
      ids.join(", ") || "not set"
    }, but the tokenizer's end token ${name} has the id ${id}`,
    `add ${id} to eos_token_id, or use the generation_config.json of the instruction-tuned model`,
  )];
}
