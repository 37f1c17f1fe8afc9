import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  MODEL_SHAPES,
  modelArguments,
  type ModelShape,
  paddedVocab,
  parameterCount,
  shapeMismatches,
} from "../../../train/slime/model_shapes.ts";

/** The config of Qwen3-4B-Instruct-2507 on Hugging Face. */
const config = {
  model_type: "qwen3",
  head_dim: 128,
  hidden_size: 2560,
  intermediate_size: 9728,
  num_attention_heads: 32,
  num_hidden_layers: 36,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_theta: 5_000_000,
  tie_word_embeddings: true,
  vocab_size: 151_936,
};

function mismatches(shape: ModelShape, value: unknown) {
  const file = { text: JSON.stringify(value), path: "m/config.json" };
  return shapeMismatches(shape, file).map(({ key }) => key);
}

Deno.test("shapeMismatches() finds nothing in the model's own config", () => {
  deepStrictEqual(
    mismatches(MODEL_SHAPES["Qwen3-4B-Instruct-2507"], config),
    [],
  );
});

Deno.test("shapeMismatches() distinguishes Qwen3-4B from its Instruct-2507 by the rope base", () => {
  deepStrictEqual(mismatches(MODEL_SHAPES["Qwen3-4B"], config), ["rope_theta"]);
});

Deno.test("shapeMismatches() reads the rope base of newer transformers", () => {
  const { rope_theta, ...rest } = config;
  const newer = { ...rest, rope_parameters: { rope_theta } };
  deepStrictEqual(
    mismatches(MODEL_SHAPES["Qwen3-4B-Instruct-2507"], newer),
    [],
  );
});

Deno.test("shapeMismatches() names every key that is missing or wrong", () => {
  for (const key of Object.keys(config)) {
    const { [key as keyof typeof config]: _, ...rest } = config;
    const shape = MODEL_SHAPES["Qwen3-4B-Instruct-2507"];
    deepStrictEqual(mismatches(shape, rest), [key]);
    deepStrictEqual(mismatches(shape, { ...rest, [key]: "other" }), [key]);
  }
});

Deno.test("shapeMismatches() rejects a text that is not a config, with its path", () => {
  const shape = MODEL_SHAPES["Qwen3-8B"];
  for (const text of ["{", "[]", "3"]) {
    throws(
      () => shapeMismatches(shape, { text, path: "m/config.json" }),
      /m\/config\.json.*download the model again/,
    );
  }
});

Deno.test("parameterCount() returns the published sizes", () => {
  strictEqual(parameterCount(MODEL_SHAPES["Qwen3-0.6B"]), 596_049_920);
  strictEqual(parameterCount(MODEL_SHAPES["Qwen3-4B"]), 4_022_468_096);
  strictEqual(parameterCount(MODEL_SHAPES["Qwen3-8B"]), 8_190_735_360);
});

Deno.test("paddedVocab() is a multiple of 128 for every rank", () => {
  deepStrictEqual([1, 2, 4, 8].map((ranks) => paddedVocab(ranks)), [
    151_936,
    152_064,
    152_064,
    152_576,
  ]);
});

Deno.test("modelArguments() unties the output layer of the models that have one", () => {
  const flag = "--untie-embeddings-and-output-weights";
  for (const [name, shape] of Object.entries(MODEL_SHAPES)) {
    strictEqual(
      modelArguments(shape).includes(flag),
      name === "Qwen3-8B",
      name,
    );
  }
});

Deno.test("modelArguments() sets the rope base of the model", () => {
  const words = modelArguments(MODEL_SHAPES["Qwen3-4B-Instruct-2507"]);
  strictEqual(words[words.indexOf("--rotary-base") + 1], "5000000");
});
