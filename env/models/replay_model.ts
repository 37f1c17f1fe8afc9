/**
 * Creates models that replay recorded answers, for inspecting old conversations, for evaluation without a server, and
 * for tests.
 */

import { PolicyError } from "../errors.ts";
import { printPythonJson } from "../python/python_json.ts";
import { deriveSeed } from "../random.ts";
import type { Chat, ChatModel, ChatReply, Message } from "../types.ts";

/** Options for {@linkcode replayChatModel}. */
export interface ReplayOptions {
  /** The model's name in records. Default: `replay`. */
  readonly name?: string;
  /** The recorded conversation: the `messages` of an episode. */
  readonly messages: readonly Message[];
}

/**
 * Creates a chat model that returns the recorded answers in order.
 *
 * The messages that it receives must equal the recorded messages. The replay fails with a {@linkcode PolicyError} at
 * the first message that differs, or if the recording has no further answer.
 */
export function replayChatModel(options: ReplayOptions): ChatModel {
  const { name = "replay", messages } = options;
  return { name, chat: () => new ReplayChat([messages]) };
}

/** Options for {@linkcode replayEpisodesModel}. */
export interface ReplayEpisodesOptions {
  /** The model's name in records. Default: `replay`. */
  readonly name?: string;
  /** The recorded conversations. An `Episode` can be passed unchanged. */
  readonly episodes: readonly {
    readonly seed: number;
    readonly messages: readonly Message[];
  }[];
}

/**
 * Creates a chat model that selects a recording for each conversation by the messages that it receives. If several
 * recordings match, for example several trials of a task, it selects the episode whose seed belongs to the conversation
 * or, if there is none, the first matching episode.
 *
 * Answers that could not be parsed when they were recorded are replayed as text.
 */
export function replayEpisodesModel(options: ReplayEpisodesOptions): ChatModel {
  const { name = "replay", episodes } = options;
  return {
    name,
    chat({ seed }) {
      // Rollouts derive the agent's chat seed from the episode's seed like this.
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
  /** The recordings that match all messages so far. Each answer is taken from the first one that has not ended. */
  #recordings: readonly (readonly Message[])[];
  #position = 0;

  constructor(recordings: readonly (readonly Message[])[]) {
    this.#recordings = recordings;
  }

  send(messages: readonly Message[]): Promise<ChatReply> {
    // Converts a thrown error to a rejection.
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
        `The recording has no answer at message ${at} (recorded messages: ${first.length})`,
        {
          hint: "use a complete recording",
        },
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
      `The replay diverges from its recording at message ${at}: expected ${was}, got ${message.role} "${
        message.content.slice(0, 80)
      }"`,
      {
        hint: "replay with the same domain and settings as in the recording",
      },
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
