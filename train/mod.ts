/**
 * Training on the CPU and everything around it: tasks to train on, configs, runs on disk, and the parts of a custom
 * loop.
 *
 *     config ─▶ dataset ─▶ lab ─▶ groups ─▶ advantages ─▶ update ─▶ run dir ─▶ rows, diagnoses, pass^k
 *
 * A supervised step on the expert's demonstrations:
 *
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { createCpuLab, makeConfig, openDataset, pickBatch } from "./mod.ts";
 *
 * const config = makeConfig({
 *   threads: 1,
 *   data: { generated: { trainTasks: 8, devTasks: 1, testTasks: 1 } },
 *   model: { dim: 32, heads: 2, layers: 1, hidden: 64, pointerDim: 16 },
 * });
 * const dataset = await openDataset(config.data);
 * await using lab = await createCpuLab({ config, dataset });
 * const batch = pickBatch(lab.demonstrations.sequences, { seed: 1, step: 1, size: 4 });
 * const { loss } = await lab.trainer.supervised(batch, { learningRate: 1e-3, maxGradNorm: 1 });
 * ok(loss > 0);
 * ```
 *
 * @module
 */

// Task datasets: certificates, files, coverage, and exclusions.
export { audit } from "../env/audit/audit.ts";
export { createCertifier } from "../env/generated/certificate/certificate.ts";
export { coverageOf } from "../env/generated/coverage.ts";
export { worldFiles } from "../env/generated/world_files.ts";
export { readExclusions, withoutTasks } from "./config/exclusions.ts";

// Complete runs.
export { makeConfig, parseSet, resolveConfig } from "./config/config.ts";
export { openDataset } from "./config/open_dataset.ts";
export { openUser } from "./config/open_user.ts";
export { runSession, startRun } from "./session.ts";

// The parts of a training loop.
export { createCpuLab } from "./cpu/cpu_lab.ts";
export { pickBatch } from "./batch.ts";
export { sampleGroups } from "./group.ts";
export { advantages } from "./advantage.ts";
export { updateOnGroups } from "./update.ts";
export { learningRateAt } from "./schedule.ts";
export { evalJobs, evalResult } from "./held_out.ts";
export { mean, rewardOf } from "./runs/episode_stats.ts";

// The policy and its agent.
export { createCpuPolicy, loadCpuPolicy } from "./cpu/policy.ts";
export { codecOf, policyAgent } from "./cpu/policy_agent.ts";

// Token models at an endpoint, and the parts of a call to one.
export { sglangTokenModel } from "../env/models/sglang.ts";
export { tokenChatModel } from "../env/models/token_chat.ts";
export { loadChatTemplate } from "../env/tokens/chat_template.ts";
export { loadTokenizer } from "../env/tokens/tokenizer.ts";
export { createCaller } from "../env/models/call_policy.ts";
export { resolveEndpoint } from "../env/models/endpoints.ts";
export { createMeter } from "../env/models/meter.ts";
export { openaiChatModel } from "../env/models/openai.ts";

// Runs on disk: config and metrics, episodes with their tasks, the saved policy. Each kind of run registers a reader
// for readAnyRun().
import "./evaluation/evaluation_dir.ts";
import "./slime/launch/slime_run.ts";
export { readAnyRun } from "./runs/run_reader.ts";
export { readRun } from "./runs/training_dir.ts";
export { readEpisodeRows } from "./runs/read_episode_rows.ts";
export { openRunEpisodes } from "./runs/run_episodes.ts";
export { openRunPolicy } from "./cpu/run_policy.ts";

// Analyses of episodes.
export { diagnosisReport } from "./diagnosis/diagnosis_report.ts";
export { passK } from "./evaluation/pass_k.ts";

// Python values, as in rows and arguments.
export { fromPlain, toPlain } from "../env/python/python_value.ts";

// Errors: the class says where something broke, and `hint` says how to fix it.
export {
  BoundaryError,
  BudgetError,
  ConfigError,
  DataError,
  InfrastructureError,
  PolicyError,
  RunDirError,
  StorageError,
  ToolError,
  TrainerError,
} from "../env/errors.ts";

export type {
  Chat,
  ChatReply,
  Failure,
  StopReason,
  TokenModel,
  Usage,
} from "../env/types.ts";
export type { JsonObject, JsonValue } from "../env/python/python_value.ts";
export type { GradedOutcome } from "../env/rollout.ts";
export type { Trajectory } from "../env/tokens/trajectory.ts";
export type { Config, ConfigInput } from "./config/config.ts";
export type { Group } from "./group.ts";
export type { Lab } from "./lab.ts";
export type { RunEpisode, RunEpisodes } from "./runs/run_episodes.ts";
export type { TableRow } from "./runs/table_file.ts";
export type { Trainer, TrainSequence } from "./trainer.ts";
