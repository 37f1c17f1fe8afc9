import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as taulab from "../mod.ts";
import * as notebook from "../notebooks/mod.ts";
import * as train from "../train/mod.ts";
import * as slime from "../train/slime/mod.ts";
import { inTempDir } from "./support/temp_dir.ts";

/** The names that scripts may import from each entry point. The tests fail if a name is added or removed. */
const NAMES = {
  "mod.ts": [
    "ConfigError",
    "STOP",
    "ToolError",
    "callAction",
    "connectModel",
    "createEnvironment",
    "createRng",
    "customTool",
    "defineDomain",
    "defineTool",
    "deriveSeed",
    "diagnose",
    "episodeRows",
    "expertAgent",
    "fewShotAgent",
    "fewShotExamples",
    "generated",
    "humanUser",
    "lineReader",
    "llmUser",
    "loadTauBench",
    "passEstimates",
    "progressLine",
    "reactUser",
    "reflectionUser",
    "registerAgent",
    "registerDomain",
    "registerUser",
    "replayChatModel",
    "rollout",
    "rolloutAll",
    "scriptedUser",
    "textAgent",
    "toolCallingAgent",
    "trialSpecs",
    "verifyUser",
    "withTools",
    "writeTable",
  ],
  "train/mod.ts": [
    "BoundaryError",
    "BudgetError",
    "ConfigError",
    "DataError",
    "InfrastructureError",
    "PolicyError",
    "RunDirError",
    "StorageError",
    "ToolError",
    "TrainerError",
    "advantages",
    "audit",
    "codecOf",
    "coverageOf",
    "createCaller",
    "createCertifier",
    "createCpuLab",
    "createCpuPolicy",
    "createMeter",
    "diagnosisReport",
    "evalJobs",
    "evalResult",
    "fromPlain",
    "learningRateAt",
    "loadChatTemplate",
    "loadCpuPolicy",
    "loadTokenizer",
    "makeConfig",
    "mean",
    "openDataset",
    "openRunEpisodes",
    "openRunPolicy",
    "openUser",
    "openaiChatModel",
    "parseSet",
    "passK",
    "pickBatch",
    "policyAgent",
    "readAnyRun",
    "readEpisodeRows",
    "readExclusions",
    "readRun",
    "resolveConfig",
    "resolveEndpoint",
    "rewardOf",
    "runSession",
    "sampleGroups",
    "sglangTokenModel",
    "startRun",
    "toPlain",
    "tokenChatModel",
    "updateOnGroups",
    "withoutTasks",
    "worldFiles",
  ],
  "train/slime/mod.ts": [
    "planData",
    "planLaunch",
    "readHooks",
    "resolveSlime",
    "slimeFileName",
    "slimeRows",
  ],
  "notebooks/mod.ts": [
    "Conversation",
    "Live",
    "Plot",
    "Run",
    "attemptsText",
    "callText",
    "coverageFigure",
    "curveFigure",
    "curvesFigure",
    "diagnoseFailed",
    "differenceText",
    "figure",
    "groupsFigure",
    "groupsOf",
    "groupsText",
    "lossFigure",
    "meanTokenCounts",
    "memoryFigure",
    "pairedDifference",
    "passFigure",
    "passOf",
    "pointsFigure",
    "reasonCounts",
    "rewardBy",
    "rewardFigure",
    "sharesFigure",
    "show",
    "showAudit",
    "showCertificate",
    "showCommand",
    "showConfigDifference",
    "showDecisiveCounts",
    "showDerived",
    "showDiagnosed",
    "showDiagnosis",
    "showEpisode",
    "showFlags",
    "showRunEpisode",
    "showTask",
    "showTokens",
    "showTurns",
    "stack",
    "stepRanges",
    "table",
    "tokensFigure",
    "varianceFigure",
    "waysToEnd",
  ],
};

// Types do not exist at run time, so `deno check` fails here if one is missing.
export type {
  Action,
  Agent,
  AgentSession,
  AgentStart,
  AgentStep,
  AgentStrategy,
  ChatModel,
  CustomTool,
  Database,
  Dataset,
  Diagnosis,
  Environment,
  Episode,
  EpisodeRow,
  Estimate,
  Message,
  Observation,
  Reward,
  RewardFunction,
  RolloutSpec,
  Split,
  Task,
  ToolCall,
  Turn,
  User,
  UserFactory,
  UserStrategy,
} from "../mod.ts";
export type {
  Chat,
  ChatReply,
  Config,
  ConfigInput,
  Failure,
  GradedOutcome,
  Group,
  JsonObject,
  JsonValue,
  Lab,
  RunEpisode,
  RunEpisodes,
  StopReason,
  TableRow,
  TokenModel,
  Trainer,
  TrainSequence,
  Trajectory,
  Usage,
} from "../train/mod.ts";
export type { LaunchPlan, SlimeConfig } from "../train/slime/mod.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Runs a module in the root of the repository with only the given permissions. */
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

