/**
 * taulab: train and study tool-using agents on τ-bench, from Deno.
 *
 * One episode in the generated retail world, by the expert who shows how it is done:
 *
 * ```ts
 * import { expertAgent, generated, rollout, scriptedUser } from "./mod.ts";
 *
 * const dataset = await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 1 });
 * const [task] = dataset.tasks("test");
 * if (task === undefined) throw new Error("There is no test task");
 * const episode = await rollout({
 *   dataset,
 *   task,
 *   agent: expertAgent(),
 *   user: scriptedUser(dataset),
 *   userName: "scripted",
 *   seed: 1,
 *   now: () => performance.now(),
 * });
 * console.assert(episode.reward?.value === 1);
 * ```
 *
 * @module
 */

// Worlds: rows, policy, tools and tasks.
export { generated } from "./env/data/generated/generated.ts";
export { loadTauBench } from "./env/data/tau_bench.ts";
export { createEnvironment } from "./env/environment.ts";

// Who talks: customers and agents.
export { humanUser } from "./env/users/human.ts";
export { llmUser } from "./env/users/llm.ts";
export { reactUser } from "./env/users/react.ts";
export { reflectionUser } from "./env/users/reflection.ts";
export { scriptedUser } from "./env/users/scripted.ts";
export { verifyUser } from "./env/users/verify.ts";
export { expertAgent } from "./env/agents/expert.ts";
export { fewShotAgent, fewShotExamples } from "./env/agents/few_shot.ts";
export { textAgent } from "./env/agents/text.ts";
export { toolCallingAgent } from "./env/agents/tool_calling.ts";

// What answers: models over messages, and models over tokens behind a template.
export { createCaller } from "./env/models/call_policy.ts";
export { resolveEndpoint } from "./env/models/endpoints.ts";
export { createMeter } from "./env/models/meter.ts";
export { openaiChatModel } from "./env/models/openai.ts";
export { replayChatModel } from "./env/models/replay.ts";
export { sglangTokenModel } from "./env/models/sglang.ts";
export { tokenChatModel } from "./env/models/token_chat.ts";
export { loadChatTemplate } from "./env/tokens/chat_template.ts";
export { loadTokenizer } from "./env/tokens/tokenizer.ts";
export { createCpuPolicy, loadCpuPolicy } from "./train/cpu/policy.ts";

// Episodes and runs.
export { rollout, rolloutAll } from "./env/rollout.ts";
export { readRun } from "./train/run_reader.ts";
export { createRng } from "./env/random.ts";

export { STOP } from "./env/types.ts";
export type {
  Action,
  Agent,
  ChatModel,
  Dataset,
  Environment,
  Episode,
  Message,
  Observation,
  Reward,
  Task,
  TokenModel,
  User,
  UserFactory,
} from "./env/types.ts";
export type { Trajectory } from "./env/tokens/trajectory.ts";
export type { Trainer, TrainSequence } from "./train/trainer.ts";
