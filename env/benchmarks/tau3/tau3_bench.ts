/** Loads a τ³-bench domain as a dataset: tasks by split, prompts, tools, and the benchmark's conversation rules. */

import { z } from "zod";
import { identityOf } from "../../domain.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { toPlain } from "../../python/python_value.ts";
import { sha256 } from "../../state_hash.ts";
import {
  type ConversationRules,
  type Dataset,
  type Prompts,
  type RulesOptions,
  type Split,
  SPLITS,
  type Task,
  type ToolSchema,
} from "../../types.ts";
import {
  type BundleFiles,
  type BundleSource,
  checkedValue,
  SOLO_TOOL_FILE,
  topFiles,
} from "./bundle_files.ts";
import { targetWorld } from "./evaluators/environment_evaluator.ts";
import { evaluateUnjudged } from "./evaluators/evaluate_simulation.ts";
import { BASE_SPLIT, loadTau3, type Tau3Bundle } from "./load_bundle.ts";
import { GREETING, SOLO_STOP_TOKEN, SOLO_STOP_TOOL } from "./orchestrator.ts";
import type { PolicyText } from "./policy_texts.ts";
import type { Tau3Message } from "./tau3_message.ts";
import { Tau3Environment } from "./tau3_environment.ts";
import {
  agentSystem,
  type Guidelines,
  PERSONA,
  policyText,
  readGuidelines,
  readTau3Prompts,
  scenarioText,
  soloSystem,
  type Tau3Prompts,
  userSystem,
} from "./tau3_prompts.ts";
import type { Tau3Task } from "./tau3_task.ts";
import { replayTurns } from "./replay_turns.ts";
import { tau3Faults } from "./audit/task_faults.ts";
import { userOf } from "./task_user.ts";

/** Options for {@linkcode tau3Bench}. */
export interface Tau3BenchOptions {
  /** The name of a domain or of its variant: `retail`, `NAME-workflow`. */
  readonly domain: string;
  /** Whether the simulated user is as terse as possible. Default: false. */
  readonly terse?: boolean;
  /**
   * Whether the agent works without a user, with the tools of both sides, on those tasks that have a ticket. Default:
   * false.
   */
  readonly solo?: boolean;
  /**
   * Tasks from a result file. A task replaces the directory's task with the same id, or is added if there is no such
   * task.
   */
  readonly recorded?: readonly Tau3Task[];
}

const toolSchemas = z.array(z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string(),
    description: z.string(),
    parameters: z.record(z.string(), z.unknown()),
  }),
}));

/** The data that was read from a directory. */
interface Tau3Data {
  readonly bundle: Tau3Bundle;
  readonly prompts: Tau3Prompts;
  readonly guidelines: Guidelines;
  readonly tools: { agent: readonly ToolSchema[]; user: readonly ToolSchema[] };
  readonly terse: boolean;
  /** The policy for conversations with a user. */
  readonly policy: string;
  /** The policy for solo agents; `undefined` unless the dataset is for solo agents. */
  readonly soloPolicy: string | undefined;
}

/**
 * Loads a domain of τ³-bench.
 * @throws {DataError} If a file is missing or invalid; the message names the file and, if a field is invalid, the
 * field.
 * @throws {ConfigError} If this version of taulab does not implement the domain, or the domain lacks the requested
 * variant or a solo mode.
 */
export async function tau3Bench(
  source: BundleSource,
  { domain: name, terse = false, solo = false, recorded = [] }:
    Tau3BenchOptions,
): Promise<Dataset> {
  const bundle = await loadTau3(source, name);
  const prompts = await readTau3Prompts(source);
  const guidelines = await readGuidelines(source);
  const tools = await readTools(source, bundle, { solo });
  const policy = policyText(prompts, bundle.policies.agent);
  requireVariant(bundle);
  const soloPolicy = solo
    ? policyText(prompts, soloPolicyOf(bundle))
    : undefined;
  const sources = new Map<Task, Tau3Task>();
  const bySplit = new Map<Split, readonly Task[]>();
  for (const split of SPLITS) {
    if (!bundle.splits.includes(split)) continue;
    const wanted = withRecorded(bundle, split, recorded)
      .filter(({ ticket }) => !solo || ticket !== null);
    const all = wanted.map((source, index) => {
      const task = taskOf(source, { bundle, prompts, split, index, solo });
      sources.set(task, source);
      return task;
    });
    bySplit.set(split, all);
  }
  const data = {
    ...{ bundle, prompts, guidelines, tools, terse, policy, soloPolicy },
  };
  const texts = JSON.stringify([
    ...[name, prompts, guidelines, tools, terse],
    ...soloPolicy === undefined ? [] : [soloPolicy],
  ]);
  return {
    name: "tau3-bench",
    ...identityOf(bundle.domain),
    fingerprint: sha256([bundle.fingerprint, texts]),
    database: bundle.databases.agent,
    policy: soloPolicy ?? policy,
    tools: tools.agent,
    terminatingTools: [],
    prompts: () => promptsOf(prompts, guidelines),
    fewShot: [],
    splits: [...bySplit.keys()],
    tasks(split) {
      // `tasksOf` throws if there is no such split.
      return bySplit.get(split) ?? (bundle.tasksOf(split), []);
    },
    rules: rulesOf(data, sources),
  };
}

