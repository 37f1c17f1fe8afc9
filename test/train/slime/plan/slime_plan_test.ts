import assert from "node:assert/strict";
import { parse } from "yaml";
import { ConfigError } from "../../../../env/errors.ts";
import { readHooks } from "../../../../train/slime/read_hooks.ts";
import { quoteWords } from "../../../../train/slime/hosts/shell.ts";
import {
  type LaunchPlan,
  planLaunch,
} from "../../../../train/slime/plan/slime_plan.ts";
import {
  RETAIL_ROWS,
  SLIME_RECIPES,
  slimeFactsOf,
  slimeOf,
} from "../../../support/slime_plan.ts";

for (const name of SLIME_RECIPES) {
  Deno.test(`planLaunch() of ${name} fits its GPUs, and each flag has a key`, async () => {
    const plan = planLaunch(await slimeOf(name), slimeFactsOf());
    assert.ok(plan.memory.training.total < plan.memory.gpu, name);
    assert.ok(
      plan.memory.engine.cacheTokens > plan.memory.engine.expectedTokens,
    );
    assert.ok(plan.train.every(({ from }) => from !== ""));
    assert.ok(Number.isInteger(plan.derived.dataParallel));
  });
}

Deno.test("planLaunch() references only files that it writes, by absolute paths", async () => {
  const plan = planLaunch(await slimeOf("qwen3-4b"), slimeFactsOf());
  const paths = new Set(plan.files.map(({ path }) => path));
  const named = plan.trainWords.filter((word) =>
    word.startsWith(`${plan.directory}/`)
  );
  assert.equal(named.length, 3);
  for (const path of named) assert.ok(paths.has(path), path);
  assert.ok(paths.has(`${plan.directory}/generate.py`));
  assert.ok(
    plan.job.runtimeEnv.env_vars["PYTHONPATH"]?.endsWith(`:${plan.directory}`),
  );
});

Deno.test("planLaunch() writes the settings that generate.py reads", async () => {
  const slime = await slimeOf("qwen3-4b", "eval.splits=[dev, test]");
  const data = {
    ...RETAIL_ROWS,
    rows: [...RETAIL_ROWS.rows, {
      ...RETAIL_ROWS.rows[1]!,
      split: "test" as const,
    }],
  };
  const one = planLaunch(await slimeOf("qwen3-4b"), slimeFactsOf());
  const two = planLaunch(slime, slimeFactsOf({ data }));
  const settings = (plan: typeof one) =>
    parse(
      plan.files.find(({ path }) => path.endsWith("settings.yaml"))!.text!,
    ) as Record<string, unknown>;
  assert.deepEqual(settings(one), {
    taulab_services: ["http://127.0.0.1:8400", "http://127.0.0.1:8401"],
    taulab_timeout_s: 1800,
    taulab_patience_s: 120,
    taulab_retries: 3,
    taulab_filter_rounds: 4,
    taulab_keep_checkpoints: 2,
    taulab_best_by: "retail-dev",
    taulab_eval_split: "dev",
  });
  assert.ok(!("taulab_eval_split" in settings(two)));
  const hooks = Object.values(await readHooks()).join("");
  for (const key of Object.keys(settings(one))) {
    assert.ok(hooks.includes(`"${key}"`) || hooks.includes(`args.${key}`), key);
  }
});

Deno.test("planLaunch() evaluates each split on its own rows", async () => {
  const slime = await slimeOf("qwen3-4b");
  const { train } = planLaunch(slime, slimeFactsOf());
  const data = train.find(({ flag }) => flag === "--eval-prompt-data");
  assert.deepEqual(data?.values, [
    "retail-dev",
    "/root/taulab-runs/a1/retail_dev_tasks.jsonl",
  ]);
});

