/**
 * taulab: train and study tool-using agents on τ-bench, from Deno.
 *
 *     Dataset ─▶ Task ─▶ Environment ⇄ Agent ⇄ Model        worlds, who talks, what answers
 *                            ⇅ User
 *                            ▼
 *     Episode ─▶ reward, diagnosis, pass^k, a data frame    episodes and runs
 *        └─────▶ Trainer ─▶ run dir                         training on the CPU
 *
 * One episode in the generated retail world, by the expert who shows how it is done:
 *
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { expertAgent, generated, rollout, scriptedUser } from "./mod.ts";
 *
 * const dataset = await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 1 });
 * const episode = await rollout({
 *   dataset,
 *   task: dataset.tasks("test")[0]!,
 *   agent: expertAgent(),
 *   user: scriptedUser(dataset),
 *   seed: 1,
 * });
 * equal(episode.reward?.value, 1);
 * ```
 *
 * Importing it reads no file, asks for no permission and starts nothing.
 *
 * @module
 */

// Worlds: rows, policy, tools and tasks; and worlds made of others.
export { generated, generatedAirlineWorld } from "./env/generated/generated.ts";
export { loadTauBench } from "./env/benchmarks/tau/tau_bench.ts";
export { customTool, withTools } from "./env/with_tools.ts";
export { readExclusions, withoutTasks } from "./train/config/exclusions.ts";

// What can be known of tasks before a model sees them.
export { audit } from "./env/audit/audit.ts";
export { createCertifier } from "./env/generated/certificate/certificate.ts";

// A world by hand: one action after the other. Rows and arguments hold Python's values.
export { callAction } from "./env/actions.ts";
export { createEnvironment } from "./env/environment.ts";
export { fromPlain, toPlain } from "./env/python/python_value.ts";

// Who talks: customers and agents.
export { humanUser, lineReader } from "./env/users/human.ts";
export { llmUser } from "./env/users/llm.ts";
export { reactUser } from "./env/users/react.ts";
export { reflectionUser } from "./env/users/reflection.ts";
export { scriptedUser } from "./env/users/scripted.ts";
export { verifyUser } from "./env/users/verify.ts";
export { expertAgent } from "./env/agents/expert.ts";
export { fewShotAgent, fewShotExamples } from "./env/agents/few_shot.ts";
export { textAgent } from "./env/agents/text.ts";
export { toolCallingAgent } from "./env/agents/tool_calling.ts";

// What answers: a model at an endpoint, in one call, and what that call is made of.
export { connectModel } from "./train/config/open_model.ts";
export { createCaller } from "./env/models/call_policy.ts";
export { resolveEndpoint } from "./env/models/endpoints.ts";
export { createMeter } from "./env/models/meter.ts";
export { openaiChatModel } from "./env/models/openai.ts";
export { replayChatModel } from "./env/models/replay_model.ts";

// What answers: models over tokens, behind a template.
export { sglangTokenModel } from "./env/models/sglang.ts";
export { tokenChatModel } from "./env/models/token_chat.ts";
export { loadChatTemplate } from "./env/tokens/chat_template.ts";
export { loadTokenizer } from "./env/tokens/tokenizer.ts";
export { createCpuPolicy, loadCpuPolicy } from "./train/cpu/policy.ts";

// Episodes: one, many, and how far they have come.
export { rollout, rolloutAll } from "./env/rollout.ts";
export { trialSpecs } from "./env/trials.ts";
export { progressLine } from "./train/progress/live_line.ts";

// What episodes come to: who failed where and why, pass^k with intervals, rows for a data frame.
export { diagnose } from "./env/diagnosis/diagnose.ts";
export { diagnosisReport } from "./train/diagnosis/diagnosis_report.ts";
export { passEstimates } from "./train/evaluation/pass_estimates.ts";
export { passK } from "./train/evaluation/pass_k.ts";
export { episodeRows, readEpisodeRows } from "./train/runs/episode_rows.ts";
export { writeTable } from "./train/runs/table_file.ts";

// Runs on disk: config and metrics, episodes with their tasks, the policy as it was left.
export { readAnyRun, readRun } from "./train/runs/run_reader.ts";
export { openRunEpisodes } from "./train/runs/run_episodes.ts";
export { openRunPolicy } from "./train/cpu/run_policy.ts";

// Training on the CPU: a run from beginning to end.
export { makeConfig, resolveConfig } from "./train/config/config.ts";
export { openDataset } from "./train/config/open_dataset.ts";
export { runSession, startRun } from "./train/session.ts";

// Training on the CPU: the parts of a loop of one's own.
export { createCpuLab } from "./train/cpu/cpu_lab.ts";
export { pickBatch } from "./train/batch.ts";
export { sampleGroups } from "./train/group.ts";
export { advantages } from "./train/advantage.ts";
export { updateOnGroups } from "./train/update.ts";

// Randomness, which is always passed in.
export { createRng, deriveSeed } from "./env/random.ts";

// Errors: the class says where something broke.
export {
  BudgetError,
  ConfigError,
  DataError,
  InfrastructureError,
  PolicyError,
  RunDirError,
  ToolError,
  TrainerError,
} from "./env/errors.ts";

export { STOP } from "./env/types.ts";
export type {
  Action,
  Agent,
  AgentSession,
  AgentStart,
  AgentStep,
  Chat,
  ChatModel,
  ChatReply,
  Dataset,
  Environment,
  Episode,
  Failure,
  Message,
  Observation,
  Reward,
  Split,
  StopReason,
  Task,
  TokenModel,
  ToolCall,
  Turn,
  Usage,
  User,
  UserFactory,
} from "./env/types.ts";
export type { Database } from "./env/database.ts";
export type { Diagnosis } from "./env/diagnosis/diagnose.ts";
export type { JsonObject, JsonValue } from "./env/python/python_value.ts";
export type {
  GradedOutcome,
  RewardFunction,
  RolloutSpec,
} from "./env/rollout.ts";
export type { CustomTool } from "./env/with_tools.ts";
export type { Trajectory } from "./env/tokens/trajectory.ts";
export type { Config, ConfigInput } from "./train/config/config.ts";
export type { RunEpisode, RunEpisodes } from "./train/runs/run_episodes.ts";
export type { EpisodeRow } from "./train/runs/episode_rows.ts";
export type { Estimate } from "./train/evaluation/interval.ts";
export type { Group } from "./train/group.ts";
export type { Lab } from "./train/lab.ts";
export type { TableRow } from "./train/runs/table_file.ts";
export type { Trainer, TrainSequence } from "./train/trainer.ts";
