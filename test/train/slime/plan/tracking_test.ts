import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { planLaunch } from "../../../../train/slime/plan/slime_plan.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { slimeFactsOf, slimeOf } from "../../../support/slime_plan.ts";

const SUPPORT = fileURLToPath(
  new URL("../../../support/slime", import.meta.url),
);

/** The calls that the trackers received. */
interface Tracked {
  readonly calls: readonly Readonly<Record<string, unknown>>[];
}

async function planOf(sets: readonly string[]) {
  return planLaunch(await slimeOf("qwen3-4b", ...sets), slimeFactsOf());
}

/**
 * Tracks a step as a job of the recipe would. Uses slime's own modules if `TAULAB_TEST_SLIME` names a checkout, and
 * otherwise the modules in test/support/slime.
 */
async function track(...sets: readonly string[]): Promise<Tracked> {
  const { job, trainWords } = await planOf(sets);
  const secrets = job.secrets.map(({ name }) => [name, "secret"]);
  const { PYTHONPATH: _, ...variables } = job.runtimeEnv.env_vars;
  const slime = Deno.env.get("TAULAB_TEST_SLIME");
  const { code, stdout, stderr } = await new Deno.Command(testPython()!, {
    args: [`${SUPPORT}/track.py`, ...trainWords],
    clearEnv: true,
    env: {
      ...variables,
      ...Object.fromEntries(secrets),
      PYTHONPATH: [slime, SUPPORT].filter(Boolean).join(":"),
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(code, 0, text(stderr));
  return JSON.parse(text(stdout));
}

/** Returns the arguments of every call of a tracker's function. */
function argumentsOf({ calls }: Tracked, name: string) {
  return calls.filter(({ call }) => call === name);
}

const ignore = withoutPython();

Deno.test({
  name:
    "tracking.wandb opens one W&B run, in the run's own group unless another is named (needs Python)",
  ignore,
  async fn() {
    const own = argumentsOf(await track("tracking.wandb=true"), "init");
    assert.deepEqual(
      own.map(({ group, name, id }) => [group, name, id ?? null]),
      [["a1", "a1", null], [null, null, "run1"]],
    );
    const named = await track(
      "tracking.wandb=true",
      "tracking.group=night",
      "tracking.project=tau",
    );
    const [first, second] = argumentsOf(named, "init");
    assert.deepEqual(
      [first?.["group"], first?.["project"], first?.["mode"]],
      ["night", "tau", "shared"],
    );
    assert.equal(second?.["project"], "tau");
    assert.equal(argumentsOf(named, "log").length, 1);
    assert.equal(argumentsOf(named, "finish").length, 1);
  },
});

Deno.test({
  name: "tracking.mode=offline logs to W&B without a key (needs Python)",
  ignore,
  async fn() {
    const tracked = await track("tracking.wandb=true", "tracking.mode=offline");
    const modes = argumentsOf(tracked, "init").map(({ mode }) => mode);
    assert.deepEqual(modes, ["offline", "offline"]);
    assert.deepEqual(argumentsOf(tracked, "login"), []);
  },
});

Deno.test({
  name:
    "tracking.tensorboard writes below the run's checkpoints, with W&B or without (needs Python)",
  ignore,
  async fn() {
    for (const wandb of [true, false]) {
      const tracked = await track(
        "tracking.tensorboard=true",
        `tracking.wandb=${wandb}`,
      );
      assert.deepEqual(
        argumentsOf(tracked, "writer").map(({ directory }) => directory),
        ["/root/taulab-checkpoints/a1/tensorboard"],
      );
      assert.deepEqual(argumentsOf(tracked, "scalar"), [
        { call: "scalar", key: "rollout/raw_reward", value: 0.5, step: 3 },
      ]);
      assert.equal(argumentsOf(tracked, "init").length, wandb ? 2 : 0);
    }
  },
});

Deno.test({
  name:
    "tracking is off by default, whatever its other keys say (needs Python)",
  ignore,
  async fn() {
    const tracked = await track(
      "tracking.group=night",
      "tracking.project=tau",
      "tracking.mode=online",
    );
    assert.deepEqual(tracked.calls, []);
  },
});

Deno.test("planLaunch() names W&B's group after the run, and requires its key only if W&B does", async () => {
  const on = "tracking.wandb=true";
  const cases: [sets: string[], group: string | undefined, keys: string[]][] = [
    [[], undefined, []],
    [["tracking.group=night"], undefined, []],
    [[on], "a1", ["WANDB_API_KEY"]],
    [[on, "tracking.group=night"], "night", ["WANDB_API_KEY"]],
    [[on, "tracking.mode=online"], "a1", ["WANDB_API_KEY"]],
    [[on, "tracking.mode=offline"], "a1", []],
    [[on, "cluster.env={WANDB_MODE: offline}"], "a1", []],
  ];
  for (const [sets, group, keys] of cases) {
    const { trainWords, job } = await planOf(sets);
    const at = trainWords.indexOf("--wandb-group");
    assert.equal(at < 0 ? undefined : trainWords[at + 1], group);
    assert.deepEqual(job.secrets.map(({ name }) => name), keys);
  }
});

Deno.test("planLaunch() uses TensorBoard's directory from the recipe if set", async () => {
  const { job } = await planOf([
    "tracking.tensorboard=true",
    "cluster.env={TENSORBOARD_DIR: /logs}",
  ]);
  assert.equal(job.runtimeEnv.env_vars["TENSORBOARD_DIR"], "/logs");
});
