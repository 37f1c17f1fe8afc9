import assert from "node:assert/strict";
import { parseSet } from "../../../../train/config/config.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";
import { slimeSchema } from "../../../../train/slime/slime_schema.ts";
import {
  flagFaults,
  unknownFlags,
} from "../../../../train/slime/plan/flag_check.ts";
import { faultText } from "../../../../train/slime/fault.ts";
import { KNOWN_FLAGS } from "../../../../train/slime/plan/flag_names.ts";
import {
  type FlagSettings,
  flagWords,
  keyedFlags,
  trainFlags,
} from "../../../../train/slime/plan/flags.ts";

const recipe = {
  name: "qwen3-4b.yaml",
  text: await Deno.readTextFile(
    new URL("../../../../train/recipes/qwen3-4b.yaml", import.meta.url),
  ),
};

const settings: FlagSettings = {
  run: "a1",
  checkpoints: "/ckpt/run",
  huggingFace: null,
  promptData: "/rows/retail_train_tasks.jsonl",
  evalData: [{ name: "retail-dev", path: "/rows/retail_dev_tasks.jsonl" }],
  settings: "/rows/settings.yaml",
  routerPolicy: "consistent_hashing",
};

function flagsOf(sets: readonly string[] = [], given: FlagSettings = settings) {
  const flags = trainFlags(resolveSlime(recipe, sets.map(parseSet)), given);
  return new Map(flags.map(({ flag, values }) => [flag, values.join(" ")]));
}

/**
 * The flags that slime's example passes to train.py.
 * @see slime `examples/tau-bench/run_qwen3_4B.sh` and `scripts/models/qwen3-4B-Instruct-2507.sh` at 624b824.
 */
const EXAMPLE: Readonly<Record<string, string>> = {
  "--actor-num-nodes": "1",
  "--actor-num-gpus-per-node": "2",
  "--rollout-num-gpus": "2",
  "--colocate": "",
  "--swiglu": "",
  "--num-layers": "36",
  "--hidden-size": "2560",
  "--ffn-hidden-size": "9728",
  "--num-attention-heads": "32",
  "--group-query-attention": "",
  "--num-query-groups": "8",
  "--use-rotary-position-embeddings": "",
  "--disable-bias-linear": "",
  "--normalization": "RMSNorm",
  "--norm-epsilon": "1e-6",
  "--rotary-base": "5000000",
  "--vocab-size": "151936",
  "--kv-channels": "128",
  "--qk-layernorm": "",
  "--hf-checkpoint": "/root/Qwen3-4B-Instruct-2507/",
  "--ref-load": "/root/Qwen3-4B-Instruct-2507_torch_dist/",
  "--load": "/root/Qwen3-4B-Instruct-2507_slime/",
  "--save": "/root/Qwen3-4B-Instruct-2507_slime/",
  "--save-interval": "20",
  "--prompt-data": "/root/tau-bench/retail_train_tasks.jsonl",
  "--input-key": "prompt",
  "--rollout-shuffle": "",
  "--num-rollout": "500",
  "--rollout-batch-size": "32",
  "--n-samples-per-prompt": "8",
  "--rollout-max-response-len": "1024",
  "--rollout-temperature": "1",
  "--global-batch-size": "256",
  "--dynamic-sampling-filter-path":
    "slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std",
  "--balance-data": "",
  "--eval-interval": "5",
  "--eval-prompt-data": "retail-dev /root/tau-bench/retail_dev_tasks.jsonl",
  "--n-samples-per-eval-prompt": "1",
  "--eval-max-response-len": "1024",
  "--eval-top-k": "1",
  "--tensor-model-parallel-size": "2",
  "--sequence-parallel": "",
  "--pipeline-model-parallel-size": "1",
  "--context-parallel-size": "1",
  "--expert-model-parallel-size": "1",
  "--expert-tensor-parallel-size": "1",
  "--recompute-granularity": "full",
  "--recompute-method": "uniform",
  "--recompute-num-layers": "1",
  "--use-dynamic-batch-size": "",
  "--max-tokens-per-gpu": "9216",
  "--advantage-estimator": "grpo",
  "--use-kl-loss": "",
  "--kl-loss-coef": "0.00",
  "--kl-loss-type": "low_var_kl",
  "--entropy-coef": "0.00",
  "--eps-clip": "0.2",
  "--eps-clip-high": "0.28",
  "--optimizer": "adam",
  "--lr": "1e-6",
  "--lr-decay-style": "constant",
  "--weight-decay": "0.1",
  "--adam-beta1": "0.9",
  "--adam-beta2": "0.98",
  "--rollout-num-gpus-per-engine": "1",
  "--sglang-mem-fraction-static": "0.7",
  "--attention-dropout": "0.0",
  "--hidden-dropout": "0.0",
  "--accumulate-allreduce-grads-in-fp32": "",
  "--attention-softmax-in-fp32": "",
  "--attention-backend": "flash",
  "--custom-generate-function-path": "generate_with_tau.generate",
};

