/**
 * A model that answers from a recording: for stepping through old conversations and for tests.
 *
 * @module
 */

import { PolicyError } from "../errors.ts";
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
  return { name, chat: () => new ReplayChat(messages) };
}

class ReplayChat implements Chat {
  readonly #recording: readonly Message[];
  #position = 0;

  constructor(recording: readonly Message[]) {
    this.#recording = recording;
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
    const recorded = this.#recording[at];
    if (
      recorded?.role === message.role && recorded.content === message.content
    ) return;
    const was = recorded === undefined
      ? "nothing"
      : `${recorded.role} "${recorded.content.slice(0, 80)}"`;
    throw new PolicyError(
      `The replay left its recording at message ${at}: ${message.role} "${
        message.content.slice(0, 80)
      }" where ${was} was recorded; replay it in the world that it was recorded in`,
    );
  }

  #next(): ChatReply {
    const at = this.#position++;
    const recorded = this.#recording[at];
    if (recorded?.role !== "assistant") {
      throw new PolicyError(
        `The recording has no answer at message ${at} of ${this.#recording.length}; it ended before the conversation did`,
      );
    }
    const { content, toolCalls = [] } = recorded;
    return { content, toolCalls, finishReason: "stop" };
  }
}
