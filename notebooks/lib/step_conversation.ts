/**
 * Implements interactive conversations. You can take turns by hand or let an agent take them, return to any turn, and
 * continue differently.
 */

import type { Database } from "../../env/database.ts";
import { diagnose, type Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { createEnvironment } from "../../env/environment.ts";
import { fromPlain, type JsonObject } from "../../env/python/python_value.ts";
import { deriveSeed } from "../../env/random.ts";
import type {
  Action,
  Agent,
  AnsweredCall,
  CallOptions,
  Dataset,
  Environment,
  Reward,
  Task,
  Turn,
  User,
  UserFactory,
} from "../../env/types.ts";
import {
  showChange,
  showReward,
  showTurn,
  showTurns,
  showUnparsed,
} from "./display.ts";
import { type MimeBundle, type Rich, stack, titled } from "./rich.ts";

/** Options for {@linkcode Conversation.open}. */
export interface ConversationOptions {
  readonly dataset: Dataset;
  readonly task: Task;
  readonly user: UserFactory;
  /** The agent that {@linkcode Conversation.act} uses. Default: none. */
  readonly agent?: Agent;
  /** The seed for the user and the agent. Default: 1. */
  readonly seed?: number;
}

/** A turn, with the states of the database before and after it. */
export interface Step {
  readonly turn: Turn;
  readonly before: Database;
  readonly after: Database;
  /** The states of the user's database, if the user has a database. */
  readonly user?: { readonly before: Database; readonly after: Database };
}

/**
 * A conversation in progress. Turns are never undone: {@linkcode Conversation.fork} returns a new conversation that
 * shares the first turns, so that both can be continued and compared.
 */
export class Conversation {
  readonly firstMessage: string;
  readonly #options: ConversationOptions;
  readonly #environment: Environment;
  readonly #user: PromptedUser;
  readonly #steps: Step[];

  private constructor(parts: {
    readonly options: ConversationOptions;
    readonly environment: Environment;
    readonly user: PromptedUser;
    readonly firstMessage: string;
    readonly steps: readonly Step[];
  }) {
    this.#options = parts.options;
    this.#environment = parts.environment;
    this.#user = parts.user;
    this.firstMessage = parts.firstMessage;
    this.#steps = [...parts.steps];
  }

  /** Opens an environment and receives the user's first message. */
  static async open(options: ConversationOptions): Promise<Conversation> {
    const user = promptedUser(options);
    const { dataset, task } = options;
    const environment = createEnvironment({ dataset, task, user });
    const firstMessage = await environment.open();
    return new Conversation({
      options,
      environment,
      user,
      firstMessage,
      steps: [],
    });
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  get turns(): readonly Turn[] {
    return this.#environment.turns;
  }

  /** The current state of the database. Do not modify it. */
  get database(): Database {
    return this.#environment.database;
  }

  /** The current state of the user's database, if the user has a database. Do not modify it. */
  get userDatabase(): Database | undefined {
    return this.#environment.userDatabase;
  }

  /** Whether the conversation has ended. */
  get isOver(): boolean {
    return this.turns.at(-1)?.observation.done ?? false;
  }

  /** Returns the reward that the conversation would have if it ended now. */
  reward(): Reward {
    return this.#environment.reward();
  }

  /** Sends a message to the user in the role of the agent. */
  async say(content: string): Promise<Rich> {
    return await this.#take({ type: "respond", content });
  }

  /** Calls a tool in the role of the agent. Arguments are plain values, such as `{ order_id: "#W1" }`. */
  async call(name: string, args: Record<string, unknown> = {}): Promise<Rich> {
    const call = {
      id: `hand_${this.turns.length}`,
      name,
      arguments: fromPlain(args) as JsonObject,
    };
    return await this.#take({ type: "tool", call });
  }

  /** Replaces the simulated user's next reply with `words`. */
  answerNext(words: string): void {
    this.#user.say(words);
  }

  /**
   * Lets the agent take a turn. The agent sees all earlier turns as its own. If the agent's answer cannot be parsed, or
   * if the agent has no tokens left, no turn is taken and the problem is shown.
   * @throws {TypeError} If the conversation was opened without an agent.
   */
  async act(options: CallOptions = {}): Promise<Rich> {
    const { agent, dataset, task, seed = 1 } = this.#options;
    if (agent === undefined) {
      throw new TypeError(
        "Cannot act: the conversation was opened without an agent; pass `agent` to Conversation.open()",
      );
    }
    const session = agent.start({
      dataset,
      task,
      seed: deriveSeed(seed, "agent"),
      firstMessage: this.firstMessage,
      history: this.turns,
    });
    try {
      const step = await session.act(options);
      if (step.type === "action") return await this.#take(step.action);
      const { content = "" } = session.messages.findLast(({ role }) =>
        role === "assistant"
      ) ?? {};
      return showUnparsed(content, {
        index: this.turns.length,
        problem: step.type === "parse_error"
          ? step.message
          : "the token budget is used up",
      });
    } finally {
      session.close();
    }
  }

  /**
   * Lets the agent take turns until the conversation ends, the agent fails to take a turn, or it has taken `turns`
   * turns.
   */
  async finish(turns = 30): Promise<Rich> {
    const shown: Rich[] = [];
    const last = this.turns.length + turns;
    while (!this.isOver && this.turns.length < last) {
      const before = this.turns.length;
      shown.push(await this.act());
      if (this.turns.length === before) break;
    }
    return stack(...shown);
  }

  /**
   * Returns a new conversation that begins with the first `turns` turns of this conversation. These turns are replayed
   * to a newly created user.
   * @throws {RangeError} If `turns` is not an integer from 0 to the number of turns.
   */
  async fork(turns: number = this.turns.length): Promise<Conversation> {
    if (!Number.isInteger(turns) || turns < 0 || turns > this.turns.length) {
      throw new RangeError(
        `Cannot go back to turn ${turns}: pass ${
          this.turns.length === 0
            ? "0, because there are no turns yet"
            : `an integer from 0 to ${this.turns.length}`
        }`,
      );
    }
    const options = this.#options;
    const hasRules = options.dataset.rules !== undefined;
    // Calls that users with tools make before their first message are not part of a turn.
    if (turns === 0 && hasRules) return await Conversation.open(options);
    const steps = this.#steps.slice(0, turns);
    const history = steps.map(({ turn }) => turn);
    const user = promptedUser(options);
    await replayTurns(user, history);
    const from = {
      database: (steps.at(-1)?.after ?? options.dataset.database).fork(),
      turns: history,
      firstMessage: this.firstMessage,
    };
    const { dataset, task } = options;
    return new Conversation({
      options,
      environment: createEnvironment({ dataset, task, user, from }),
      user,
      firstMessage: this.firstMessage,
      steps,
    });
  }

  /** Diagnoses the conversation as if it had ended after the last turn. See `diagnose()`. */
  diagnosis(): Diagnosis {
    const { dataset, task } = this.#options;
    const end = this.turns.at(-1)?.observation.end ?? "user_stop";
    return diagnose({ turns: this.turns, stopReason: end }, { dataset, task });
  }

  /** Shows the whole conversation, the changes to the database, and the reward. */
  show(): Rich {
    const { dataset } = this.#options;
    const [first] = this.#steps;
    const phone = this.userDatabase?.fork();
    return stack(
      showTurns(this.turns, { firstMessage: this.firstMessage }),
      showChange(
        first?.before ?? dataset.database.fork(),
        this.database.fork(),
      ),
      ...(phone === undefined || first?.user === undefined ? [] : [
        titled("the user's database", showChange(first.user.before, phone)),
      ]),
      showReward(this.reward()),
    );
  }

  /** Returns what Jupyter displays for the conversation: the output of {@linkcode Conversation.show}. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    return this.show().bundle();
  }

  async #take(action: Action): Promise<Rich> {
    const before = this.database.fork();
    const phone = this.userDatabase?.fork();
    await this.#environment.step(action);
    const after = this.database.fork();
    const user = phone && this.userDatabase &&
      { before: phone, after: this.userDatabase.fork() };
    // The environment's record of the turn includes the user's calls.
    const turn = this.turns.at(-1)!;
    const step = { turn, before, after, ...user && { user } };
    const index = this.#steps.push(step) - 1;
    return stack(
      showTurn(turn, { index }),
      ...(before.diff(after).length === 0 ? [] : [showChange(before, after)]),
      ...(user === undefined || user.before.diff(user.after).length === 0
        ? []
        : [titled("the user's database", showChange(user.before, user.after))]),
    );
  }
}

/** A user whose next reply can be replaced. */
interface PromptedUser extends User {
  say(words: string): void;
}

function promptedUser(
  { user, task, seed = 1 }: ConversationOptions,
): PromptedUser {
  const inner = user(task, { seed: deriveSeed(seed, "user") });
  const act = inner.act?.bind(inner);
  let words: string | undefined;
  /**
   * Returns the manual reply if there is one, and otherwise the simulated user's reply. The simulated user has received
   * the message in both cases.
   */
  function instead(own: string): string {
    const said = words ?? own;
    words = undefined;
    return said;
  }
  return {
    open: (options) => inner.open(options),
    reply: async (message, options) =>
      instead(await inner.reply(message, options)),
    // An overriding reply waits until the user's tool calls are done.
    ...act && {
      act: async (heard, options) => {
        const move = await act(heard, options);
        return move.toolCalls.length > 0
          ? move
          : { ...move, content: instead(move.content) };
      },
    },
    say: (line) => words = line,
  };
}

/** Replays the turns of an earlier conversation to a new user. */
async function replayTurns(user: User, turns: readonly Turn[]): Promise<void> {
  if (user.act === undefined) await user.open();
  else await replayTurnsWithCalls(user, "", turns[0]?.openingCalls);
  for (const { action, observation } of turns) {
    if (action.type !== "respond") continue;
    if (user.act === undefined) await user.reply(action.content);
    else {await replayTurnsWithCalls(
        user,
        action.content,
        observation.userCalls,
      );}
  }
}

/**
 * Replays a message to a user that has tools. The user's calls receive the recorded results in order. The replay ends
 * when all results have been used, or when the user makes no more calls.
 */
async function replayTurnsWithCalls(
  user: User,
  content: string,
  answered: readonly AnsweredCall[] = [],
): Promise<void> {
  let left = answered;
  let move = await user.act?.({ type: "message", content });
  while (move !== undefined && move.toolCalls.length > 0 && left.length > 0) {
    const { length } = move.toolCalls;
    const answers = left.slice(0, length);
    left = left.slice(length);
    move = await user.act?.({ type: "answers", answers });
  }
}