const ENTRIES = {
  "mod.ts": taulab,
  "train/mod.ts": train,
  "train/slime/mod.ts": slime,
  "notebooks/mod.ts": notebook,
};

for (const [file, module] of Object.entries(ENTRIES)) {
  Deno.test(`${file} exports exactly the listed names`, () => {
    const names = NAMES[file as keyof typeof NAMES];
    assert.deepEqual(Object.keys(module).toSorted(), names.toSorted());
  });

  Deno.test(`${file} can be imported without permissions, and prints and starts nothing`, async () => {
    const { code, stdout, stderr } = await run(join(ROOT, file));
    assert.deepEqual({ code, stdout, stderr }, {
      code: 0,
      stdout: "",
      stderr: "",
    });
  });
}

Deno.test("mod.ts has fewer than 40 names, which can be read in a minute", () => {
  assert.ok(NAMES["mod.ts"].length < 40);
});

Deno.test("mod.ts loads neither slime nor the CPU policy nor SQLite", async () => {
  await inTempDir(async (dir) => {
    await run(join(ROOT, "mod.ts"), [`--coverage=${dir}`]);
    const loaded: string[] = [];
    for await (const { name } of Deno.readDir(dir)) {
      const { url } = JSON.parse(await Deno.readTextFile(join(dir, name)));
      loaded.push(relative(ROOT, fileURLToPath(url)));
    }
    assert.ok(loaded.includes("env/rollout.ts"));
    const heavy = /^train\/(slime|cpu|runs\/episode_store)/;
    assert.deepEqual(loaded.filter((path) => heavy.test(path)), []);
  });
});

Deno.test("train/mod.ts is enough to train with a custom reward and to inspect the run", async () => {
  const { makeConfig, openDataset, openRunPolicy, readEpisodeRows, readRun } =
    train;
  const config = makeConfig({
    threads: 1,
    data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 1 } },
    model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
    coldStart: { steps: 1 },
    rl: { steps: 1, tasksPerStep: 2, groupSize: 2, maxRefills: 0 },
    rollout: { maxTokensPerTurn: 8, maxParseErrors: 1 },
  });
  await inTempDir(async (dir) => {
    const path = join(dir, "mine");
    const dataset = await openDataset(config.data);
    {
      await using started = await train.startRun(path, { config, dataset });
      const { outcome } = await train.runSession({
        run: started,
        dataset,
        reward: ({ graded, turns }) => graded.value - turns.length / 8 - 0.5,
      });
      assert.equal(outcome, "completed");
    }
    const rows = await readEpisodeRows(path, { source: "rl" });
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

Deno.test("train/mod.ts has the parts of a custom training loop", async () => {
  const config = train.makeConfig({
    threads: 1,
    data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 1 } },
    model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
    rollout: { maxTokensPerTurn: 8, maxParseErrors: 1 },
  });
  const dataset = await train.openDataset(config.data);
  await using lab = await train.createCpuLab({ config, dataset });
  const batch = train.pickBatch(lab.demonstrations.sequences, {
    seed: 1,
    step: 1,
    size: 4,
  });
  const rate = { learningRate: 1e-3, maxGradNorm: 1 };
  const before = await lab.trainer.supervised(batch, rate);
  const after = await lab.trainer.supervised(batch, rate);
  assert.ok(after.loss < before.loss);
  const { groups } = await train.sampleGroups(dataset.tasks("train"), {
    tasksPerStep: 1,
    groupSize: 4,
    advantage: "dr-grpo",
    maxRefills: 0,
    seedOf: (task, i) => taulab.deriveSeed(1, task.id, i),
    sample: (jobs) =>
      lab.sample(jobs, {
        temperature: 1,
        reward: ({ turns, parseErrors }) => turns.length - parseErrors,
      }),
  });
  assert.equal(groups[0]?.episodes.length, 4);
  const stats = await train.updateOnGroups(lab.trainer, groups, {
    loss: { ...config.rl, learningRate: 1e-3 },
    minibatches: 1,
    lossMean: "token",
    negativeWeight: 1,
    rng: taulab.createRng(1),
  });
  assert.ok(Number.isFinite(stats.loss));
});