Deno.test("planLaunch() formats the job as one shell line with quoted words", async () => {
  const slime = await slimeOf(
    "qwen3-4b",
    "model.directory=/models/it's here",
    "checkpoint.huggingFace=/hf",
  );
  const { job, trainWords } = planLaunch(slime, slimeFactsOf());
  assert.equal(
    job.entrypoint,
    `cd /root/slime && exec python3 train.py ${quoteWords(trainWords)}`,
  );
  const output = await new Deno.Command("sh", {
    args: [
      "-c",
      job.entrypoint.replace(/^.*train\.py /, "printf '%s\\n' "),
    ],
  }).output();
  const words = new TextDecoder().decode(output.stdout).trimEnd().split("\n");
  assert.deepEqual(words, trainWords);
  assert.ok(words.includes("/hf/a1/{rollout_id}"));
});

Deno.test("planLaunch() kills no process and puts no secret into the job", async () => {
  const slime = await slimeOf(
    "qwen3-8b-2nodes",
    "tracking.wandb=true",
  );
  const plan = planLaunch(slime, slimeFactsOf());
  const text = JSON.stringify({ ...plan, files: [] });
  assert.doesNotMatch(text, /pkill|killall|ray stop/);
  const variables = Object.keys(plan.job.runtimeEnv.env_vars);
  assert.deepEqual(
    variables.filter((name) => /TOKEN|KEY/.test(name)),
    [],
  );
  assert.deepEqual(plan.job.secrets.map(({ name }) => name), [
    "TAULAB_TOKEN",
    "WANDB_API_KEY",
  ]);
  assert.deepEqual(plan.ray.head?.passEnv, ["TAULAB_TOKEN", "WANDB_API_KEY"]);
});

Deno.test("planLaunch() needs no token if all servers are on loopback", async () => {
  const plan = planLaunch(await slimeOf("qwen3-4b"), slimeFactsOf());
  assert.deepEqual(plan.job.secrets, []);
  assert.deepEqual(plan.services[0]?.start?.passEnv, [
    "GEMINI_API_KEY",
    "TAULAB_ROUTER_KEY",
  ]);
});

Deno.test("planLaunch() joins each further host to the head's address", async () => {
  const slime = await slimeOf("qwen3-8b-2nodes");
  const { ray, job } = planLaunch(slime, slimeFactsOf());
  assert.deepEqual(ray.head?.words.slice(0, 7), [
    "ray",
    "start",
    "--head",
    "--node-ip-address",
    "10.0.0.11",
    "--port",
    "6379",
  ]);
  assert.deepEqual(ray.workers.map(({ host, words }) => [host, ...words]), [[
    "gpu2",
    "ray",
    "start",
    "--address",
    "10.0.0.11:6379",
    "--node-ip-address",
    "10.0.0.12",
    "--num-gpus",
    "8",
    "--dashboard-agent-listen-port",
    "52365",
    "--disable-usage-stats",
  ]]);
  const { MASTER_ADDR, no_proxy } = job.runtimeEnv.env_vars;
  assert.equal(MASTER_ADDR, "10.0.0.11");
  assert.equal(no_proxy, "127.0.0.1,localhost,10.0.0.11,10.0.0.12");
});

Deno.test("planLaunch() starts no Ray process if the recipe joins a cluster", async () => {
  const slime = await slimeOf("qwen3-4b", "cluster.start=false");
  const { ray } = planLaunch(slime, slimeFactsOf());
  assert.equal(ray.head, null);
  assert.deepEqual(ray.workers, []);
  assert.ok(!ray.ports.some(({ port }) => port === 6379));
});

Deno.test("planLaunch() takes NVLink from the recipe, else from the facts", async () => {
  const auto = await slimeOf("qwen3-4b");
  const no = await slimeOf("qwen3-4b", "cluster.nvlink=no");
  const seen = (slime: typeof auto, nvlink: boolean | null) =>
    planLaunch(slime, slimeFactsOf({ nvlink })).job.runtimeEnv
      .env_vars["NCCL_NVLS_ENABLE"];
  assert.equal(seen(auto, null), undefined);
  assert.equal(seen(auto, true), "1");
  assert.equal(seen(auto, false), "0");
  assert.equal(seen(no, true), "0");
});