/** Flags in the comments of the example or in its README. */
const EXAMPLE_COMMENTS = [
  "--use-wandb",
  "--wandb-project",
  "--wandb-group",
  "--sglang-server-concurrency",
];

/** The flags whose values differ between the recipe and the example, each with the reason. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  "--hf-checkpoint": "a slash at the end",
  "--ref-load": "slime loads the Hugging Face directory itself",
  "--load": "a directory of each run's own",
  "--save": "a directory of each run's own",
  "--prompt-data": "the run's own copy, with env and split in each row",
  "--eval-prompt-data": "the run's own copy, with env and split in each row",
  "--dynamic-sampling-filter-path": "leaves failed episodes out",
  "--custom-generate-function-path": "ours",
};

/** The flags of the example that the recipe omits, each with the reason. */
const OMISSIONS: Readonly<Record<string, string>> = {
  "--use-kl-loss": "at coefficient 0, a pass of the reference for a metric",
  "--kl-loss-coef": "of the KL loss",
  "--kl-loss-type": "of the KL loss",
};

/** The flags that the recipe passes in addition to those of the example, each with the reason. */
const ADDITIONS: Readonly<Record<string, string>> = {
  "--num-gpus-per-node": "slime takes 8 for granted",
  "--rollout-max-context-len": "no sample grows beyond what trains",
  "--rollout-seed": "the run's seed",
  "--seed": "the run's seed, for the engines",
  "--sglang-server-concurrency": "512 at once would break a user's quota",
  "--sglang-router-port": "the port is known and checked",
  "--router-policy": "an episode's turns stay on one engine",
  "--custom-reward-post-process-path": "groups without failed episodes",
  "--custom-rollout-log-function-path": "what episodes came to, in the log",
  "--custom-eval-rollout-log-function-path": "scores without failed episodes",
  "--custom-config-path": "where the episode servers are",
};

function same(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && a !== "" && b !== "" &&
    Number(a) === Number(b);
}

Deno.test("trainFlags() of qwen3-4b has each of the example's flags, except for the documented differences", () => {
  const ours = flagsOf();
  const omitted = Object.keys(EXAMPLE).filter((flag) => !ours.has(flag));
  assert.deepEqual(omitted.sort(), Object.keys(OMISSIONS).sort());
  const different = Object.entries(EXAMPLE)
    .filter(([flag, value]) => ours.has(flag) && !same(ours.get(flag), value))
    .map(([flag]) => flag);
  assert.deepEqual(different.sort(), Object.keys(DIFFERENCES).sort());
  const added = [...ours.keys()].filter((flag) => !(flag in EXAMPLE));
  assert.deepEqual(added.sort(), Object.keys(ADDITIONS).sort());
  for (const flag of Object.keys(DIFFERENCES)) assert.ok(ours.has(flag), flag);
});

Deno.test("slimeSchema has a key for each flag that the example has in a comment", () => {
  const flags = keyedFlags().map(({ flag }) => flag);
  for (const flag of EXAMPLE_COMMENTS) assert.ok(flags.includes(flag), flag);
});

Deno.test("trainFlags() returns no duplicate flags, and only flags of train.py", () => {
  for (
    const sets of [[], ["checkpoint.huggingFace=/hf", "tracking.wandb=true"], [
      "eval.every=0",
      "algorithm.klLoss=true",
    ]]
  ) {
    const slime = resolveSlime(recipe, sets.map(parseSet));
    const flags = trainFlags(slime, settings);
    const names = flags.map(({ flag }) => flag);
    assert.equal(new Set(names).size, names.length);
    for (const { flag, values } of flags) {
      const arity = KNOWN_FLAGS.get(flag)?.arity;
      assert.ok(arity !== undefined, flag);
      assert.equal(values.length === 0, arity === "bare", flag);
      if (arity === "value") assert.equal(values.length, 1, flag);
    }
  }
});

Deno.test("keyedFlags() returns flags of train.py, each once, that match the key's type", () => {
  const keyed = keyedFlags();
  assert.equal(new Set(keyed.map(({ flag }) => flag)).size, keyed.length);
  const defaults = slimeSchema.parse({}) as Record<string, unknown>;
  for (const { flag, key } of keyed) {
    const value = key.split(".").reduce<unknown>(
      (node, name) => (node as Record<string, unknown>)[name],
      defaults,
    );
    const known = KNOWN_FLAGS.get(flag);
    assert.ok(known !== undefined, flag);
    assert.equal(known.arity === "bare", typeof value === "boolean", flag);
  }
});

