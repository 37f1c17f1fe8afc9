/**
 * Implements users that a model plays according to a benchmark's rules, with the benchmark's user prompt and user
 * tools.
 */

import { addUsage, NO_USAGE } from "../models/usage.ts";
import { deriveSeed } from "../random.ts";
import type {
  CallOptions,
  ChatModel,
  ChatReply,
  ConversationRules,
  Message,
  Usage,
  User,
  UserFactory,
  UserHeard,
  UserMove,
} from "../types.ts";
import { labelled } from "./_label.ts";
import { asUserFailure, badResponse } from "./_model_user.ts";

/** The maximum number of requests for an answer that contains a message or a call. */
const MAX_ASKS = 3;

/**
 * Creates users played by a model according to the given rules. In the model's conversation, the agent has the role
 * `user`, and the simulated user the role `assistant`. The model's text is sent to the agent unchanged.
 */
export function rulesUser(
  model: ChatModel,
  rules: ConversationRules,
): UserFactory {
  return labelled(`llm ${model.name}`, (task, { seed }) => {
    const system = rules.userSystem(task);
    return new RulesUser(model, { rules, system, seed });
  });
}

class RulesUser implements User {
  usage: Usage = NO_USAGE;
  readonly #model: ChatModel;
  readonly #rules: ConversationRules;
  readonly #seed: number;
  readonly #messages: Message[];
  #calls = 0;

  constructor(
    model: ChatModel,
    { rules, system, seed }: {
      rules: ConversationRules;
      system: string;
      seed: number;
    },
  ) {
    this.#model = model;
    this.#rules = rules;
    this.#seed = seed;
    this.#messages = [{ role: "system", content: system }];
  }

  async open(options: CallOptions = {}): Promise<string> {
    return await this.reply(this.#rules.greeting, options);
  }

  async reply(content: string, options: CallOptions = {}): Promise<string> {
    return (await this.act({ type: "message", content }, options)).content;
  }

  async act(heard: UserHeard, options: CallOptions = {}): Promise<UserMove> {
    this.#hear(heard);
    const { content, toolCalls } = await this.#ask(options);
    this.#messages.push({
      role: "assistant",
      content,
      ...toolCalls.length > 0 && { toolCalls },
    });
    return { content, toolCalls };
  }

  #hear(heard: UserHeard): void {
    if (heard.type === "message") {
      this.#messages.push({ role: "user", content: heard.content });
      return;
    }
    for (const { call: { id, name }, content } of heard.answers) {
      this.#messages.push({ role: "tool", content, name, toolCallId: id });
    }
  }

  /**
   * Asks the model until its answer is complete and contains a message or valid calls.
   * @throws {InfrastructureError} After 3 unusable answers, with the kind `bad_response`. The fault is the simulator's,
   * so the episode is not scored.
   */
  async #ask(options: CallOptions): Promise<ChatReply> {
    let [text, isCut] = ["", false];
    for (let i = 0; i < MAX_ASKS; i++) {
      const reply = await this.#askOnce(options);
      text = reply.content;
      const isEmpty = text.trim() === "" && reply.toolCalls.length === 0;
      isCut = reply.finishReason === "length";
      if (!isEmpty && !isCut && reply.parseError === undefined) return reply;
    }
    throw badResponse(text, { isCut });
  }

  /** Asks the model, with a different seed per call. */
  async #askOnce(options: CallOptions): Promise<ChatReply> {
    const chat = this.#model.chat({
      tools: this.#rules.userTools,
      seed: deriveSeed(this.#seed, "customer", this.#calls++),
    });
    try {
      const reply = await chat.send(this.#messages, options);
      this.usage = addUsage(this.usage, reply.usage ?? NO_USAGE);
      return reply;
    } catch (error) {
      throw asUserFailure(error);
    } finally {
      chat.close();
    }
  }
}