Deno.test("planLaunch() gives each run its own checkpoints, and each session its own job", async () => {
  const slime = await slimeOf("qwen3-4b");
  const first = planLaunch(slime, slimeFactsOf());
  const second = planLaunch(slime, slimeFactsOf({ session: 2 }));
  const other = planLaunch(slime, slimeFactsOf({ run: "b1" }));
  assert.equal(first.derived.checkpoints, second.derived.checkpoints);
  assert.notEqual(first.derived.checkpoints, other.derived.checkpoints);
  assert.equal(first.job.submissionId, "a1");
  assert.equal(second.job.submissionId, "a1-2");
});

Deno.test("planLaunch() gives each server its share of limits and budget", async () => {
  const slime = await slimeOf(
    "qwen3-4b",
    "user.endpoint.calls.requestsPerMinute=301",
    "budget.maxTokens=1000",
    "bridge.processes=3",
  );
  const { services } = planLaunch(slime, slimeFactsOf());
  assert.equal(services.length, 3);
  for (const { overrides, start } of services) {
    assert.deepEqual(overrides, [
      "user.endpoint.calls.requestsPerMinute=100",
      "budget.maxTokens=333",
    ]);
    assert.ok(start?.words.includes("budget.maxTokens=333"));
  }
});

Deno.test("planLaunch() runs episode servers on the head, on bridge.hosts in turn, or on this machine", async () => {
  const facts = slimeFactsOf({
    hosts: [
      { name: "gpu1", address: "10.0.0.11" },
      { name: "gpu2", address: "10.0.0.12", dir: "/data/lab" },
    ],
  });
  const plan = async (...sets: string[]) => {
    const slime = await slimeOf("qwen3-8b-2nodes", ...sets);
    return planLaunch(slime, facts);
  };
  const spots = ({ services }: Awaited<ReturnType<typeof plan>>) =>
    services.slice(0, 2).map(({ start, url }) => [start?.host, url]);
  const head = await plan();
  assert.deepEqual(spots(head), [
    ["gpu1", "http://10.0.0.11:8400"],
    ["gpu1", "http://10.0.0.11:8401"],
  ]);
  const words = head.services[0]!.start!.words.join(" ");
  assert.match(words, /--recipe \/root\/taulab-runs\/a1\/config\.yaml /);
  assert.match(words, /--set data\.directory=~\/\.taulab\/tau-bench-data /);
  const tau3 = await plan("data.source=tau3-bench", "eval.splits=[test]");
  assert.match(
    tau3.services[0]!.start!.words.join(" "),
    /--set data\.directory=~\/\.taulab\/tau3-bench-data /,
  );
  assert.match(words, /--record \/root\/taulab-runs\/a1 /);
  const file = head.files.find(({ on }) => on === "servers");
  assert.equal(file?.path, "/root/taulab-runs/a1/config.yaml");
  const config = parse(file?.text ?? "");
  assert.equal(config.model.name, "Qwen3-8B");

  const both = await plan("bridge.hosts=[gpu1,gpu2]");
  assert.deepEqual(spots(both), [
    ["gpu1", "http://10.0.0.11:8400"],
    ["gpu2", "http://10.0.0.12:8401"],
  ]);
  assert.ok(
    both.services[1]!.overrides.includes(
      "data.directory=/data/lab/tau-bench-data",
    ),
  );
  const here = await plan("bridge.hosts=[this]", "bridge.address=10.0.0.9");
  assert.deepEqual(spots(here)[0], ["this machine", "http://10.0.0.9:8400"]);
  assert.ok(here.files.every(({ on }) => on !== "servers"));
  await assert.rejects(
    plan("bridge.hosts=[this,gpu1]"),
    /list either "this" alone/,
  );
});

