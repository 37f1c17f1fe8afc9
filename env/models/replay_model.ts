/**
 * Models that answer from recordings: for stepping through old conversations, for evaluating without a server
 * and for tests.
 */

import { PolicyError } from "../errors.ts";
import { printPythonJson } from "../python/python_json.ts";
import { deriveSeed } from "../random.ts";
import type { Chat, ChatModel, ChatReply, Message } from "../types.ts";

/** What to replay. */
export interface ReplayOptions {
  /** Default: `replay`. */
  readonly name?: string;
  /** The recorded conversation, as an episode's `messages`. */
  readonly messages: readonly Message[];
}

/**
 * A chat model that gives the recorded answers in order.
 *
 * It insists that what it is told between them is what was recorded: a replay that drifts from its recording
 * says so at the message where it does.
 */
export function replayChatModel(options: ReplayOptions): ChatModel {
  const { name = "replay", messages } = options;
  return { name, chat: () => new ReplayChat([messages]) };
}

/** What to replay a whole run from. */
export interface ReplayEpisodesOptions {
  /** Default: `replay`. */
  readonly name?: string;
  /** Recorded conversations; an `Episode` is one. */
  readonly episodes: readonly {
    readonly seed: number;
    readonly messages: readonly Message[];
  }[];
}

/**
 * A chat model that finds the recording of each conversation by what it is told: first by the opening, then by
 * every further message. Of several that agree (the trials of a task), the episode with the same seed answers,
 * else the first.
 *
 * An answer that could not be read when it was recorded is text here.
 */
export function replayEpisodesModel(options: ReplayEpisodesOptions): ChatModel {
  const { name = "replay", episodes } = options;
  return {
    name,
    chat({ seed }) {
      // Rollouts give the agent's chat this seed of the episode's.
      const isOwn = (episode: { readonly seed: number }) =>
        deriveSeed(episode.seed, "agent") === seed;
      const ordered = [
        ...episodes.filter(isOwn),
        ...episodes.filter((episode) => !isOwn(episode)),
      ];
      return new ReplayChat(ordered.map(({ messages }) => messages));
    },
  };
}

class ReplayChat implements Chat {
  /** The recordings that agree with all that was said so far; the first answers. */
  #recordings: readonly (readonly Message[])[];
  #position = 0;

  constructor(recordings: readonly (readonly Message[])[]) {
    this.#recordings = recordings;
  }

  send(messages: readonly Message[]): Promise<ChatReply> {
    // A throw becomes a rejection, as with any model.
    return Promise.try(() => {
      for (const message of messages) this.#expect(message);
      return this.#next();
    });
  }

  close(): void {}

  #expect(message: Message): void {
    const at = this.#position++;
    const agreeing = this.#recordings.filter((messages) =>
      saysSame(messages[at], message)
    );
    if (agreeing.length === 0) throw this.#drift(message, at);
    this.#recordings = agreeing;
  }

  #next(): ChatReply {
    const at = this.#position++;
    const answers = this.#recordings.map((messages) => messages[at]);
    const answer = answers.find((message) => message?.role === "assistant");
    if (answer?.role !== "assistant") {
      const [first = []] = this.#recordings;
      throw new PolicyError(
        `The recording has no answer at message ${at} of ${first.length}`,
        { hint: "it ended before the conversation did" },
      );
    }
    this.#recordings = this.#recordings.filter((messages) =>
      saysSame(messages[at], answer)
    );
    const { content, toolCalls = [] } = answer;
    return { content, toolCalls, finishReason: "stop" };
  }

  #drift(message: Message, at: number): PolicyError {
    const recorded = this.#recordings[0]?.[at];
    const was = recorded === undefined
      ? "nothing"
      : `${recorded.role} "${recorded.content.slice(0, 80)}"`;
    return new PolicyError(
      `The replay left its recording at message ${at}: ${message.role} "${
        message.content.slice(0, 80)
      }" where ${was} was recorded`,
      { hint: "replay it in the world that it was recorded in" },
    );
  }
}

function saysSame(a: Message | undefined, b: Message): boolean {
  return a?.role === b.role && a.content === b.content &&
    callsOf(a) === callsOf(b);
}

function callsOf(message: Message): string {
  if (message.role !== "assistant") return "";
  return (message.toolCalls ?? [])
    .map(({ name, arguments: args }) => `${name} ${printPythonJson(args)}`)
    .join("\n");
}
