/** A domain of τ³-bench as a dataset: tasks by split, prompts, tools, and the benchmark's rules of a conversation. */

import { z } from "zod";
import { identityOf } from "../../domain.ts";
import { DataError } from "../../errors.ts";
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
  topFiles,
} from "./bundle_files.ts";
import { targetWorld } from "./evaluators/environment_evaluator.ts";
import { evaluateUnjudged } from "./evaluators/evaluate_simulation.ts";
import { BASE_SPLIT, loadTau3, type Tau3Bundle } from "./load_bundle.ts";
import { GREETING } from "./orchestrator.ts";
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
  type Tau3Prompts,
  userSystem,
} from "./tau3_prompts.ts";
import type { Tau3Task } from "./tau3_task.ts";
import { replayTurns } from "./replay_turns.ts";
import { tau3Faults } from "./audit/task_faults.ts";
import { userOf } from "./task_user.ts";

/** Settings of {@linkcode tau3Bench}. */
export interface Tau3BenchOptions {
  /** A domain's name, or that of its variant: `retail`, `NAME-workflow`. */
  readonly domain: string;
  /** Whether the simulated user says as little as possible. Default: not. */
  readonly terse?: boolean;
  /** Tasks that count in the place of the directory's of the same id, or beside them, as a result file holds them. */
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

/** What is read of a directory. */
interface Tau3Data {
  readonly bundle: Tau3Bundle;
  readonly prompts: Tau3Prompts;
  readonly guidelines: Guidelines;
  readonly tools: { agent: readonly ToolSchema[]; user: readonly ToolSchema[] };
  readonly terse: boolean;
}

/**
 * Reads a domain of τ³-bench.
 * @throws {DataError} If a file is missing or not what it should be; names the file and the place in it.
 * @throws {ConfigError} If this version does not have the domain.
 */
export async function tau3Bench(
  source: BundleSource,
  { domain: name, terse = false, recorded = [] }: Tau3BenchOptions,
): Promise<Dataset> {
  const bundle = await loadTau3(source, name);
  const prompts = await readTau3Prompts(source);
  const guidelines = await readGuidelines(source);
  const tools = await readTools(source, bundle);
  const policy = policyText(prompts, bundle.policies.agent);
  const sources = new Map<Task, Tau3Task>();
  const bySplit = new Map<Split, readonly Task[]>();
  for (const split of SPLITS) {
    if (!bundle.splits.includes(split)) continue;
    const all = withRecorded(bundle, split, recorded).map((source, index) => {
      const task = taskOf(source, { bundle, prompts, split, index });
      sources.set(task, source);
      return task;
    });
    bySplit.set(split, all);
  }
  const data = { bundle, prompts, guidelines, tools, terse };
  const texts = JSON.stringify([name, prompts, guidelines, tools, terse]);
  return {
    name: "tau3-bench",
    ...identityOf(bundle.domain),
    fingerprint: sha256([bundle.fingerprint, texts]),
    database: bundle.databases.agent,
    policy,
    tools: tools.agent,
    terminatingTools: [],
    prompts: () => promptsOf(prompts, guidelines),
    fewShot: [],
    splits: [...bySplit.keys()],
    tasks(split) {
      // For the error where there is no such split.
      return bySplit.get(split) ?? (bundle.tasksOf(split), []);
    },
    rules: rulesOf(data, sources),
  };
}

/** The tasks of a split; what no split has is of the base. */
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

/** The tool descriptions of a bundle. */
async function readTools(
  source: BundleSource,
  { domain, part }: Tau3Bundle,
): Promise<Tau3Data["tools"]> {
  const files = topFiles(source, "tools");
  const agent = await readSchemas(files, `${domain.name}_agent.json`);
  const user = part.userTools === undefined
    ? []
    : await readSchemas(files, `${domain.name}_user.json`);
  return { agent, user };
}

async function readSchemas(
  files: BundleFiles,
  name: string,
): Promise<readonly ToolSchema[]> {
  if (await files.find(name) === undefined) {
    throw new DataError(
      `Cannot find "${files.path(name)}", the tools as models are told of them`,
      {
        path: files.path(name),
        hint:
          'make a bundle of the checkout by "deno task import --from DIR", and name that',
      },
    );
  }
  const { path, value } = await files.value(name);
  return checkedValue(toolSchemas, { value: toPlain(value), path });
}

function taskOf(
  source: Tau3Task,
  { bundle, prompts, split, index }: {
    bundle: Tau3Bundle;
    prompts: Tau3Prompts;
    split: Split;
    index: number;
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
      requestor === "assistant"
    ).map(({ name, arguments: args }) => ({ name, arguments: args })),
    outputs: counts ? criteria?.communicateInfo ?? [] : [],
    ...isJudged && { isJudged: true as const },
  };
}

function rulesOf(
  data: Tau3Data,
  sources: ReadonlyMap<Task, Tau3Task>,
): ConversationRules {
  const { bundle, prompts, guidelines, tools, terse } = data;
  function sourceOf(task: Task): Tau3Task {
    return sources.get(task) ?? bundle.task(upstreamId(task));
  }
  return {
    greeting: GREETING,
    // An action and its answer are two steps of 200.
    maxTurns: 200,
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
      }),
    gold: (task) => targetWorld(bundle, sourceOf(task)).databases.agent,
    floor: (task) => floorOf(bundle, sourceOf(task)),
    original(task) {
      const { id, original = null } = sourceOf(task);
      return { id, task: toPlain(original) };
    },
    faults: (task) => tau3Faults(bundle, sourceOf(task)),
    replay: (task, turns) =>
      replayTurns(turns, { bundle, source: sourceOf(task) }),
  };
}

/** The id that a task has upstream: what follows the dataset's own beginning. */
export function upstreamId({ id }: Pick<Task, "id">): string {
  return id.split("/").slice(2).join("/");
}

/** What a conversation without a call and a word is worth; what only a judge could tell counts as right. */
function floorOf(source: Tau3Bundle, task: Tau3Task): 0 | 1 {
  const said = (role: "assistant" | "user", content: string): Tau3Message => ({
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
      said("assistant", GREETING),
      said("user", "###STOP###"),
    ],
    terminationReason: "user_stop",
  });
  return breakdown?.some(([, part]) => part === 0) ? 0 : 1;
}

/** The prompts in the form of every dataset. Only the tool-calling agent's and the plain user's are upstream's. */
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
