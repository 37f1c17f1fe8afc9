/**
 * Defines the interfaces of taulab: datasets, environments, users, agents and models.
 *
 *     Dataset ─▶ Task ─▶ Environment ⇄ Agent ⇄ Model
 *                            ⇅ User
 *                            ▼
 *                        Episode
 */

import type { Finding } from "./audit/finding.ts";
import type { Database } from "./database.ts";
import type { Databases } from "./domain.ts";
import type { EpisodeSpan } from "./episode_spans.ts";
import type { FailureKind } from "./errors.ts";
import type { FailureReason } from "./failure_reason.ts";
import type { JsonObject } from "./python/python_json.ts";
import type { Tool } from "./tool.ts";
import type { Trajectory } from "./tokens/trajectory.ts";

/** The names of splits. τ-bench and generated datasets use only the first three; τ³-bench uses all of them. */
export const SPLITS = [
  "train",
  "dev",
  "test",
  "base",
  "small",
  "full",
] as const;

/** A named subset of a dataset's tasks. Every record names its split. */
export type Split = typeof SPLITS[number];

/** A call to a tool by name. `arguments` distinguishes Python's integers from floats. */
export interface ToolAction {
  readonly name: string;
  readonly arguments: JsonObject;
}

/** A model's tool call, with the id that the tool result refers to. */
export interface ToolCall extends ToolAction {
  readonly id: string;
}

/** A message of a conversation, as agents and models see it. */
export type Message =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string }
  | {
    readonly role: "assistant";
    readonly content: string;
    readonly toolCalls?: readonly ToolCall[];
    /** The reasoning before the answer. It is recorded, but not shown to anyone. */
    readonly thought?: string;
    readonly opaque?: OpaqueFields;
  }
  | {
    readonly role: "tool";
    readonly content: string;
    readonly name: string;
    readonly toolCallId: string;
  };

/**
 * Fields of an answer that must be sent back unchanged to the server that produced them, such as signatures of
 * reasoning. They are recorded, but not shown to anyone else.
 */
export interface OpaqueFields {
  readonly message?: Readonly<Record<string, unknown>>;
  /** Fields of the first tool call. */
  readonly call?: Readonly<Record<string, unknown>>;
}