/**
 * Returns a split's tasks merged with recorded tasks. Recorded tasks that the bundle lacks are added to the base split.
 */
function withRecorded(
  { tasks, tasksOf }: Tau3Bundle,
  split: Split,
  recorded: readonly Tau3Task[],
): readonly Tau3Task[] {
  if (recorded.length === 0) return tasksOf(split);
  const byId = new Map(recorded.map((task) => [task.id, task]));
  const known = new Set(tasks.map(({ id }) => id));
  const others = recorded.filter(({ id }) => !known.has(id));
  return [
    ...tasksOf(split).map((task) => byId.get(task.id) ?? task),
    ...split === BASE_SPLIT ? others : [],
  ];
}

/**
 * Checks that a domain has the requested variant.
 * @throws {ConfigError} If the name denotes a variant, but the domain has only one policy.
 */
function requireVariant({ name, domain, policies }: Tau3Bundle): void {
  if (name === domain.name || "techSupport" in policies.agent) return;
  throw new ConfigError(
    `The domain "${domain.name}" of τ³-bench has no policy variant "${name}"`,
    { hint: "use the domain telecom, or omit --policy-type (data.policyType)" },
  );
}

/**
 * Returns the policy for solo agents.
 * @throws {ConfigError} If the domain has no such policy.
 */
function soloPolicyOf({ name, policies }: Tau3Bundle): PolicyText {
  if (policies.solo !== undefined) return policies.solo;
  throw new ConfigError(
    `The domain "${name}" of τ³-bench has no policy for solo agents`,
    { hint: "use the domain telecom, or omit --solo (data.solo)" },
  );
}

/** Reads the tool schemas of a bundle. Solo agents get the tools of both sides. */
async function readTools(
  source: BundleSource,
  { domain, part }: Tau3Bundle,
  { solo }: { readonly solo: boolean },
): Promise<Tau3Data["tools"]> {
  const files = topFiles(source, "tools");
  const agent = await readSchemas(files, `${domain.name}_agent.json`);
  const user = part.userTools === undefined
    ? []
    : await readSchemas(files, `${domain.name}_user.json`);
  if (!solo) return { agent, user };
  const done = await readSchemas(files, SOLO_TOOL_FILE);
  return { agent: [...agent, ...user, ...done], user: [] };
}

async function readSchemas(
  files: BundleFiles,
  name: string,
): Promise<readonly ToolSchema[]> {
  if (await files.find(name) === undefined) {
    throw new DataError(
      `Cannot find the tool descriptions "${files.path(name)}"`,
      {
        path: files.path(name),
        hint:
          'create a bundle from the checkout with "deno task import --from DIR", and pass the bundle as --tau3-bench',
      },
    );
  }
  const { path, value } = await files.value(name);
  const plain = toPlain(value);
  return checkedValue(toolSchemas, {
    value: Array.isArray(plain) ? plain : [plain],
    path,
  });
}

function taskOf(
  source: Tau3Task,
  { bundle, prompts, split, index, solo }: {
    bundle: Tau3Bundle;
    prompts: Tau3Prompts;
    split: Split;
    index: number;
    solo: boolean;
  },
): Task {
  const { criteria } = source;
  const counts = criteria?.rewardBasis.includes("COMMUNICATE") ?? false;
  const isJudged = criteria?.rewardBasis.includes("NL_ASSERTION") &&
    (criteria.nlAssertions ?? []).length > 0;
  return {
    id: `${bundle.name}/${split}/${source.id}`,
    ...identityOf(bundle.domain),
    split,
    index,
    userId: userOf(bundle, source),
    instruction: scenarioText(prompts, source.scenario),
    actions: (criteria?.actions ?? []).filter(({ requestor }) =>
      solo || requestor === "assistant"
    ).map(({ name, arguments: args }) => ({ name, arguments: args })),
    outputs: counts ? criteria?.communicateInfo ?? [] : [],
    ...isJudged && { isJudged: true as const },
  };
}

