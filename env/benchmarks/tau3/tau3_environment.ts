/**
 * Implements τ³-bench's conversation as an `Environment`. The conversation follows the orchestrator's rules, and the
 * user acts within the environment's steps.
 */

import type { Database } from "../../database.ts";
import { InfrastructureError, messageOf } from "../../errors.ts";
import {
  type Action,
  type AnsweredCall,
  type AskJudge,
  type CallOptions,
  type EndReason,
  type Environment,
  type Judge,
  type Observation,
  type Reward,
  type RulesOptions,
  STAND_IN,
  type Task,
  type Turn,
  type User,
  type UserHeard,
  type UserMove,
} from "../../types.ts";
import {
  evaluateSimulation,
  evaluateUnjudged,
} from "./evaluators/evaluate_simulation.ts";
import { readVerdicts } from "./evaluators/nl_evaluator.ts";
import { episodeReward } from "./episode_reward.ts";
import type { Tau3Bundle } from "./load_bundle.ts";
import { callingReply, Orchestrator } from "./orchestrator.ts";
import { RaisedError } from "./raised.ts";
import { restoreTurns } from "./restore_turns.ts";
import type { Tau3Message, ToolMessage } from "./tau3_message.ts";
import type { Tau3Prompts } from "./tau3_prompts.ts";
import type { Tau3Reward } from "./tau3_reward.ts";
import type { Tau3Task } from "./tau3_task.ts";

/** Options for {@linkcode Tau3Environment}. */
export interface Tau3EnvironmentOptions extends RulesOptions {
  readonly bundle: Tau3Bundle;
  readonly source: Tau3Task;
  /** Whether the agent acts alone, without a user. Default: false. */
  readonly solo?: boolean;
  /** The judge's prompts. Default: none, so a model cannot be the judge. */
  readonly prompts?: Tau3Prompts | undefined;
}

/**
 * Maps upstream's termination reasons to the reasons why environments end conversations. Other reasons have no
 * equivalent.
 */
export const ENDS: Readonly<Record<string, EndReason>> = {
  user_stop: "user_stop",
  agent_stop: "agent_stop",
  agent_error: "agent_error",
  max_steps: "max_turns",
  too_many_errors: "too_many_errors",
};

/** A single-use live conversation of an agent with a user, who may have tools, or of a solo agent with all tools. */
export class Tau3Environment implements Environment {
  readonly task: Task;
  readonly #options: Tau3EnvironmentOptions;
  readonly #user: User;
  readonly #judge: Judge | undefined;
  readonly #orchestrator: Orchestrator;
  readonly #turns: Turn[] = [];
  #isOpen = false;
  #openingCalls: readonly AnsweredCall[] = [];
  /** The results of calls in the agent's last message that have not been returned yet. */
  #answers: readonly ToolMessage[] = [];

