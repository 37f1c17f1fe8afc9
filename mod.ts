/**
 * taulab: train and study tool-using agents on τ-bench, from Deno.
 *
 *     Dataset ─▶ Task ─▶ Environment ⇄ Agent ⇄ Model        worlds, users, agents, models
 *                            ⇅ User
 *                            ▼
 *                 Episode ─▶ reward, diagnosis, pass^k, a data frame
 *
 * This module exports what a first script needs. `train/mod.ts` adds training and runs on disk, `train/slime/mod.ts`
 * adds plans for slime runs, and `notebooks/mod.ts` adds figures and tables. In this example, the expert agent solves
 * one task of a generated retail dataset:
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
 * Importing the module reads no files, requires no permissions and starts nothing.
 *
 * @module
 */

// Worlds: rows, policy, tools and tasks; and worlds made of others.
export { generated } from "./env/generated/generated.ts";
export { loadTauBench } from "./env/benchmarks/tau/tau_bench.ts";
export { customTool, withTools } from "./env/with_tools.ts";

// A domain of your own.
export { defineDomain } from "./env/domain.ts";
export { registerDomain } from "./env/domains/registry.ts";
export { defineTool } from "./env/tool.ts";

// A world by hand: one action after the other.
export { createEnvironment } from "./env/environment.ts";
export { callAction } from "./env/actions.ts";

// Users.
export { scriptedUser } from "./env/users/scripted.ts";
export { llmUser } from "./env/users/llm.ts";
export { reactUser } from "./env/users/react.ts";
export { verifyUser } from "./env/users/verify.ts";
export { reflectionUser } from "./env/users/reflection.ts";
export { humanUser, lineReader } from "./env/users/human.ts";
export { registerUser } from "./env/users/registry.ts";
export { STOP } from "./env/types.ts";

// Agents.
export { expertAgent } from "./env/agents/expert.ts";
export { toolCallingAgent } from "./env/agents/tool_calling.ts";
export { textAgent } from "./env/agents/text.ts";
export { fewShotAgent, fewShotExamples } from "./env/agents/few_shot.ts";
export { registerAgent } from "./env/agents/registry.ts";

// Models: at an endpoint, or from a recording.
export { connectModel } from "./train/config/open_model.ts";
export { replayChatModel } from "./env/models/replay_model.ts";

// Rollouts: one, many, and their progress.
export { rollout, rolloutAll } from "./env/rollout.ts";
export { trialSpecs } from "./env/trials.ts";
export { createRng, deriveSeed } from "./env/random.ts";
export { progressLine } from "./train/progress/live_line.ts";

// Evaluation: who failed where and why, pass^k with intervals, rows for a data frame.
export { diagnose } from "./env/diagnosis/diagnose.ts";
export { passEstimates } from "./train/evaluation/pass_k.ts";
export { episodeRows } from "./train/runs/episode_rows.ts";
export { writeTable } from "./train/runs/table_file.ts";

// Errors that a script catches or throws; train/mod.ts has all of them.
export { ConfigError, ToolError } from "./env/errors.ts";

export type {
  Action,
  Agent,
  AgentSession,
  AgentStart,
  AgentStep,
  ChatModel,
  Dataset,
  Environment,
  Episode,
  Message,
  Observation,
  Reward,
  Split,
  Task,
  ToolCall,
  Turn,
  User,
  UserFactory,
} from "./env/types.ts";
export type { Domain } from "./env/domain.ts";
export type { AgentStrategy } from "./env/agents/registry.ts";
export type { CustomTool } from "./env/with_tools.ts";
export type { Database } from "./env/database.ts";
export type { Diagnosis } from "./env/diagnosis/diagnose.ts";
export type { EpisodeRow } from "./train/runs/episode_rows.ts";
export type { Estimate } from "./train/evaluation/interval.ts";
export type { RewardFunction, RolloutSpec } from "./env/rollout.ts";
export type { UserStrategy } from "./env/users/registry.ts";