/** A tool's description for models: OpenAI's function schema, with its keys in the given order. */
export interface ToolSchema {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

/** One problem of a benchmark. `G` is the domain's type of goal. */
export interface Task<G = unknown> {
  /** The id, unique within the dataset: `retail/test/17`. */
  readonly id: string;
  /** The domain's benchmark. Default: `tau`. */
  readonly benchmark?: string;
  readonly domain: string;
  readonly split: Split;
  /** The position in the split, from 0. */
  readonly index: number;
  readonly userId: string;
  /** Everything that the simulated user knows and wants, in prose. */
  readonly instruction: string;
  /** The gold actions, reads and writes. */
  readonly actions: readonly ToolAction[];
  /** The substrings that the agent's messages to the user must contain. */
  readonly outputs: readonly string[];
  /** Whether, in addition to `outputs`, a judge decides whether the agent told the user what they asked for. */
  readonly isJudged?: true;
  /** The kind of request, if known: `cancel`, `return`, `cancel+address`. */
  readonly intent?: string;
  /** The user's goal in structured form, if known (generated tasks). */
  readonly goal?: G;
}

/** The rows, texts and tasks of one domain, independent of their source. */
export interface Dataset {
  /** The name of the dataset's source, such as `generated` or `tau-bench`. */
  readonly name: string;
  /** The domain's benchmark. Default: `tau`. */
  readonly benchmark?: string;
  readonly domain: string;
  /** A hash of all data that episodes depend on. Datasets with equal fingerprints give the same episodes. */
  readonly fingerprint: string;
  /** The untouched database. Immutable: episodes work on `database.fork()`. */
  readonly database: Database;
  /** The text of the policy, which is part of the agent's prompt. */
  readonly policy: string;
  /** The schemas of the agent's tools, as models see them. */
  readonly tools: readonly ToolSchema[];
  /** Tools in addition to the domain's; see {@linkcode withTools}. Default: none. */
  readonly ownTools?: readonly Tool[];
  /** The names of the tools that end the conversation. */
  readonly terminatingTools: readonly string[];
  /**
   * Returns the prompts of agents and simulated users.
   * @throws {DataError} If the dataset has none.
   */
  prompts(): Prompts;
  /** Example conversations as text, for few-shot agents; may be empty. */
  readonly fewShot: readonly string[];
  /** The available splits, each with at least one task. */
  readonly splits: readonly Split[];
  /**
   * Returns the tasks of a split in order.
   * @throws {ConfigError} If the dataset has no such split.
   */
  tasks(split: Split): readonly Task[];
  /** The benchmark's rules for conversations and rewards, if they differ from τ-bench's. */
  readonly rules?: ConversationRules;
}

/** A benchmark's own rules: who speaks when, whether users have tools, and how rewards are computed. */
export interface ConversationRules {
  /** The agent's greeting before the user's first message; part of the conversation. */
  readonly greeting: string;
  /** The number of turns by the agent after which the rules end the conversation. */
  readonly maxTurns: number;
  /** The rules for conversations without a user. Default: there is a user. */
  readonly solo?: SoloRules;
  /** The user's tools, as models see them; empty if users have none. */
  readonly userTools: readonly ToolSchema[];
  /**
   * Returns the system prompt of a user played by a model.
   * @throws {DataError} If the dataset has no prompts.
   */
  userSystem(task: Task): string;
  /** Creates the live world of a task. */
  environment(options: RulesOptions): Environment;
  /** Returns the state in which the agent's database should end. It must not be changed. */
  gold(task: Task): Database;
  /** Returns the reward of the do-nothing baseline, assuming a judge that agrees with everything. */
  baseline(task: Task): 0 | 1;
  /** Returns a task as plain data in the benchmark's format, with the benchmark's id. */
  original(task: Task): { readonly id: string; readonly task: unknown };
  /** Returns the faults of a task according to these rules: in its expected actions, its checks and its texts. */
  faults(task: Task): readonly TaskFault[];
  /** Replays recorded turns in a fresh world, without asking a user or a judge. */
  replay(task: Task, turns: readonly Turn[]): ReplayedTurns;
}

/**
 * The rules of a conversation without a user: the agent works from its prompt alone, with the tools of both sides. The
 * interfaces stay the same: the user is an `absentUser()`, who is never asked; the first message is empty and not part
 * of the conversation; and an agent's answer without a tool call ends the conversation.
 */
export interface SoloRules {
  /**
   * Returns the system prompt, the agent's only instruction.
   * @throws {DataError} If the dataset has no prompts.
   */
  system(task: Task): string;
  /** The tool that the agent calls to end its work. */
  readonly stopTool: string;
  /** The domain's policy for conversations with a user, which the benchmark's result files contain in solo mode too. */
  readonly policyWithUser: string;
}

/** An action of the agent, or of the user if `by` is set. */
export interface SidedAction extends ToolAction {
  readonly by?: "user";
}

/** The result of {@linkcode ConversationRules.replay}: both databases over the course of a conversation. */
export interface ReplayedTurns {
  /** The databases after the task's setup. */
  readonly start: Databases;
  /** Each call by either side that changed a database, with both databases after it. */
  readonly writes: readonly {
    readonly turn: number;
    readonly action: SidedAction;
    readonly databases: Databases;
  }[];
  readonly end: Databases;
  /** The databases of a fresh world after the expected actions. */
  readonly target: Databases;
  /** Whether the reward compares the databases with `target`. */
  readonly isCompared: boolean;
  /** The reward if the user had ended the conversation after the last turn, without a judge. */
  readonly reward: Reward;
  /** Expected actions that may change something and were not taken. */
  readonly missing: readonly SidedAction[];
  /** Expected actions that fail in a fresh world. */
  readonly refused: readonly {
    readonly action: ToolAction;
    readonly answer: string;
  }[];
  /**
   * Checks whether expected actions, in any order, can still bring these databases to the state that the reward
   * requires. Returns `unknown` if the search exceeds its limit.
   */
  canFinish(databases: Databases): "yes" | "no" | "unknown";
}

/** A problem with a task that a person should review. */
export type TaskFault = Pick<
  Finding,
  "check" | "reason" | "evidence" | "exclude"
>;

/** Options for {@linkcode ConversationRules.environment}. */
export interface RulesOptions {
  readonly task: Task;
  readonly user: User;
  /** The judge. Default: none; checks that only a judge can decide then remain undecided. */
  readonly judge?: Judge | undefined;
  /** The conversation so far. Default: empty. */
  readonly from?: EarlierTurns;
}

/** The earlier turns of a conversation in progress. */
export interface EarlierTurns {
  readonly turns: readonly Turn[];
  /** The user's first message, which is not part of a turn. Default: unknown. */
  readonly firstMessage?: string;
}

/** The judge that uses no model. It decides the checks that a program can decide, and leaves the others undecided. */
export const STAND_IN = "stand-in" as const;

/** A judge: a function that asks a model, or {@linkcode STAND_IN}. */
export type Judge = AskJudge | typeof STAND_IN;

/** A function that asks a model a question, given as a system and a user message, and returns the model's answer. */
export type AskJudge = (
  question: { readonly system: string; readonly user: string },
  options?: CallOptions,
) => Promise<string> | string;

/**
 * The prompts of agents and simulated users. `<<name>>` is a placeholder that {@linkcode fillPrompt} fills; everything
 * else is literal.
 */
export interface Prompts {
  readonly user: {
    /** The user's system prompt, with the placeholder `<<instruction_display>>`. */
    readonly system: string;
    /** The system prompt of a user who thinks before speaking, with the placeholder `<<instruction_display>>`. */
    readonly reactSystem: string;
    /** The value of `<<instruction_display>>` if there is an instruction, with the placeholder `<<instruction>>`. */
    readonly instructionDisplay: string;
    /**
     * The prompt that asks whether a message is satisfactory, with the placeholders `<<transcript>>` and
     * `<<response>>`. The answer is true or false.
     */
    readonly verify: string;
    /** The prompt that asks for a better message, with the placeholders `<<transcript>>` and `<<response>>`. */
    readonly reflect: string;
    /** The labels of speakers in transcripts, by message role. */
    readonly roleLabels: Readonly<Record<string, string>>;
    /** The agent's message before the user's first message. */
    readonly firstAgentMessage: string;
  };
  readonly agent: {
    /**
     * The system prompt of agents whose actions are text, with the placeholders `<<wiki>>`, `<<tools_json>>` and
     * `<<agent_instruction>>`.
     */
    readonly textSystem: string;
    readonly reactInstruction: string;
    readonly actInstruction: string;
    /** The text that precedes a tool result. */
    readonly observationPrefix: string;
    /** The text that precedes an action. */
    readonly actionMarker: string;
    /** The system prompt of the tool-calling agent, with the placeholder `<<wiki>>`. */
    readonly toolCallingSystem: string;
    /** The system prompt of the few-shot agent, with the placeholders `<<wiki>>` and `<<few_shot_examples>>`. */
    readonly fewShotSystem: string;
  };
}

/** An agent's action in a turn: a tool call, or a message to the user. */
export type Action =
  | {
    readonly type: "tool";
    readonly call: ToolCall;
    /** Text that accompanies the call, if the benchmark's rules keep it. The user does not see it. */
    readonly content?: string;
    /**
     * Other calls in the same message, if the benchmark's rules run them all. They run together with this call, and
     * each is recorded as a separate turn after it. Default: none.
     */
    readonly beside?: readonly ToolCall[];
  }
  | { readonly type: "respond"; readonly content: string };

/** The environment's response to an action. */
export interface Observation {
  readonly source: "user" | "tool";
  readonly content: string;
  /** Whether the conversation is over. */
  readonly done: boolean;
  /** Why the conversation is over; omitted if it is not. */
  readonly end?: EndReason;
  /** Calls that the user made before answering, if users have tools. */
  readonly userCalls?: readonly AnsweredCall[];
}

/**
 * The reasons why environments end conversations. `agent_stop`: an agent without a user ended its work; `agent_error`:
 * the agent broke the rules, for example by sending a message although there is no user.
 */
export const END_REASONS = [
  "user_stop",
  "agent_stop",
  "agent_error",
  "transfer",
  "max_turns",
  "too_many_errors",
] as const;

/** One of {@linkcode END_REASONS}. */
export type EndReason = typeof END_REASONS[number];

/** A tool call and its result. */
export interface AnsweredCall {
  readonly call: ToolCall;
  readonly content: string;
  readonly error: boolean;
}

/** One action and the environment's response. */
export interface Turn {
  readonly action: Action;
  readonly observation: Observation;
  /** In the first turn: calls that the user made before their first message, if users have tools. */
  readonly openingCalls?: readonly AnsweredCall[];
}

/** The differences between a row's final and expected state. */
export interface RowDifference {
  readonly table: string;
  readonly id: string;
  /**
   * The fields that differ, each with its path within the row and both values as Python JSON text; `null` if missing.
   */
  readonly fields: readonly {
    readonly path: string;
    readonly expected: string | null;
    readonly actual: string | null;
  }[];
}

/** The score of an episode and its parts. */
export interface Reward {
  /**
   * By τ-bench's rule, 1 if no part is 0 and the conversation was not truncated, else 0. A benchmark's own rules or a
   * custom reward function may compute the value differently.
   */
  readonly value: number;
  /** The scores of the parts. `outputs` is `null` if the task requires none. */
  readonly parts: { readonly database: 0 | 1; readonly outputs: 0 | 1 | null };
  /** Rows that differ from the gold result; empty if the database is right. */
  readonly differences: readonly RowDifference[];
  readonly missingOutputs: readonly string[];
  /** The individual checks, in benchmarks that grade by checks; includes those that do not affect the reward. */
  readonly checks?: readonly RewardCheck[];
  /** Whether the value has no meaning, because it depends on a judge's verdict that is missing. */
  readonly isUnjudged?: true;
  /** The reward in the benchmark's own format, as plain data. */
  readonly record?: unknown;
}

/**
 * One check of a reward: a comparison of the databases, an assertion, an expected call, or information that the user
 * must receive.
 */
export interface RewardCheck {
  /** The benchmark's name for this kind of check: `ENV_ASSERTION`. */
  readonly part: string;
  /** Whether the reward depends on the check. */
  readonly counts: boolean;
  /** The subject of the check, in words or as a call. */
  readonly what: string;
  /** Whether the check passed; `null` if undecided. */
  readonly met: boolean | null;
  /** The judge's reason, if given. */
  readonly why?: string;
}

/** A live world for one task. It can be used only once. */
export interface Environment {
  readonly task: Task;
  /** The episode's own view of the database. */
  readonly database: Database;
  /** The user's own database, if users have tools that operate on one. */
  readonly userDatabase?: Database | undefined;
  /** All turns so far, in order. */
  readonly turns: readonly Turn[];
  /** Starts the conversation; returns the user's first message, which is empty if there is no user. */
  open(options?: CallOptions): Promise<string>;
  /**
   * Takes one action. A tool error is returned as an observation; a failure of the user throws {@linkcode
   * InfrastructureError}.
   */
  step(action: Action, options?: CallOptions): Promise<Observation>;
  /**
   * Grades the episode so far against the task's cached gold state. It has no side effects and may be called at any
   * time.
   */
  reward(): Reward;
  /** Like `reward()`, but also asks the judge. */
  judgedReward?(options?: CallOptions): Promise<Reward>;
}

/** Options of every call that may wait. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The simulated user of one episode. */
export interface User {
  /** Returns the user's first message. */
  open(options?: CallOptions): Promise<string>;
  /** Returns the user's answer to the agent. It contains {@linkcode STOP} if the user ends the conversation. */
  reply(message: string, options?: CallOptions): Promise<string>;
  /**
   * Returns the next move of a user with tools; called instead of `open` and `reply`. Default: the user has no tools.
   */
  act?(heard: UserHeard, options?: CallOptions): Promise<UserMove>;
  /** The usage of the user's model so far; omitted if there is no model. */
  readonly usage?: Usage;
}

/** The input of a user with tools: the agent's message, or the results of the user's own calls. */
export type UserHeard =
  | { readonly type: "message"; readonly content: string }
  | { readonly type: "answers"; readonly answers: readonly AnsweredCall[] };

/** A move of a user with tools: a message, or tool calls, whose results the user receives next. */
export interface UserMove {
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
}

/** A function that creates the user of one episode. */
export interface UserFactory {
  (task: Task, options: { readonly seed: number }): User;
  /** The name of these users in records: `scripted`, `llm gpt-4o`. */
  readonly label?: string;
}

/** The token with which a user ends the conversation. It may occur anywhere in a message, and is case-sensitive. */
export const STOP = "###STOP###";

/** An agent, which presents the world to a model and converts the model's answers to actions. */
export interface Agent {
  /** The name of its strategy: `tool-calling`, `expert`. */
  readonly name: string;
  /** The name of its model, if it has one. */
  readonly model?: string;
  /** Starts an episode. */
  start(options: AgentStart): AgentSession;
}

/** The input of an agent at the start of an episode. */
export interface AgentStart {
  readonly dataset: Dataset;
  /** The task. Only agents that may know the gold actions, such as the expert, may read it. */
  readonly task: Task;
  readonly seed: number;
  /** The user's first message; empty if there is no user. */
  readonly firstMessage: string;
  /** Earlier turns, by any agent. The agent continues as if they were its own. Default: none. */
  readonly history?: readonly Turn[];
}

/** The state of an agent within one episode. */
export interface AgentSession {
  /**
   * Returns the next action. Call {@linkcode AgentSession.observe} with the result of the action before the next `act`.
   */
  act(options?: CallOptions): Promise<AgentStep>;
  observe(observation: Observation): void;
  /** The conversation from the agent's side. */
  readonly messages: readonly Message[];
  /** The tokens to train on, if the model works on tokens. */
  readonly trajectory?: Trajectory | undefined;
  /** The usage of the agent's model so far; omitted if it is not counted. */
  readonly usage?: Usage;
  /** Frees the model's resources for this episode. */
  close(): void;
}

/** The result of an agent's turn. */
export type AgentStep =
  | { readonly type: "action"; readonly action: Action }
  /** The model's answer could not be parsed; the conversation already contains a message that explains why. */
  | { readonly type: "parse_error"; readonly message: string }
  /** The model ran out of context, or out of tokens for the turn. */
  | { readonly type: "out_of_tokens" };

/** A model that replies to messages with a message. */
export interface ChatModel {
  readonly name: string;
  /** Starts a conversation. */
  chat(options: ChatOptions): Chat;
}

/** The sampling settings and tools of a conversation. */
export interface ChatOptions {
  readonly tools: readonly ToolSchema[];
  /**
   * Whether a token model's prompt lists the tools. They are used to parse calls in either case. A policy that learned
   * the tools from demonstrations does not need the list. Default: true.
   */
  readonly toolsInPrompt?: boolean;
  /**
   * Whether to run all calls in an answer, unless the template allows only one call. If false, only the first call
   * runs. Default: false.
   */
  readonly allCalls?: boolean;
  /** Whether to require a tool call in every answer of an endpoint. Token models ignore this. Default: false. */
  readonly mustCall?: boolean;
  readonly seed: number;
}

/**
 * A conversation with a model. Messages are only appended, so that a token model renders, encodes and processes each
 * message only once.
 */
export interface Chat {
  /**
   * Appends `messages` and samples the model's answer to them.
   * @throws {InfrastructureError} If the engine fails.
   */
  send(messages: readonly Message[], options?: CallOptions): Promise<ChatReply>;
  readonly trajectory?: Trajectory | undefined;
  close(): void;
}

/** A model's answer. */
export interface ChatReply {
  /** The text without tool calls and reasoning. */
  readonly content: string;
  /** The reasoning of a thinking model. */
  readonly thought?: string;
  readonly opaque?: OpaqueFields;
  readonly toolCalls: readonly ToolCall[];
  /** Why the answer could not be parsed, in words that help the model correct it. */
  readonly parseError?: string;
  readonly finishReason: "stop" | "length";
  /** The usage of this answer, including retries. */
  readonly usage?: Usage;
}

/** The accumulated usage of a model. */
export interface Usage {
  /** The number of calls that were answered. */
  readonly calls: number;
  /** The number of retries: attempts after the first attempt of a call, summed over all calls. */
  readonly retries: number;
  readonly promptTokens: number;
  /** The number of prompt tokens that the server had cached. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** The cost in US dollars; `null` if a price is unknown. */
  readonly cost: number | null;
}

/** A model that continues a sequence of token ids. */
export interface TokenModel {
  readonly name: string;
  /** The maximum number of tokens of prompt and answer combined. */
  readonly contextLength: number;
  /**
   * The size of the model's output layer, if larger than the tokenizer's vocabulary. Sampling an id that has no token
   * then counts as the model's mistake. Default: the tokenizer's size; any larger id then counts as a failure of the
   * engine.
   */
  readonly vocabSize?: number;
  /**
   * Samples a continuation of `ids`.
   * @throws {InfrastructureError} If the engine fails or aborts.
   */
  generate(request: GenerateRequest): Promise<GenerateResult>;
  /** Frees the engine's state for a session, such as its key-value cache. */
  release?(session: string): void;
}

/** A request for one continuation. */
export interface GenerateRequest {
  /**
   * The whole sequence so far. Engines may cache a prefix of it. If a later request passes the same array, ids have
   * only been appended to it.
   */
  readonly ids: readonly number[];
  /**
   * The id of the session, which is the same for all requests of an episode, so that an engine can cache their prefix.
   */
  readonly session: string;
  readonly maxTokens: number;
  /** The sampling temperature; 0 selects the most likely token. */
  readonly temperature: number;
  /** The ids of the tokens that end sampling. The result includes the token that ended it. */
  readonly stopIds: readonly number[];
  /**
   * The sampling seed. For equal settings, the answer depends only on the seed, the ids and the weights, not on
   * concurrent requests.
   */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** The sampled tokens. */
export interface GenerateResult {
  readonly ids: readonly number[];
  /** `[ids.length]`, the natural log of each id's probability at the sampling temperature. */
  readonly logprobs: readonly number[];
  readonly finishReason: "stop" | "length";
  /** The usage of this answer, if the engine counts it. */
  readonly usage?: Usage;
  /** The version of the weights, if the engine reports it. */
  readonly weightVersion?: string;
}

/** Why an episode ended. */
export type StopReason =
  | EndReason
  | "out_of_tokens"
  | "parse_errors"
  | "failed";

/** The record of a rollout. */
export interface Episode {
  readonly taskId: string;
  /** The domain's benchmark. Default: `tau`. */
  readonly benchmark?: string;
  readonly domain: string;
  readonly split: Split;
  readonly intent: string | null;
  readonly seed: number;
  readonly agent: string;
  readonly model: string;
  readonly user: string;
  readonly messages: readonly Message[];
  readonly turns: readonly Turn[];
  readonly trajectory: Trajectory | null;
  readonly stopReason: StopReason;
  /** The reward; `null` if and only if there is a `failure`, because infrastructure failures are not scored. */
  readonly reward: Reward | null;
  /** Why the reward according to the benchmark's rule is not 1; `null` if it is 1, or if there is no reward. */
  readonly reason: FailureReason | null;
  readonly failure: Failure | null;
  /** The number of restarts after a failure. */
  readonly retries: number;
  readonly parseErrors: number;
  /** The usage of the models, including failed attempts. */
  readonly usage: { readonly agent: Usage; readonly user: Usage };
  /** The simulated user's mistakes; `null` if the user's goal is unknown or the episode was not scored. */
  readonly findings: readonly UserFinding[] | null;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** The time spans of the episode, from its start; omitted if they were not measured. */
  readonly spans?: readonly EpisodeSpan[];
}

/**
 * The faults of simulated users: `leak`, revealing everything at once; `invention`, stating facts that they cannot
 * know; `early_stop`, ending the conversation before their requests are settled; `echo`, repeating what was said;
 * `endless`, continuing after everything is settled.
 */
export type UserFault =
  | "leak"
  | "invention"
  | "early_stop"
  | "echo"
  | "endless";

/** A fault of a simulated user. */
export interface UserFinding {
  readonly fault: UserFault;
  /** The index of the message among the user's messages. */
  readonly message: number;
  /** The evidence, so that a person can verify the finding. */
  readonly evidence: string;
}

/** A failure of the infrastructure, not of the policy. */
export interface Failure {
  readonly kind: FailureKind;
  readonly source: "model" | "user" | "environment";
  readonly message: string;
}
