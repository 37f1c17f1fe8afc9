import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as taulab from "../mod.ts";
import { inTempDir } from "./support/temp_dir.ts";

/** What scripts may import; a name that goes or comes is noticed here. */
const NAMES = [
  "BudgetError",
  "ConfigError",
  "DataError",
  "InfrastructureError",
  "PolicyError",
  "RunDirError",
  "STOP",
  "ToolError",
  "TrainerError",
  "advantages",
  "audit",
  "callAction",
  "connectModel",
  "createCaller",
  "createCertifier",
  "createCpuLab",
  "createCpuPolicy",
  "createEnvironment",
  "createMeter",
  "createRng",
  "customTool",
  "deriveSeed",
  "diagnose",
  "diagnosisReport",
  "episodeRows",
  "expertAgent",
  "fewShotAgent",
  "fewShotExamples",
  "fromPlain",
  "generated",
  "generatedAirlineWorld",
  "humanUser",
  "lineReader",
  "llmUser",
  "loadChatTemplate",
  "loadCpuPolicy",
  "loadTauBench",
  "loadTokenizer",
  "makeConfig",
  "openDataset",
  "openRunEpisodes",
  "openRunPolicy",
  "openaiChatModel",
  "passEstimates",
  "passK",
  "pickBatch",
  "progressLine",
  "reactUser",
  "readAnyRun",
  "readEpisodeRows",
  "readExclusions",
  "readRun",
  "reflectionUser",
  "replayChatModel",
  "resolveConfig",
  "resolveEndpoint",
  "rollout",
  "rolloutAll",
  "runSession",
  "sampleGroups",
  "scriptedUser",
  "sglangTokenModel",
  "startRun",
  "textAgent",
  "toPlain",
  "tokenChatModel",
  "toolCallingAgent",
  "trialSpecs",
  "updateOnGroups",
  "verifyUser",
  "withTools",
  "withoutTasks",
  "writeTable",
];

// Types leave nothing to look at when a program runs: `deno check` fails here where one is gone.
export type {
  Action,
  Agent,
  AgentSession,
  AgentStart,
  AgentStep,
  Chat,
  ChatModel,
  ChatReply,
  Config,
  ConfigInput,
  CustomTool,
  Database,
  Dataset,
  Diagnosis,
  Environment,
  Episode,
  EpisodeRow,
  Estimate,
  Failure,
  GradedOutcome,
  Group,
  JsonObject,
  JsonValue,
  Lab,
  Message,
  Observation,
  Reward,
  RewardFunction,
  RolloutSpec,
  RunEpisode,
  RunEpisodes,
  Split,
  StopReason,
  TableRow,
  Task,
  TokenModel,
  ToolCall,
  Trainer,
  TrainSequence,
  Trajectory,
  Turn,
  Usage,
  User,
  UserFactory,
} from "../mod.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Runs a module from the root of the tree, with these permissions and no others. */
async function run(file: string, permissions: readonly string[] = []) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      `--config=${join(ROOT, "deno.json")}`,
      ...permissions,
      file,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("mod.ts exports what it is known to export", () => {
  assert.deepEqual(Object.keys(taulab).toSorted(), NAMES.toSorted());
});

Deno.test("mod.ts can be imported without any permission, says nothing and starts nothing", async () => {
  const { code, stdout, stderr } = await run(join(ROOT, "mod.ts"));
  assert.deepEqual({ code, stdout, stderr }, {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

Deno.test("mod.ts is enough to train with a reward of one's own, and to look at the run", async () => {
  const { makeConfig, openDataset, openRunPolicy, readEpisodeRows, readRun } =
    taulab;
  const config = makeConfig({
    threads: 1,
    data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 1 } },
    model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
    coldStart: { steps: 1 },
    grpo: { steps: 1, tasksPerStep: 2, groupSize: 2, maxRefills: 0 },
    rollout: { maxTokensPerTurn: 8, maxParseErrors: 1 },
  });
  await inTempDir(async (dir) => {
    const path = join(dir, "mine");
    const dataset = await openDataset(config.data);
    {
      await using started = await taulab.startRun(path, { config, dataset });
      const { outcome } = await taulab.runSession({
        run: started,
        dataset,
        reward: ({ graded, turns }) => graded.value - turns.length / 8 - 0.5,
      });
      assert.equal(outcome, "completed");
    }
    const rows = await readEpisodeRows(path, { source: "grpo" });
    assert.equal(rows.length, 2 * 2);
    for (const { reward, turn_count } of rows) {
      assert.equal(reward, -turn_count / 8 - 0.5);
    }
    const record = await readRun(path);
    assert.equal(record.info.dataset.fingerprint, dataset.fingerprint);
    await using policy = await openRunPolicy(record);
    assert.equal(policy.step, 2);
  });
});

Deno.test("mod.ts has the parts of a training loop of one's own", async () => {
  const config = taulab.makeConfig({
    threads: 1,
    data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 1 } },
    model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
    rollout: { maxTokensPerTurn: 8, maxParseErrors: 1 },
  });
  const dataset = await taulab.openDataset(config.data);
  await using lab = await taulab.createCpuLab({ config, dataset });
  const batch = taulab.pickBatch(lab.demonstrations.sequences, {
    seed: 1,
    step: 1,
    size: 4,
  });
  const rate = { learningRate: 1e-3, maxGradNorm: 1 };
  const before = await lab.trainer.supervised(batch, rate);
  const after = await lab.trainer.supervised(batch, rate);
  assert.ok(after.loss < before.loss);
  const { groups } = await taulab.sampleGroups(dataset.tasks("train"), {
    tasksPerStep: 1,
    groupSize: 4,
    divideByStd: false,
    maxRefills: 0,
    seedOf: (task, i) => taulab.deriveSeed(1, task.id, i),
    sample: (jobs) =>
      lab.sample(jobs, {
        temperature: 1,
        reward: ({ turns, parseErrors }) => turns.length - parseErrors,
      }),
  });
  assert.equal(groups[0]?.episodes.length, 4);
  const stats = await taulab.updateOnGroups(lab.trainer, groups, {
    loss: { ...config.grpo, learningRate: 1e-3 },
    minibatches: 1,
    lossMean: "token",
    negativeWeight: 1,
    rng: taulab.createRng(1),
  });
  assert.ok(Number.isFinite(stats.loss));
});
