import assert from "node:assert/strict";
import { ConfigError } from "../../../../env/errors.ts";
import { parseSet } from "../../../../train/config/config.ts";
import {
  activeParameterCount,
  MODEL_SHAPES,
  modelArguments,
  parameterCount,
  shapeMismatches,
} from "../../../../train/slime/model_shapes.ts";
import { episodeOperations } from "../../../../train/slime/plan/train_time.ts";
import { groupWords } from "../../../../train/slime/shapes/argument_words.ts";
import {
  MODEL_PRESETS,
  repositoryOf,
} from "../../../../train/slime/shapes/model_presets.ts";
import { shapeOfWords } from "../../../../train/slime/shapes/shape_of_words.ts";
import { shapeOfConfig } from "../../../../train/slime/shapes/words_of_config.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";

const INSTRUCT_CONFIG = {
  model_type: "qwen3",
  head_dim: 128,
  hidden_size: 2560,
  intermediate_size: 9728,
  max_position_embeddings: 262_144,
  num_attention_heads: 32,
  num_hidden_layers: 36,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 5_000_000,
  tie_word_embeddings: true,
  vocab_size: 151_936,
};

const MOE_CONFIG = {
  ...INSTRUCT_CONFIG,
  model_type: "qwen3_moe",
  hidden_size: 2048,
  intermediate_size: 6144,
  max_position_embeddings: 40_960,
  num_hidden_layers: 48,
  num_key_value_heads: 4,
  rope_theta: 1_000_000,
  tie_word_embeddings: false,
  num_experts: 128,
  num_experts_per_tok: 8,
  moe_intermediate_size: 768,
  decoder_sparse_step: 1,
  mlp_only_layers: [],
};

const AIR_CONFIG = {
  model_type: "glm4_moe",
  attention_bias: true,
  first_k_dense_replace: 1,
  head_dim: 128,
  hidden_size: 4096,
  intermediate_size: 10_944,
  max_position_embeddings: 131_072,
  moe_intermediate_size: 1408,
  n_routed_experts: 128,
  n_shared_experts: 1,
  num_attention_heads: 96,
  num_experts_per_tok: 8,
  num_hidden_layers: 46,
  num_key_value_heads: 8,
  partial_rotary_factor: 0.5,
  rms_norm_eps: 1e-5,
  rope_theta: 1_000_000,
  routed_scaling_factor: 1,
  tie_word_embeddings: false,
  use_qk_norm: false,
  vocab_size: 151_552,
};

/** Normalizes flags, so that order, number formats and Megatron's defaults do not matter. */
function flagsOf(words: readonly string[]): string[] {
  return groupWords(words).map(({ flag, values }) =>
    [
      flag,
      ...values.map((one) => Number.isNaN(Number(one)) ? one : Number(one)),
    ]
      .join(" ")
  ).filter((flag) =>
    flag !== "--norm-epsilon 0.00001" &&
    flag !== "--use-rotary-position-embeddings"
  ).sort();
}

Deno.test("shapeOfConfig() returns the arguments of slime's scripts", () => {
  const cases = [
    [
      INSTRUCT_CONFIG,
      modelArguments(MODEL_SHAPES["Qwen3-4B-Instruct-2507"]),
    ],
    [MOE_CONFIG, MODEL_PRESETS["Qwen3-30B-A3B"]!.arguments!],
    [AIR_CONFIG, MODEL_PRESETS["GLM-4.5-Air"]!.arguments!],
  ] as const;
  for (const [config, words] of cases) {
    const shape = shapeOfConfig(config, "config.json");
    assert.deepEqual(flagsOf(shape.arguments!), flagsOf(words));
    assert.equal(shape.positions, config.max_position_embeddings);
  }
});

Deno.test("shapeMismatches() finds no difference in the config of the same model with experts, and each difference in another's", () => {
  const air = MODEL_PRESETS["GLM-4.5-Air"]!;
  const moe = MODEL_PRESETS["Qwen3-30B-A3B"]!;
  const of = (shape: typeof air, config: unknown) =>
    shapeMismatches(shape, { text: JSON.stringify(config), path: "x" })
      .map(({ key }) => key);
  assert.deepEqual(of(air, AIR_CONFIG), []);
  assert.deepEqual(of(moe, MOE_CONFIG), []);
  assert.deepEqual(of(moe, { ...MOE_CONFIG, num_experts_per_tok: 4 }), [
    "num_experts_per_tok",
  ]);
  assert.ok(of(air, MOE_CONFIG).includes("model_type"));
  const seeing = { model_type: "glm4_moe", text_config: AIR_CONFIG };
  assert.deepEqual(of(air, seeing), []);
});

Deno.test("parameterCount() returns the published sizes of models with experts, and their active parameters", () => {
  const billions = (name: string) => {
    const shape = MODEL_PRESETS[name]!;
    return [parameterCount(shape), activeParameterCount(shape)]
      .map((count) => Math.round(count / 1e8) / 10);
  };
  assert.equal(
    parameterCount(MODEL_PRESETS["Qwen3-30B-A3B"]!),
    30_532_122_624,
  );
  assert.deepEqual(billions("Qwen3-30B-A3B"), [30.5, 3.4]);
  assert.deepEqual(billions("GLM-4.5-Air"), [106.9, 13.4]);
  const [size, active] = billions("Qwen3.5-35B-A3B");
  assert.ok(size! > 33 && size! < 37 && active! > 2 && active! < 4);
});