  /**
   * Creates an environment, and replays the task's history and the given turns in this environment.
   * @throws {RaisedError} If the history or a turn cannot be replayed.
   */
  constructor(options: Tau3EnvironmentOptions) {
    this.#options = options;
    this.task = options.task;
    this.#user = options.user;
    this.#judge = options.judge;
    this.#orchestrator = new Orchestrator({
      source: options.bundle,
      task: options.source,
      solo: options.solo ?? false,
    });
    const { from } = options;
    if (from === undefined) return;
    restoreTurns(this.#orchestrator, from.turns, from);
    this.#turns.push(...from.turns);
    this.#isOpen = true;
  }

  /** The agent's database. */
  get database(): Database {
    return this.#orchestrator.world.databases.agent;
  }

  /** The user's database; `undefined` if the domain has none. */
  get userDatabase(): Database | undefined {
    return this.#orchestrator.world.databases.user;
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  /** All messages of both sides, including calls and their results. */
  get conversation(): readonly Tau3Message[] {
    return this.#orchestrator.messages;
  }

  async open(options: CallOptions = {}): Promise<string> {
    if (this.#isOpen) throw this.#misuse("opened: it is already open");
    this.#isOpen = true;
    const { content, calls } = await this.#userTurn(options);
    this.#openingCalls = calls;
    return content;
  }

  async step(action: Action, options: CallOptions = {}): Promise<Observation> {
    if (!this.#isOpen) throw this.#misuse("stepped: it is not open yet");
    const last = this.#turns.at(-1);
    if (last?.observation.done) throw this.#misuse("stepped: it is over");
    const observation = this.#answers.length > 0
      ? this.#nextAnswer(action)
      : "ended" in this.#orchestrator.next
      ? this.#observe("user", "")
      : await this.#step(action, options);
    const openingCalls = last === undefined ? this.#openingCalls : [];
    this.#turns.push({
      action,
      observation,
      ...openingCalls.length > 0 && { openingCalls },
    });
    return observation;
  }

  reward(): Reward {
    return this.#toReward(evaluateUnjudged(this.#simulation()));
  }

  async judgedReward(options: CallOptions = {}): Promise<Reward> {
    const { prompts } = this.#options;
    const ask = this.#judge;
    const judge = ask === STAND_IN
      ? ask
      : prompts === undefined || ask === undefined
      ? undefined
      : { prompts, ask: readable(ask), signal: options.signal };
    return this.#toReward(
      await evaluateSimulation({ ...this.#simulation(), judge }),
    );
  }

  async #step(action: Action, options: CallOptions): Promise<Observation> {
    if (action.type === "tool") {
      const count = this.#orchestrator.messages.length;
      this.#orchestrator.reply(callingReply(action, this.#orchestrator));
      this.#answers = this.#orchestrator.messages.slice(count + 1)
        .filter((message) => message.role === "tool");
      // A solo agent's last message has no answer.
      return this.#answers.length === 0
        ? this.#observe("tool", "")
        : this.#nextAnswer(action);
    }
    const isSilent = action.content.trim() === "";
    if (this.#orchestrator.isSolo) {
      if (isSilent) this.#orchestrator.end("agent_error");
      else this.#orchestrator.reply({ content: action.content });
      return this.#observe("user", "");
    }
    if (isSilent) {
      return this.#observe("user", "You said nothing. Say or call something.");
    }
    this.#orchestrator.reply({ content: action.content });
    const { content, calls } = await this.#userTurn(options);
    return {
      ...this.#observe("user", content),
      ...calls.length > 0 && { userCalls: calls },
    };
  }

  #nextAnswer(action: Action): Observation {
    const [answer, ...rest] = this.#answers;
    if (action.type !== "tool" || action.call.id !== answer?.id) {
      throw this.#misuse(
        `stepped: the next action must be the call "${answer?.id}" of the last message`,
      );
    }
    this.#answers = rest;
    return this.#observe("tool", answer.content ?? "");
  }

  #observe(source: Observation["source"], content: string): Observation {
    const { next } = this.#orchestrator;
    if ("speaker" in next || this.#answers.length > 0) {
      return { source, content, done: false };
    }
    const end = ENDS[next.ended] ?? "user_stop";
    return { source, content, done: true, end };
  }

  /** Requests moves from the user until it is the agent's turn or the conversation ends. */
  async #userTurn(
    options: CallOptions,
  ): Promise<{ content: string; calls: AnsweredCall[] }> {
    const calls: AnsweredCall[] = [];
    let content = "";
    let heard: UserHeard = {
      type: "message",
      content: this.#orchestrator.messages.at(-1)?.content ?? "",
    };
    for (
      let { next } = this.#orchestrator;
      isUsers(next);
      next = this.#orchestrator.next
    ) {
      const move = await this.#askUser(heard, options);
      const count = this.#orchestrator.messages.length;
      this.#tell(move);
      content = move.content;
      const answers = answersTo(
        move,
        this.#orchestrator.messages.slice(count + 1),
      );
      calls.push(...answers);
      heard = { type: "answers", answers };
    }
    return { content, calls };
  }

  #tell({ content, toolCalls }: UserMove): void {
    try {
      this.#orchestrator.reply({
        content,
        toolCalls: toolCalls.length === 0 ? null : toolCalls,
      });
    } catch (error) {
      if (!(error instanceof RaisedError)) throw error;
      throw new InfrastructureError(
        `The user of task "${this.task.id}" failed: ${error.message}`,
        { kind: "bad_response", source: "user", cause: error },
      );
    }
  }

  /**
   * Requests one move from the user. Errors become infrastructure errors, so that they do not count against the agent.
   */
  async #askUser(heard: UserHeard, options: CallOptions): Promise<UserMove> {
    const user = this.#user;
    try {
      if (user.act !== undefined) return await user.act(heard, options);
      const isFirst = this.#turns.length === 0 &&
        this.#orchestrator.steps === 0;
      const said = heard.type === "message" ? heard.content : "";
      const content = isFirst
        ? await user.open(options)
        : await user.reply(said, options);
      return { content, toolCalls: [] };
    } catch (error) {
      if (error instanceof InfrastructureError || options.signal?.aborted) {
        throw error;
      }
      throw new InfrastructureError(
        `The user of task "${this.task.id}" failed: ${error}`,
        { kind: "bug", source: "user", cause: error },
      );
    }
  }

  /**
   * Returns the conversation for evaluation. A conversation that has not ended is evaluated as if the user (or the solo
   * agent) had ended it.
   */
  #simulation() {
    const { bundle, source: task } = this.#options;
    const { next, messages, isSolo: solo } = this.#orchestrator;
    const stop = solo ? "agent_stop" : "user_stop";
    const terminationReason = "ended" in next ? next.ended : stop;
    return { source: bundle, task, messages, terminationReason, solo };
  }

  #toReward(judged: Tau3Reward): Reward {
    const { bundle, source } = this.#options;
    const { databases } = this.#orchestrator.world;
    return episodeReward(judged, { bundle, source, databases });
  }

  #misuse(what: string): TypeError {
    return new TypeError(
      `The episode of task "${this.task.id}" cannot be ${what}`,
    );
  }
}

/** Wraps a judge so that an unreadable reply causes an infrastructure error, and the episode is not scored. */
function readable(ask: AskJudge): AskJudge {
  return async (question, options) => {
    const reply = await ask(question, options);
    try {
      readVerdicts(reply);
    } catch (error) {
      throw new InfrastructureError(`The judge failed: ${messageOf(error)}`, {
        kind: "bad_response",
        source: "environment",
        cause: error,
      });
    }
    return reply;
  };
}

function isUsers(next: Orchestrator["next"]): boolean {
  return "speaker" in next && next.speaker === "user";
}

function answersTo(
  { toolCalls }: UserMove,
  messages: readonly Tau3Message[],
): AnsweredCall[] {
  return toolCalls.flatMap((call, i) => {
    const answer = messages[i];
    return answer?.role === "tool"
      ? [{ call, content: answer.content ?? "", error: answer.error }]
      : [];
  });
}
