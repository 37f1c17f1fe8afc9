/** The checkpoint's own config against the model that the recipe names: slime takes the shape from the recipe. */

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

/** The check `model-config`. */
export const check: Check = {
  id: "model-config",
  order: 100,
  title: "config.json is of the recipe's model, rope base first",
  async run(context) {
    const { facts, config: { model }, model: shape } = context;
    const path = `${model.directory}/config.json`;
    const text = await facts.modelFile("config.json");
    if (text === undefined) {
      throw new DataError(
        `"${path}" is missing`,
        { path, hint: "see the check model-files" },
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
      `config.json is of ${model.name}: rope base ${shape.ropeBase}, ${shape.layers} layers`,
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
      `${key} is ${JSON.stringify(found) ?? "missing"} in the checkpoint and ${
        JSON.stringify(expected)
      } in model.shape`,
      "give the shape of the checkpoint, or the checkpoint of that shape",
    );
  }
  const way = fitting === null
    ? `download ${model.name} to model.directory, or name the model that is there in model.name`
    : `set model.name to ${fitting}, which is what is there, or model.directory to a ${model.name}`;
  return fail(
    `${key} is ${JSON.stringify(found) ?? "missing"} in the checkpoint and ${
      JSON.stringify(expected)
    } for ${model.name}`,
    way,
  );
}

/** The model that a config is of, if it is one of ours. */
function modelNameOf(text: string, path: string): string | null {
  const found = Object.entries(MODEL_PRESETS).find(([, shape]) =>
    shapeMismatches(shape, { text, path }).length === 0
  );
  return found?.[0] ?? null;
}

/** Weights of a base model or of an adapter have configs that fit, and too few numbers. */
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
  // What is damaged is the affair of the check model-files.
  if (sound.length === 0 || sound.length < headers.size) return [];
  const count = sound.reduce((sum, { parameters }) => sum + parameters, 0);
  const planned = parameterCount(shape);
  // Some checkpoints of tied models hold the embedding twice.
  const allowed = shape.tied
    ? [planned, parameterCount({ ...shape, tied: false })]
    : [planned];
  return allowed.includes(count) ? [] : [fail(
    `the weights are ${count} numbers and ${model.name} has ${planned}`,
    `download ${model.name} to model.directory; quantized models and adapters do not train here`,
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

/** Engines end an answer by these ids; the template ends it by its end token. */
async function stopFaults({ facts }: CheckContext): Promise<Observed[]> {
  const generation = generationSchema.safeParse(
    modelJsonIfAny(await facts.modelFile("generation_config.json") ?? ""),
  ).data;
  const tokenizer = tokenizerConfigSchema.safeParse(
    modelJsonIfAny(await facts.modelFile("tokenizer_config.json") ?? ""),
  ).data;
  // What is damaged, or not there, is the affair of other checks.
  if (generation === undefined || tokenizer === undefined) return [];
  const { eos_token: end, added_tokens_decoder: tokens } = tokenizer;
  const name = typeof end === "string" ? end : end.content;
  const id = Object.entries(tokens).find(([, { content }]) => content === name)
    ?.[0];
  const ids = [generation.eos_token_id ?? []].flat();
  return id === undefined || ids.includes(Number(id)) ? [] : [warn(
    `generation_config.json ends answers by ${
      ids.join(", ") || "nothing"
    }, and ${name} is ${id}`,
    `add ${id} to its eos_token_id, or take the file of the instruction-tuned model`,
  )];
}
