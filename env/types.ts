/**
 * The seams of taulab: what a dataset, an environment, a user, an agent and a model are to each other.
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

/** Names of splits: the first three are τ-bench's and generated ones, the others τ³-bench's. */
export const SPLITS = [
  "train",
  "dev",
  "test",
  "base",
  "small",
  "full",
] as const;

/** Which tasks are meant. Its name is in every record, so a run cannot be mistaken for another split's. */
export type Split = typeof SPLITS[number];

/** A call of a tool by name. `arguments` keep Python's integer and float spelling. */
export interface ToolAction {
  readonly name: string;
  readonly arguments: JsonObject;
}

/** A tool call of a model, with the id that its answer refers to. */
export interface ToolCall extends ToolAction {
  readonly id: string;
}

/** One message of a conversation, as agents and models see it. */
export type Message =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string }
  | {
    readonly role: "assistant";
    readonly content: string;
    readonly toolCalls?: readonly ToolCall[];
    /** What it thought before; for the record, and shown to nobody. */
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
 * Fields of an answer that its server wants back with the conversation, as they came: signatures of thoughts, say. For
 * the record and that server; nobody else is shown them.
 */
export interface OpaqueFields {
  readonly message?: Readonly<Record<string, unknown>>;
  /** Those of its first call. */
  readonly call?: Readonly<Record<string, unknown>>;
}

/** A tool as models are told of it: OpenAI's function schema, keys in the order given. */
export interface ToolSchema {
  readonly type: "function";
  readonly function: {
    readonly name: string;
    readonly description: string;
    readonly parameters: Readonly<Record<string, unknown>>;
  };
}

/** One problem of the benchmark. `G` is its domain's own type of goal. */
export interface Task<G = unknown> {
  /** Unique in its dataset, `retail/test/17`. */
  readonly id: string;
  /** Whose domain it is. Default: `tau`. */
  readonly benchmark?: string;
  readonly domain: string;
  readonly split: Split;
  /** Position in its split, as τ-bench counts. */
  readonly index: number;
  readonly userId: string;
  /** What the simulated user knows and wants, in prose. */
  readonly instruction: string;
  /** The gold actions, reads and writes. */
  readonly actions: readonly ToolAction[];
  /** What the agent must tell the user, as substrings. */
  readonly outputs: readonly string[];
  /** Whether a judge says if the user was told what they asked for, beside `outputs`. */
  readonly isJudged?: true;
  /** What kind of request it is, where the dataset knows: `cancel`, `return`, `cancel+address`. */
  readonly intent?: string;
  /** The user's goal in structured form, where the dataset knows it (generated tasks). */
  readonly goal?: G;
}

/** Rows, texts and tasks; nothing else knows where they came from. */
export interface Dataset {
  /** `generated` or `tau-bench`. */
  readonly name: string;
  /** Whose domain it is. Default: `tau`. */
  readonly benchmark?: string;
  readonly domain: string;
  /** A fingerprint of everything that episodes depend on; two datasets with the same one give the same episodes. */
  readonly fingerprint: string;
  /** The untouched database. Immutable: episodes work on `database.fork()`. */
  readonly database: Database;
  /** The policy that agents are told. */
  readonly policy: string;
  /** The tools as models are told of them. */
  readonly tools: readonly ToolSchema[];
  /** Tools that this dataset has beside its domain's, see {@linkcode withTools}. Default: none. */
  readonly ownTools?: readonly Tool[];
  /** Names of tools that end the conversation. */
  readonly terminatingTools: readonly string[];
  /** What agents and simulated users are told. @throws {DataError} If the dataset came without them. */
  prompts(): Prompts;
  /** Example conversations for agents that are shown some, as text; may be none. */
  readonly fewShot: readonly string[];
  /** The splits there are, each with at least one task. */
  readonly splits: readonly Split[];
  /** The tasks of a split in order. @throws {ConfigError} If the dataset has no such split. */
  tasks(split: Split): readonly Task[];
  /** How its conversations go and are judged, where not as in τ-bench. */
  readonly rules?: ConversationRules;
}

/** A benchmark's own rules of a conversation: who speaks when, users with tools, what a reward is made of. */
export interface ConversationRules {
  /** What the agent has said before the user's first message: part of its conversation. */
  readonly greeting: string;
  /** Most turns of the agent: beyond them the rules end the conversation anyway. */
  readonly maxTurns: number;
  /** The user's tools as models are told of them; none where users only talk. */
  readonly userTools: readonly ToolSchema[];
  /** System prompt of a user that a model plays. @throws {DataError} If the dataset came without prompts. */
  userSystem(task: Task): string;
  /** The live world of a task. */
  environment(options: RulesOptions): Environment;
  /** The state in which the agent's database should end; not to be written to. */
  gold(task: Task): Database;
  /** The reward of an agent that does and says nothing, where a judge agrees with everything. */
  floor(task: Task): 0 | 1;
  /** A task as the benchmark has it, as plain data, with its own id. */
  original(task: Task): { readonly id: string; readonly task: unknown };
  /** What is wrong with a task, by these rules: its expected actions, what counts, what its texts say. */
  faults(task: Task): readonly TaskFault[];
  /** Takes recorded turns again in a fresh world; nobody is asked. */
  replay(task: Task, turns: readonly Turn[]): ReplayedTurns;
}

/** An action, and whose it is where it is the user's. */
export interface SidedAction extends ToolAction {
  readonly by?: "user";
}

/** What became of both databases, turn by turn. */
export interface ReplayedTurns {
  /** After the task's set-up. */
  readonly start: Databases;
  /** Each call of either side that changed a database, with both right after it. */
  readonly writes: readonly {
    readonly turn: number;
    readonly action: SidedAction;
    readonly databases: Databases;
  }[];
  readonly end: Databases;
  /** Where the expected actions leave a fresh world. */
  readonly target: Databases;
  /** Whether the reward compares the databases with `target`. */
  readonly isCompared: boolean;
  /** As if the user had ended the conversation after the last turn, and without a judge. */
  readonly reward: Reward;
  /** Expected actions that may change something, and that nobody took. */
  readonly missing: readonly SidedAction[];
  /** Expected actions that a fresh world answers with an error. */
  readonly refused: readonly {
    readonly action: ToolAction;
    readonly answer: string;
  }[];
  /**
   * Whether expected actions, in any order, can still bring these databases to where the reward wants them.
   * `unknown` where the search was given up.
   */
  canFinish(databases: Databases): "yes" | "no" | "unknown";
}

/** Something in a task that a person should look at. */
export type TaskFault = Pick<
  Finding,
  "check" | "reason" | "evidence" | "exclude"
>;

/** What {@linkcode ConversationRules.environment} makes a world of. */
export interface RulesOptions {
  readonly task: Task;
  readonly user: User;
  /** Default: none, so that what only a judge can tell is not judged. */
  readonly judge?: Judge | undefined;
  /** What was said and done already. Default: nothing. */
  readonly from?: TakenTurns;
}

/** Turns of a conversation that is under way. */
export interface TakenTurns {
  readonly turns: readonly Turn[];
  /** What the user said first, which no turn holds. Default: not known. */
  readonly firstMessage?: string;
}

/** The judge without a model: what it cannot tell is not judged. */
export const STAND_IN = "stand-in" as const;

/** Who judges what no program can: a model, or {@linkcode STAND_IN}, which does what a program can. */
export type Judge = AskJudge | typeof STAND_IN;

/** A judge: answers a question about a conversation. */
export type AskJudge = (
  question: { readonly system: string; readonly user: string },
  options?: CallOptions,
) => Promise<string> | string;

/**
 * The texts that agents and simulated users are made of. `<<name>>` is a placeholder, to be filled by
 * {@linkcode fillPrompt}; everything else is literal.
 */
export interface Prompts {
  readonly user: {
    /** System prompt of the user: `<<instruction_display>>`. */
    readonly system: string;
    /** The same, for a user who thinks before it speaks. */
    readonly reactSystem: string;
    /** What stands for `<<instruction_display>>` where there is an instruction: `<<instruction>>`. */
    readonly instructionDisplay: string;
    /** Asks whether a message is satisfactory: `<<transcript>>`, `<<response>>`. Answered by true or false. */
    readonly verify: string;
    /** Asks for a better message: `<<transcript>>`, `<<response>>`. */
    readonly reflect: string;
    /** Who speaks, in transcripts, by message role. */
    readonly roleLabels: Readonly<Record<string, string>>;
    /** What the agent says before the user's first message. */
    readonly firstAgentMessage: string;
  };
  readonly agent: {
    /** System prompt where actions are text: `<<wiki>>`, `<<tools_json>>`, `<<agent_instruction>>`. */
    readonly textSystem: string;
    readonly reactInstruction: string;
    readonly actInstruction: string;
    /** What stands before a tool's answer. */
    readonly observationPrefix: string;
    /** What stands before an action. */
    readonly actionMarker: string;
    /** System prompt of the tool-calling agent: `<<wiki>>`. */
    readonly toolCallingSystem: string;
    /** System prompt with examples: `<<wiki>>`, `<<few_shot_examples>>`. */
    readonly fewShotSystem: string;
  };
}

/** What an agent does in a turn: call a tool, or speak to the user. */
export type Action =
  | {
    readonly type: "tool";
    readonly call: ToolCall;
    /** What is said beside the call, where a benchmark's rules keep it; the user does not hear it. */
    readonly content?: string;
    /**
     * Further calls of the same message, where a benchmark's rules run them all: they are run with this one, and each
     * is a turn of its own after it. Default: none.
     */
    readonly beside?: readonly ToolCall[];
  }
  | { readonly type: "respond"; readonly content: string };

/** What the environment answers to an action. */
export interface Observation {
  readonly source: "user" | "tool";
  readonly content: string;
  /** Whether the conversation is over. */
  readonly done: boolean;
  /** Why, if it is over. */
  readonly end?: "user_stop" | "transfer" | "max_turns" | "too_many_errors";
  /** What the user called before they answered, where users have tools. */
  readonly userCalls?: readonly AnsweredCall[];
}

/** A call and its answer. */
export interface AnsweredCall {
  readonly call: ToolCall;
  readonly content: string;
  readonly error: boolean;
}

/** One action and what came of it. */
export interface Turn {
  readonly action: Action;
  readonly observation: Observation;
  /** Of the first turn: what the user called before they said a word, where users have tools. */
  readonly openingCalls?: readonly AnsweredCall[];
}

/** How a row of the database ended, against how it should have. */
export interface RowDifference {
  readonly table: string;
  readonly id: string;
  /** The path within the row and both values, as Python JSON text; `null` where there is none. */
  readonly fields: readonly {
    readonly path: string;
    readonly expected: string | null;
    readonly actual: string | null;
  }[];
}

/** The score of an episode and the reasons for it. */
export interface Reward {
  /** 1 if every part is 1, else 0 (τ-bench's rule). */
  readonly value: number;
  /** `outputs` is `null` where the task asks for none. */
  readonly parts: { readonly database: 0 | 1; readonly outputs: 0 | 1 | null };
  /** Rows that differ from the gold result; empty if the database is right. */
  readonly differences: readonly RowDifference[];
  readonly missingOutputs: readonly string[];
  /** What was looked at, where a benchmark has parts of its own; those that do not count too. */
  readonly checks?: readonly RewardCheck[];
  /** Whether it needs a judge and there is none: then the value says nothing. */
  readonly isUnjudged?: true;
  /** The reward as the benchmark itself writes it, as plain data. */
  readonly record?: unknown;
}

/** A part of a reward: an assertion, an expected call, something to be told. */
export interface RewardCheck {
  /** `ENV_ASSERTION`. */
  readonly part: string;
  /** Whether the reward depends on it. */
  readonly counts: boolean;
  /** What was checked, in words or as a call. */
  readonly what: string;
  /** `null` where nobody could tell. */
  readonly met: boolean | null;
  /** Why, where somebody says. */
  readonly why?: string;
}

/** A live world for one task. Single-use. */
export interface Environment {
  readonly task: Task;
  /** The episode's own view of the database. */
  readonly database: Database;
  /** The user's own, where users have tools over one. */
  readonly userDatabase?: Database | undefined;
  /** Every action so far, in order. */
  readonly turns: readonly Turn[];
  /** Starts the conversation; returns the user's first message. */
  open(options?: CallOptions): Promise<string>;
  /** Takes one action. Tool errors are observations; user failures throw {@linkcode InfrastructureError}. */
  step(action: Action, options?: CallOptions): Promise<Observation>;
  /** Grades what has happened so far against the cached gold of the task. Pure: may be called at any time. */
  reward(): Reward;
  /** As `reward()`, but asks the judge, where the rules have one. */
  judgedReward?(options?: CallOptions): Promise<Reward>;
}

/** What every call that may wait takes. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The simulated user of one episode. */
export interface User {
  /** The user's first message. */
  open(options?: CallOptions): Promise<string>;
  /** The user's answer to what the agent said; contains {@linkcode STOP} when they are done. */
  reply(message: string, options?: CallOptions): Promise<string>;
  /** What a user with tools does next; such a user is asked nothing else. Default: users only talk. */
  act?(heard: UserHeard, options?: CallOptions): Promise<UserMove>;
  /** What the user's model has used so far; left out where there is none. */
  readonly usage?: Usage;
}

/** What a user with tools has heard: the agent's words, or the answers to their own calls. */
export type UserHeard =
  | { readonly type: "message"; readonly content: string }
  | { readonly type: "answers"; readonly answers: readonly AnsweredCall[] };

/** What a user with tools does: says something, or calls tools and is asked again. */
export interface UserMove {
  readonly content: string;
  readonly toolCalls: readonly ToolCall[];
}

/** Makes the user of one episode. A plain function will do. */
export interface UserFactory {
  (task: Task, options: { readonly seed: number }): User;
  /** What records call its users: `scripted`, `llm gpt-4o`. Left out where nobody has named them. */
  readonly label?: string;
}

/** The token by which a user ends the conversation (exact case, anywhere in the message). */
export const STOP = "###STOP###";

/** A strategy: how the world is shown to a model, and how its answer becomes an action. */
export interface Agent {
  /** `tool-calling`, `expert`. */
  readonly name: string;
  /** The model that it asks, where it asks one. */
  readonly model?: string;
  /** Begins an episode. */
  start(options: AgentStart): AgentSession;
}

/** What an agent knows at the start of an episode. */
export interface AgentStart {
  readonly dataset: Dataset;
  /** For agents that know the gold (the expert); others must not look at it. */
  readonly task: Task;
  readonly seed: number;
  /** The user's first message. */
  readonly firstMessage: string;
  /** Turns that were taken before, by whomever: the agent holds them for its own and goes on. Default: none. */
  readonly history?: readonly Turn[];
}

/** An agent within one episode. */
export interface AgentSession {
  /** The next action. The caller answers with {@linkcode AgentSession.observe} before it asks again. */
  act(options?: CallOptions): Promise<AgentStep>;
  observe(observation: Observation): void;
  /** The conversation as the agent holds it. */
  readonly messages: readonly Message[];
  /** What trains, where the model works on tokens. */
  readonly trajectory?: Trajectory | undefined;
  /** What the agent's model has used so far; left out where nothing counts it. */
  readonly usage?: Usage;
  /** Frees what the model holds for this episode. */
  close(): void;
}

/** What an agent came to in a turn. */
export type AgentStep =
  | { readonly type: "action"; readonly action: Action }
  /** The model's answer cannot be read; the observation to recover by is already in the conversation. */
  | { readonly type: "parse_error"; readonly message: string }
  /** The model ran out of context or of tokens for the turn. */
  | { readonly type: "out_of_tokens" };

/** A model that answers messages with a message. */
export interface ChatModel {
  readonly name: string;
  /** Begins a conversation. */
  chat(options: ChatOptions): Chat;
}

/** Sampling settings and the tools of a conversation. */
export interface ChatOptions {
  readonly tools: readonly ToolSchema[];
  /**
   * Whether a token model's prompt shows the tools; calls are read by them either way. A policy that learnt
   * the tools from demonstrations is not shown them. Default: true.
   */
  readonly toolsInPrompt?: boolean;
  /** Whether all calls of an answer are run and answered, but for templates that take one. Default: the first alone. */
  readonly allCalls?: boolean;
  readonly seed: number;
}

/**
 * A conversation with a model. It grows at its end only, so that a token model renders, encodes and
 * computes each message once.
 */
export interface Chat {
  /** Appends `messages` and samples the model's answer to them. @throws {InfrastructureError} If the engine fails. */
  send(messages: readonly Message[], options?: CallOptions): Promise<ChatReply>;
  readonly trajectory?: Trajectory | undefined;
  close(): void;
}

/** A model's answer. */
export interface ChatReply {
  /** The text beside the tool calls (all of it where there are none), without what was thought. */
  readonly content: string;
  /** What a thinking model thought before. */
  readonly thought?: string;
  readonly opaque?: OpaqueFields;
  readonly toolCalls: readonly ToolCall[];
  /** What was wrong with the answer, in words for the model to recover by. */
  readonly parseError?: string;
  readonly finishReason: "stop" | "length";
  /** What this answer used, retries included. */
  readonly usage?: Usage;
}

/** What calls to a model came to. */
export interface Usage {
  /** Answers that came. */
  readonly calls: number;
  /** Attempts beyond the first of each call. */
  readonly retries: number;
  readonly promptTokens: number;
  /** Of the prompt tokens, those that the server had seen before. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** In US dollars; `null` where a price is not known. */
  readonly cost: number | null;
}

/** A model that continues token ids. */
export interface TokenModel {
  readonly name: string;
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  /**
   * Rows of its output, where it has more than its tokenizer has tokens: a spare one that is sampled is the model's
   * mistake. Default: the tokenizer's tokens; an id beyond them is the engine's fault.
   */
  readonly vocabSize?: number;
  /** Continues `ids`. @throws {InfrastructureError} If the engine fails or aborts. */
  generate(request: GenerateRequest): Promise<GenerateResult>;
  /** Frees what the engine keeps for a session (its key-value cache). */
  release?(session: string): void;
}

/** One continuation to sample. */
export interface GenerateRequest {
  /**
   * The whole sequence so far; what the engine has seen of the session before is its cache's affair. An array that
   * is given again has grown at its end, and changed nowhere else.
   */
  readonly ids: readonly number[];
  /** Requests of one episode share it, so an engine can keep their prefix. */
  readonly session: string;
  readonly maxTokens: number;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  /** Sampling ends after one of these, which is part of the answer. */
  readonly stopIds: readonly number[];
  /** The answer depends on this, the ids and the weights, and not on what else is being sampled. */
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/** What was sampled. */
export interface GenerateResult {
  readonly ids: readonly number[];
  /** Natural log of each id's probability at the temperature that it was sampled with, `[ids.length]`. */
  readonly logprobs: readonly number[];
  readonly finishReason: "stop" | "length";
  /** What this answer used, where an engine counts it. */
  readonly usage?: Usage;
  /** Which weights answered, where an engine says so. */
  readonly weightVersion?: string;
}

/** Why an episode ended. */
export type StopReason =
  | "user_stop"
  | "transfer"
  | "max_turns"
  | "too_many_errors"
  | "out_of_tokens"
  | "parse_errors"
  | "failed";

/** A rollout's record. */
export interface Episode {
  readonly taskId: string;
  /** Whose domain it is. Default: `tau`. */
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
  /** `null` exactly where `failure` is not: what infrastructure broke is not scored. */
  readonly reward: Reward | null;
  /** Why the reward is not 1; `null` where it is, or where there is none. */
  readonly reason: FailureReason | null;
  readonly failure: Failure | null;
  /** How often the episode was begun anew after a failure. */
  readonly retries: number;
  readonly parseErrors: number;
  /** What the models used, attempts that failed included. */
  readonly usage: { readonly agent: Usage; readonly user: Usage };
  /** What the simulated user did wrong; `null` where nothing is known of the user's goal. */
  readonly findings: readonly UserFinding[] | null;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** What it waited for, from its start. Left out where nothing measured it. */
  readonly spans?: readonly EpisodeSpan[];
}

/**
 * What simulated users do wrong: tell everything at once, state what their goal does not hold, end before
 * their request is settled, repeat what was said, go on after it is settled.
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
  /** Which of the user's messages, from 0. */
  readonly message: number;
  /** What shows it, for a person to judge. */
  readonly evidence: string;
}

/** A failure that is not the policy's. */
export interface Failure {
  readonly kind: FailureKind;
  readonly source: "model" | "user" | "environment";
  readonly message: string;
}