function rulesOf(
  data: Tau3Data,
  sources: ReadonlyMap<Task, Tau3Task>,
): ConversationRules {
  const { bundle, prompts, guidelines, tools, terse, soloPolicy } = data;
  const solo = soloPolicy !== undefined;
  function sourceOf(task: Task): Tau3Task {
    return sources.get(task) ?? bundle.task(upstreamId(task));
  }
  return {
    greeting: GREETING,
    // An action and its answer are two of the 200 steps.
    maxTurns: 200,
    ...solo && {
      solo: {
        system: (task) =>
          soloSystem(prompts, { policy: soloPolicy, task: sourceOf(task) }),
        stopTool: SOLO_STOP_TOOL,
        policyWithUser: data.policy,
      },
    },
    userTools: tools.user,
    userSystem: (task) =>
      userSystem(prompts, {
        guidelines: tools.user.length > 0
          ? guidelines.tools
          : guidelines.talking,
        task: sourceOf(task),
        terse,
      }),
    environment: (options: RulesOptions) =>
      new Tau3Environment({
        ...options,
        bundle,
        prompts,
        source: sourceOf(options.task),
        solo,
      }),
    gold: (task) => targetWorld(bundle, sourceOf(task)).databases.agent,
    baseline: (task) => baselineOf(bundle, sourceOf(task), { solo }),
    original(task) {
      const { id, original = null } = sourceOf(task);
      return { id, task: toPlain(original) };
    },
    faults: (task) => tau3Faults(bundle, sourceOf(task)),
    replay: (task, turns) =>
      replayTurns(turns, { bundle, source: sourceOf(task), solo }),
  };
}

/** Returns a task's id in upstream's data: the task's id without the prefix for domain and split. */
export function upstreamId({ id }: Pick<Task, "id">): string {
  return id.split("/").slice(2).join("/");
}

/** Returns the reward of the do-nothing baseline. Parts that only a judge can decide count as passed. */
function baselineOf(
  source: Tau3Bundle,
  task: Tau3Task,
  { solo }: { readonly solo: boolean },
): 0 | 1 {
  const message = (
    role: "assistant" | "user",
    content: string,
  ): Tau3Message => ({
    role,
    content,
    toolCalls: null,
    cost: null,
  });
  const { breakdown } = evaluateUnjudged({
    source,
    task,
    messages: [
      ...task.history,
      ...solo ? [message("assistant", SOLO_STOP_TOKEN)] : [
        message("assistant", GREETING),
        message("user", "###STOP###"),
      ],
    ],
    terminationReason: solo ? "agent_stop" : "user_stop",
    solo,
  });
  return breakdown?.some(([, part]) => part === 0) ? 0 : 1;
}

/**
 * Converts the prompts to the common format. Only the prompts for the tool-calling agent and the `llm` user come from
 * upstream.
 */
function promptsOf(prompts: Tau3Prompts, guidelines: Guidelines): Prompts {
  const system = agentSystem(prompts, "<<wiki>>");
  const user = guidelines.talking.replaceAll(PERSONA, "");
  return {
    user: {
      system: `${user}\n\n<<instruction_display>>`,
      reactSystem: `${user}\n\n<<instruction_display>>`,
      instructionDisplay: "<<instruction>>",
      verify: "<<transcript>>\n<<response>>",
      reflect: "<<transcript>>\n<<response>>",
      roleLabels: { user: "Customer", assistant: "Agent" },
      firstAgentMessage: GREETING,
    },
    agent: {
      textSystem:
        `${system}\n<tools>\n<<tools_json>>\n</tools>\n<<agent_instruction>>`,
      reactInstruction:
        'Answer with a line "Thought:" and your reasoning, then a line "Action:" and a JSON object {"name": …, "arguments": {…}}. To speak to the user, use the name "respond" with the argument "content".',
      actInstruction:
        'Answer with a line "Action:" and a JSON object {"name": …, "arguments": {…}}. To speak to the user, use the name "respond" with the argument "content".',
      observationPrefix: "API output: ",
      actionMarker: "Action:",
      toolCallingSystem: system,
      fewShotSystem: `${system}\n<<few_shot_examples>>`,
    },
  };
}