Deno.test("trainFlags() omits false, null, and flags that depend on omitted ones", () => {
  const flags = flagsOf([
    "eval.every=0",
    "parallel.recompute=null",
    "parallel.dynamicBatch=false",
    "parallel.microBatchSize=2",
    "rollout.filter=null",
    "rollout.shuffle=false",
  ]);
  const absent = [
    "--eval-interval",
    "--eval-prompt-data",
    "--eval-top-k",
    "--n-samples-per-eval-prompt",
    "--use-kl-loss",
    "--kl-loss-type",
    "--recompute-method",
    "--recompute-num-layers",
    "--use-dynamic-batch-size",
    "--max-tokens-per-gpu",
    "--dynamic-sampling-filter-path",
    "--rollout-shuffle",
  ];
  assert.deepEqual(absent.filter((flag) => flags.has(flag)), []);
  assert.equal(flags.get("--micro-batch-size"), "2");
});

Deno.test("trainFlags() never sets the router's address, because slime would then not start a router", () => {
  assert.ok(flagsOf().has("--sglang-router-port"));
  assert.ok(!flagsOf().has("--sglang-router-ip"));
});

Deno.test("trainFlags() loads weights from the model's directory unless a reference is set", () => {
  assert.equal(
    flagsOf().get("--ref-load"),
    flagsOf().get("--hf-checkpoint"),
  );
  assert.equal(flagsOf(["model.reference=/r"]).get("--ref-load"), "/r");
});

Deno.test("trainFlags() passes on further flags: bare, with one value, with several", () => {
  const slime = resolveSlime(recipe, [
    parseSet("flags.sglang-enable-metrics=true"),
    parseSet("flags.distributed-timeout-minutes=30"),
    parseSet("flags.rollout-stop=[a b, c]"),
    parseSet("flags.log-passrate=false"),
  ]);
  const words = flagWords(trainFlags(slime, settings));
  const at = words.indexOf("--rollout-stop");
  assert.deepEqual(words.slice(at, at + 3), ["--rollout-stop", "a b", "c"]);
  assert.equal(words[words.indexOf("--distributed-timeout-minutes") + 1], "30");
  assert.ok(words.includes("--sglang-enable-metrics"));
  assert.ok(!words.includes("--log-passrate"));
});

Deno.test("flagFaults() rejects flags that train.py would ignore, and suggests the nearest", () => {
  const cases: [string, boolean | number | string, RegExp][] = [
    [
      "distributed_timeout_minutes",
      3,
      /; write "distributed-timeout-minutes"$/,
    ],
    ["--num-rollout", 3, /; write "num-rollout"$/],
    ["num-rollout", 3, /key rollout\.steps/],
    ["rotary-base", 3, /key model\.name/],
    ["load", "/x", /derived from checkpoint\.directory/],
    ["sglang-router-ip", "1.2.3.4", /starts none/],
    ["rollout-top-p", 0.9, /truncates the distribution/],
    ["wandb-key", "x", /WANDB_API_KEY/],
    ["disable-wandb-random-suffix", true, /is derived from tracking\.wandb/],
    ["log-passrate", 3, /takes no value/],
    ["distributed-timeout-minutes", true, /takes one value/],
    ["rollout-stop", true, /takes a list of values/],
  ];
  for (const [name, value, message] of cases) {
    const faults = flagFaults({ [name]: value });
    assert.equal(faults.length, 1, name);
    assert.match(faultText(faults[0]!), message);
    assert.throws(
      () =>
        resolveSlime(recipe, [{
          path: ["flags", name],
          value,
          origin: "--set",
        }]),
      message,
    );
  }
});

Deno.test("unknownFlags() reports flags that this version of slime does not have", () => {
  const cases: [string, RegExp][] = [
    ["log-pasrate", /did you mean "log-passrate"\?/],
    ["sglang-tp-size", /no flag --sglang-tp-size/],
  ];
  for (const [name, message] of cases) {
    const flags = { [name]: true, "log-passrate": true };
    const [fault, ...others] = unknownFlags(flags);
    assert.match(faultText(fault!), message);
    assert.deepEqual(others, []);
    assert.deepEqual(flagFaults(flags), []);
  }
});

Deno.test("flagFaults() accepts correct and omitted flags", () => {
  assert.deepEqual(
    flagFaults({
      "sglang-enable-metrics": true,
      "log-passrate": false,
      "rollout-stop": "x",
      "router-log-level": "info",
    }),
    [],
  );
});

Deno.test("KNOWN_FLAGS has the flags of slime, Megatron, SGLang and its router", () => {
  const cases = {
    "--num-rollout": "slime",
    "--tensor-model-parallel-size": "megatron",
    "--sglang-attention-backend": "sglang",
    "--router-policy": "router",
  };
  for (const [flag, source] of Object.entries(cases)) {
    assert.equal(KNOWN_FLAGS.get(flag)?.source, source);
  }
  assert.ok(!KNOWN_FLAGS.has("--"));
});
