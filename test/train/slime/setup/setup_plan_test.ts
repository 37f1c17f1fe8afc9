import assert from "node:assert/strict";
import { ConfigError } from "../../../../env/errors.ts";
import {
  type SetupOptions,
  setupSettings,
} from "../../../../train/slime/setup/setup_options.ts";
import { planSetup } from "../../../../train/slime/setup/setup_plan.ts";
import { resolveSlime } from "../../../../train/slime/slime_config.ts";

const text = await Deno.readTextFile(
  new URL("../../../../train/recipes/qwen3-4b.yaml", import.meta.url),
);
const recipe = { name: "qwen3-4b.yaml", text };

const options: SetupOptions = {
  ...resolveSlime(recipe),
  hosts: [undefined],
  serving: [undefined],
  here: undefined,
  inContainer: false,
  ...setupSettings.parse({
    container: "c",
    slimeUrl: "https://example.com/slime.git",
    slimeCommit: "a".repeat(40),
    tauBenchUrl: "https://example.com/tau.git",
    tauBenchCommit: "b".repeat(40),
    tau3BenchUrl: "https://example.com/tau3.git",
    tau3BenchCommit: "c".repeat(40),
  }),
  token: undefined,
  root: "/src/taulab",
  taulab: { id: "0", files: 1, pack: () => Promise.resolve("") },
  only: [],
};
const remote = { name: "cpu1", ssh: { options: {} } };

function ids(more: Partial<SetupOptions>): string[] {
  return planSetup({ ...options, ...more }).map(({ name, steps }) =>
    `${name}: ${steps.map(({ id }) => id).join(" ")}`
  );
}

function commands(id: string, more: Partial<SetupOptions>): string {
  const step = planSetup({ ...options, ...more })[0]!.steps.find((step) =>
    step.id === id
  );
  return step!.commands!("absent").map(({ script }) => script).join("\n");
}

Deno.test("planSetup() returns the steps of each host once, in order", () => {
  const container = "image container slime slime-package packages model";
  assert.deepEqual(ids({}), [
    `this machine: ${container} tau-bench tau-bench-data`,
  ]);
  assert.deepEqual(ids({ hosts: [remote], serving: [undefined] }), [
    `cpu1: ${container}`,
    "this machine: tau-bench tau-bench-data",
  ]);
  assert.deepEqual(ids({ hosts: [], serving: [remote] }), [
    "cpu1: deno taulab tau-bench tau-bench-data",
  ]);
  assert.deepEqual(
    ids({ in: "bare", venv: "/v", container: undefined, serving: [] }),
    [
      "this machine: venv slime requirements slime-package packages model",
    ],
  );
  assert.deepEqual(ids({ only: ["model", "slime"], serving: [remote] }), [
    "this machine: slime model",
  ]);
});

Deno.test("planSetup() imports the recipe's benchmark, or none if tasks are generated", () => {
  const cases = [
    ["generated", "cpu1: deno taulab"],
    ["tau-bench", "cpu1: deno taulab tau-bench tau-bench-data"],
    ["tau3-bench", "cpu1: deno taulab tau3-bench tau3-bench-data"],
  ];
  for (const [value, expected] of cases) {
    const { config } = resolveSlime(recipe, [
      { path: ["data", "source"], value, origin: "--set" },
    ]);
    assert.deepEqual(ids({ config, hosts: [], serving: [remote] }), [expected]);
  }
});

Deno.test("planSetup() runs a container with the flags of slime's documentation, with docker and podman", () => {
  const docker = commands("container", {});
  assert.match(docker, / --gpus all --shm-size 16g --network host --ipc host /);
  assert.match(docker, / --ulimit memlock=-1 --ulimit stack=67108864 /);
  assert.match(
    docker,
    / --volume \/root\/Qwen3-4B-Instruct-2507:\/root\/Qwen3-4B-Instruct-2507 /,
  );
  assert.match(docker, / --volume \/root\/taulab-runs:\/root\/taulab-runs /);
  const podman = commands("container", { engine: "podman" });
  assert.match(podman, /^podman run .* --device nvidia\.com\/gpu=all /m);
  assert.doesNotMatch(podman, /shm-size|--gpus/);
});

Deno.test("planSetup() gives containers with different flags different labels", () => {
  const label = (more: Partial<SetupOptions>) =>
    /taulab\.setup=(\w+)/.exec(commands("container", more))?.[1];
  assert.equal(label({}), label({ only: ["container"] }));
  assert.notEqual(label({}), label({ image: "slimerl/slime:other" }));
});

Deno.test("planSetup() rejects a path that cannot be the same inside and outside the container", () => {
  const { config } = resolveSlime(recipe, [
    {
      path: ["checkpoint", "directory"],
      value: "checkpoints",
      origin: "--set",
    },
  ]);
  assert.throws(
    () => planSetup({ ...options, config }),
    (error: Error) =>
      error instanceof ConfigError &&
      /"checkpoints" .* absolute path/.test(String(error)),
  );
});

Deno.test("planSetup() quotes words for the shell", () => {
  const { config } = resolveSlime(recipe, [
    { path: ["paths", "slime"], value: "/a b/$(x)", origin: "--set" },
  ]);
  assert.match(commands("slime", { config }), /mv \S.* '\/a b\/\$\(x\)'$/m);
  const [plan] = planSetup({ ...options, config });
  const check = plan!.steps.find(({ id }) => id === "slime")!.check;
  assert.match(check, /^d='\/a b\/\$\(x\)'; c=a{40}$/m);
});