Deno.test("episodeOperations() counts only the active experts", () => {
  const shape = MODEL_PRESETS["Qwen3-30B-A3B"]!;
  const { experts, ...rest } = shape;
  const all = { ...rest, experts: { ...experts!, active: 128 } };
  const idle = 48 * (128 - 8) * 3 * 2048 * 768;
  assert.equal(
    episodeOperations(all, 100) - episodeOperations(shape, 100),
    2 * 100 * idle,
  );
});

Deno.test("shapeOfWords() gives a dense Qwen3 the counts of its preset", () => {
  for (const shape of Object.values(MODEL_SHAPES)) {
    const read = shapeOfWords(modelArguments(shape), { origin: "x" });
    assert.equal(parameterCount(read), parameterCount(shape));
    const { layers, hidden, kvGroups, headDim, ropeBase, tied } = read;
    assert.deepEqual(
      { layers, hidden, kvGroups, headDim, ropeBase, tied },
      {
        layers: shape.layers,
        hidden: shape.hidden,
        kvGroups: shape.kvGroups,
        headDim: shape.headDim,
        ropeBase: shape.ropeBase,
        tied: shape.tied,
      },
    );
  }
});

Deno.test("shapeOfWords() reads every format of --moe-layer-freq", () => {
  const words = MODEL_PRESETS["GLM-4.5-Air"]!.arguments!;
  const layersOf = (pattern: string) => {
    const at = words.indexOf("--moe-layer-freq") + 1;
    return shapeOfWords(words.with(at, pattern), { origin: "x" }).experts
      ?.layers;
  };
  assert.equal(layersOf("[0]*1+[1]*45"), 45);
  assert.equal(layersOf("([0,1]*23)"), 23);
  assert.equal(layersOf("2"), 23);
  assert.equal(layersOf(`[${"1,".repeat(45)}1]`), 46);
  for (const pattern of ["x", "[2]*3", "[1]*47"]) {
    assert.throws(() => layersOf(pattern), ConfigError, pattern);
  }
});

Deno.test("repositoryOf() adds the owners of presets, and leaves other names unchanged", () => {
  const found = ["Qwen3.5-4B", "GLM-4.5-Air", "org/Mine", "Mine"]
    .map(repositoryOf);
  assert.deepEqual(found, [
    "Qwen/Qwen3.5-4B",
    "zai-org/GLM-4.5-Air",
    "org/Mine",
    "Mine",
  ]);
});

const RECIPE = { name: "mine", text: "trainer: slime" };

Deno.test("resolveSlime() takes a shape from slime's script, a config.json, or its keys, and keeps it in the config", () => {
  const files: Readonly<Record<string, string>> = {
    "models/mine.sh": `MODEL_ARGS=(${
      MODEL_PRESETS["GLM-4.5-Air"]!.arguments!.join(" ")
    })`,
    "hf/config.json": JSON.stringify(AIR_CONFIG),
  };
  const shapes = [
    "models/mine.sh",
    "hf/config.json",
    JSON.stringify(AIR_CONFIG),
  ].map((shape) => {
    const sets = [
      "model.name=Mine",
      `model.shape=${shape}`,
      "cluster.gpusPerNode=8",
    ];
    const { config, model } = resolveSlime(RECIPE, sets.map(parseSet), {
      read: (path) => files[path]!,
    });
    assert.equal(typeof config.model.shape, "object");
    const again = resolveSlime({
      name: "again",
      text: JSON.stringify(config),
    });
    assert.deepEqual(again.model, model);
    return parameterCount(model);
  });
  assert.deepEqual(new Set(shapes).size, 1);
});

Deno.test("resolveSlime() reports what is wrong with a model or its shape", () => {
  const cases: [string, RegExp, RegExp][] = [
    [
      "model.name=Qwen3-4b",
      /not one of the known models/,
      /did you mean "Qwen3-4B"\?/,
    ],
    [
      "model.shape=none/x.sh",
      /Cannot read model\.shape "none\/x.sh"/,
      /scripts\/models/,
    ],
    ["model.shape=none/config.json", /Cannot read/, /config\.json/],
    [
      "model.shape={model_type: mamba}",
      /unsupported model_type "mamba"/,
      /NAME\.sh/,
    ],
    [
      "model.shape={model_type: qwen3, num_hidden_layers: 3}",
      /hidden_size/,
      /NAME\.sh/,
    ],
    ["model.shape={arguments: 5}", /must be a list of strings/, /MODEL_ARGS/],
    ["model.shape={arguments: [--swiglu]}", /lack --num-layers/, /scripts/],
  ];
  for (const [set, message, hint] of cases) {
    assert.throws(
      () => resolveSlime(RECIPE, [parseSet(set)]),
      (error) =>
        error instanceof ConfigError && message.test(error.message) &&
        hint.test(String(error.hint)),
      set,
    );
  }
});

Deno.test("resolveSlime() rejects experts that the parallel sizes do not divide", () => {
  const cases: [string[], RegExp][] = [
    [
      ["parallel.expert=2"],
      /the model has no experts, but parallel\.expert is 2/,
    ],
    [["model.name=Qwen3-30B-A3B", "parallel.expert=3"], /does not divide 128/],
    [
      ["model.name=Qwen3-30B-A3B", "parallel.expert=4"],
      /does not divide the 2 GPUs of a pipeline stage/,
    ],
    [
      ["model.name=Qwen3-30B-A3B", "parallel.sequence=false"],
      /parallel\.sequence is false, but Megatron requires it/,
    ],
    [
      ["model.name=Qwen3-30B-A3B", "flags.num-experts=4"],
      /is also set by the model's shape/,
    ],
  ];
  for (const [sets, message] of cases) {
    assert.throws(
      () => resolveSlime(RECIPE, sets.map(parseSet)),
      message,
      sets.join(),
    );
  }
});