Deno.test("planLaunch() warns if the user's model is on a loopback address that other hosts cannot reach", async () => {
  const set = "user.endpoint.baseUrl=http://127.0.0.1:8000/v1";
  const warns = ({ warnings }: { warnings: readonly string[] }) =>
    warnings.some((one) =>
      /gpu1, where \S+ \(http:\/\/127\.0\.0\.1:8000/.test(one)
    );
  const far = await slimeOf("qwen3-8b-2nodes", set);
  assert.ok(warns(planLaunch(far, slimeFactsOf())));
  const near = await slimeOf("qwen3-4b", set);
  assert.ok(!warns(planLaunch(near, slimeFactsOf())));
});

Deno.test("planLaunch() uses running servers without starting any", async () => {
  const slime = await slimeOf(
    "qwen3-4b",
    "bridge.services=['http://10.1.1.1:9000']",
  );
  const plan = planLaunch(slime, slimeFactsOf());
  assert.deepEqual(plan.services, [{
    url: "http://10.1.1.1:9000",
    start: null,
    listen: null,
    overrides: [],
  }]);
  assert.deepEqual(
    plan.job.secrets.map(({ name, required }) => [
      name,
      required,
    ]),
    [["TAULAB_TOKEN", false]],
  );
});

Deno.test("planLaunch() reports unknown values if there is no dataset", async () => {
  const slime = await slimeOf("qwen3-4b");
  const plan = planLaunch(slime, slimeFactsOf({ data: null }));
  assert.equal(plan.files[0]?.text, null);
  assert.equal(plan.derived.epochs, null);
  assert.equal(plan.forecast.evaluation, null);
  assert.match(plan.warnings[0]!, /TAU_BENCH_DIR/);
});

Deno.test("planLaunch() rejects hosts that are not in hosts.yaml or that others cannot reach", async () => {
  const slime = await slimeOf("qwen3-8b-2nodes");
  const local = [
    { name: "gpu1", address: "127.0.0.1" },
    { name: "gpu2", address: "10.0.0.12" },
  ];
  assert.throws(
    () => planLaunch(slime, slimeFactsOf({ hosts: [] })),
    (error) => error instanceof ConfigError && /"gpu1"/.test(error.message),
  );
  assert.throws(
    () => planLaunch(slime, slimeFactsOf({ hosts: local })),
    /cannot reach/,
  );
});

Deno.test("planLaunch() rejects a rollout with more tasks than the dataset has", async () => {
  const slime = await slimeOf(
    "qwen3-4b",
    "rollout.overSamplingBatchSize=501",
  );
  assert.throws(
    () => planLaunch(slime, slimeFactsOf()),
    /number of rows in the dataset \(500\)/,
  );
});

Deno.test("planLaunch() computes derived values from the recipe", async () => {
  const slime = await slimeOf("qwen3-4b", "rollout.steps=7");
  const { derived, memory, tokens } = planLaunch(slime, slimeFactsOf());
  assert.equal(derived.samples, 256);
  assert.equal(derived.totalSteps, 7);
  assert.equal(derived.epochs, 7 * 32 / 500);
  assert.equal(derived.evaluations, 2); // before the first rollout, and after the fifth
  assert.equal(memory.disk.checkpoints, 1); // after the last
  const longer = planLaunch(await slimeOf("qwen3-4b"), slimeFactsOf());
  assert.equal(longer.memory.disk.saves, 25);
  assert.equal(longer.memory.disk.checkpoints, 4); // two, the best, and one while it is written
  assert.equal(tokens.most, 256 * 16_384);
});

Deno.test("planLaunch() rejects relative paths", async () => {
  for (
    const key of [
      "model.directory",
      "model.reference",
      "checkpoint.directory",
      "checkpoint.huggingFace",
      "paths.runs",
    ]
  ) {
    for (const path of ["models/x", "~/x"]) {
      const slime = await slimeOf("qwen3-4b", `${key}="${path}"`);
      assert.throws(
        () => planLaunch(slime, slimeFactsOf()),
        (error) =>
          error instanceof ConfigError && error.message.startsWith(key),
      );
    }
  }
});

Deno.test("planLaunch() chooses the best policy that the installed router supports, or leaves it to the router if that is unknown", async () => {
  const cases: [string[] | null, string | undefined, string?][] = [
    [
      ["random", "cache_aware", "consistent_hashing", "manual"],
      "consistent_hashing",
    ],
    [
      ["random", "round_robin", "cache_aware", "power_of_two", "manual"],
      "manual",
    ],
    [["random", "cache_aware"], "cache_aware"],
    [["random"], undefined],
    [null, undefined],
    [["random"], "round_robin", "engine.routerPolicy=round_robin"],
  ];
  for (const [routerPolicies, wanted, ...sets] of cases) {
    const slime = await slimeOf("qwen3-4b", ...sets as string[]);
    const { train } = planLaunch(slime, slimeFactsOf({ routerPolicies }));
    const found = train.find(({ flag }) => flag === "--router-policy");
    assert.equal(found?.values[0], wanted, `${routerPolicies}`);
  }
});

Deno.test("planLaunch() runs slime's script for each async mode", async () => {
  const apart = ["cluster.colocate=false", "cluster.rolloutGpus=2"];
  const sets = (mode: string) => [...apart, `algorithm.async=${mode}`];
  const planned = async (mode: string) =>
    planLaunch(await slimeOf("qwen3-4b", ...sets(mode)), slimeFactsOf());
  const functionOf = ({ train }: LaunchPlan) =>
    train.find(({ flag }) => flag === "--rollout-function-path")?.values[0];
  const settings = (plan: LaunchPlan) =>
    parse(plan.files.find(({ path }) => path.endsWith("settings.yaml"))!.text!);
  const off = await planned("off");
  assert.match(off.job.entrypoint, / train\.py /);
  assert.equal(off.derived.evaluations, 101);
  const step = await planned("one-step");
  assert.match(step.job.entrypoint, / train_async\.py /);
  assert.equal(functionOf(step), undefined);
  assert.equal(step.derived.evaluations, 100);
  assert.ok(!("taulab_max_staleness" in settings(step)));
  const full = await planned("full");
  assert.match(full.job.entrypoint, / train_async\.py /);
  assert.equal(full.script, "train_async.py");
  assert.equal(functionOf(full), "async_rollout.generate_rollout");
  assert.equal(settings(full).taulab_max_staleness, 1);
  const missing = (plan: LaunchPlan) =>
    plan.warnings.some((one) => /without a correction/.test(one));
  assert.deepEqual([off, step, full].map(missing), [false, true, true]);
  const corrected = await slimeOf(
    "qwen3-4b",
    ...sets("full"),
    "algorithm.importanceSampling=true",
  );
  assert.ok(!missing(planLaunch(corrected, slimeFactsOf())));
});

Deno.test("planLaunch() warns about problems that only the plan shows", async () => {
  const cases: [string[], RegExp][] = [
    [["cluster.dashboardHost=0.0.0.0"], /can run anything/],
    [["engine.routerPolicy=round_robin"], /several engines/],
    [["cluster.hosts=[gpu1]", "bridge.hosts=[this]"], /set bridge\.address/],
    [
      [
        "rollout.filter=slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std",
      ],
      /generate\.keep_group/,
    ],
    [["algorithm.klLoss=true"], /only measures the KL/],
    [
      ["flags.log-pasrate=true"],
      /did you mean "log-passrate"\?.*check "flags"/,
    ],
    [["checkpoint.every=8"], /a multiple of eval\.every/],
    [["model.name=Qwen3-4B"], /removes thoughts from earlier answers/],
  ];
  for (const [sets, message] of cases) {
    const slime = await slimeOf("qwen3-4b", ...sets);
    const { warnings } = planLaunch(slime, slimeFactsOf());
    assert.ok(warnings.some((one) => message.test(one)), sets.join());
  }
  for (const sets of [[], ["model.name=Qwen3-4B", "model.thinking=false"]]) {
    const slime = await slimeOf("qwen3-4b", ...sets);
    const { warnings } = planLaunch(slime, slimeFactsOf());
    assert.ok(!warnings.some((one) => /thoughts/.test(one)), sets.join());
  }
  const slime = await slimeOf("qwen3-8b-2nodes");
  const { warnings } = planLaunch(slime, slimeFactsOf({ notes: ["a note"] }));
  assert.equal(warnings[0], "a note");
  assert.ok(
    warnings.some((one) => /file system shared by all hosts/.test(one)),
  );
});
