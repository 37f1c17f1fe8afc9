/**
 * A scripted user whose requests consist of facts. It states facts when asked, corrects an agent that repeats them
 * incorrectly, and ends the conversation after the last request.
 */

import type { Task } from "../../../types.ts";
import type { Identity, Request } from "../goal/goal.ts";
import { type AskedDetail, hear, type Heard } from "./hearing.ts";
import { RequestUser, type UserScript } from "./request_user.ts";
import { identityWords, type Phraser, yesWords } from "./wording.ts";

/** A detail of a request, which the user states when asked. */
export interface Fact {
  /** The kind of detail. The user states the detail when the agent asks for details of this kind. */
  readonly kind: AskedDetail;
  /** Phrases the detail as an answer. */
  words(say: Phraser): string;
  /**
   * Checks whether an agent's message, in lower case, states another value. A message that does not mention the detail
   * does not contradict it.
   */
  contradictedBy(text: string): boolean;
}

/** The parts of a {@linkcode FactUser} that a domain defines. */
export interface FactUserPart<R extends Request> {
  /** Phrases the request as the continuation of "i want to" or, for a question, of "what is the". */
  words(request: R): string;
  /** Returns a pattern that matches an agent's reports about the request. */
  topic(request: R): RegExp;
  /** Returns the details of the request, in the order in which the user states them. */
  facts(request: R): readonly Fact[];
  /** Returns the answer to a question about the user's identity, or `undefined` if the agent did not ask for it. */
  identity(asked: ReadonlySet<AskedDetail>): string | undefined;
  /**
   * Patterns, keyed by kind, for details that agents of the domain ask for in addition to the common details. Default:
   * none.
   */
  readonly details?: Readonly<Record<string, RegExp>>;
  /**
   * Checks whether an agent's message, in lower case, proposes a different kind of action from the one requested.
   * Default: never.
   */
  proposesOther?(text: string, request: R): boolean;
}

/** The scripted user of a task whose requests consist of facts. */
export class FactUser<R extends Request> extends RequestUser<R> {
  readonly #task: Task;
  readonly #talk: FactUserPart<R>;

  constructor(
    { task, talk, ...script }: UserScript<R> & {
      readonly task: Task;
      readonly talk: FactUserPart<R>;
    },
  ) {
    super(script);
    this.#task = task;
    this.#talk = talk;
  }

  override words(request: R): string {
    return this.#talk.words(request);
  }

  protected override answer(message: string, request: R): string {
    const { details = {} } = this.#talk;
    const topic = this.#talk.topic(request);
    const heard = hear(message, { topic, details });
    if (this.#settled(message, { heard, request })) return this.next();
    const facts = this.#talk.facts(request).filter(({ kind }) =>
      heard.asked.has(kind)
    );
    const who = this.#talk.identity(heard.asked);
    if (who !== undefined) return this.#moved([who, ...this.#tell(facts)]);
    if (heard.refuses && !heard.wantsYes && facts.length === 0) {
      return this.#protest(request);
    }
    if (heard.wantsYes) return this.#consent(message, { facts, request });
    if (facts.length > 0) return this.#moved(this.#tell(facts));
    if (heard.asksWish) return this.#moved([this.#wish(request)]);
    return this.#nudge({ heard, request });
  }

  /** Checks whether the current request is settled: done, answered or finally refused. */
  #settled(
    message: string,
    { heard, request }: { heard: Heard; request: R },
  ): boolean {
    const asksDetail = heard.asked.size > 0 || heard.wantsYes;
    if (heard.refuses && (!heard.reports || request.refused === true)) {
      const offersOther = heard.wantsYes || heard.asksMore || !asksDetail;
      return offersOther &&
        (request.refused === true || this.progress.protested);
    }
    if (request.intent === "question") {
      return (heard.asksMore && this.progress.replies > 1) ||
        (!asksDetail && this.#answers(message));
    }
    if (!heard.reports || YES_NO_NOW.test(message)) return false;
    return heard.asksMore || (this.progress.agreed && !asksDetail);
  }

  /** Checks whether the message contains one of the task's outputs. */
  #answers(message: string): boolean {
    const text = message.toLowerCase().replaceAll(",", "");
    const { outputs } = this.#task;
    return outputs.some((output) => text.includes(output.toLowerCase()));
  }

  #consent(
    message: string,
    { facts, request }: { facts: readonly Fact[]; request: R },
  ): string {
    const text = message.toLowerCase();
    const wrong = this.#talk.facts(request).filter((fact) =>
      fact.contradictedBy(text)
    );
    if (this.#talk.proposesOther?.(text, request)) {
      this.progress.correct();
      return this.#moved(["no,", `i want to ${this.words(request)}.`]);
    }
    if (wrong.length > 0 && this.progress.correct()) {
      return this.#moved(["no,", ...this.#tell(wrong)]);
    }
    if (this.progress.hasFirstWish) return this.#rethink();
    this.progress.agreed = true;
    return this.#moved([yesWords(this.say), ...this.#tell(facts)]);
  }

  /**
   * Changes the user's mind after the agent has repeated the request correctly.
   * @returns A message that states the changed request.
   */
  #rethink(): string {
    const request = this.progress.rethink();
    if (request === undefined) return this.farewell();
    const what = this.words({ ...request, forthcoming: true });
    return this.#moved([`wait, i have changed my mind. i want to ${what}.`]);
  }

  /** Returns a message that doubts a refusal, and records that the user has doubted it. */
  #protest(request: R): string {
    this.progress.protested = true;
    return this.#moved([
      `are you sure? please check again: ${this.words(request)}.`,
    ]);
  }

  /**
   * Replies to a message that asks for nothing that the user knows. The user says that they do not know, waits, or
   * repeats the request. If their patience has run out, they move on to the next request.
   */
  #nudge({ heard, request }: { heard: Heard; request: R }): string {
    if (this.progress.stall()) return this.next();
    if (heard.asked.size > 0) return "i do not know that.";
    if (!heard.asksMore && this.progress.waits) return "ok.";
    return this.#wish(request);
  }

  #wish(request: R): string {
    return request.intent === "question"
      ? `please tell me the ${this.words(request)}.`
      : `please ${this.words(request)}.`;
  }

  #tell(facts: readonly Fact[]): string[] {
    return facts.map((fact) => fact.words(this.say));
  }

  #moved(words: readonly string[]): string {
    return this.moved(words.join(" "));
  }
}

const YES_NO_NOW = /\byes\b.{0,12}\bno\b/i;

/**
 * Returns an answer with the email address, or with the name and zip code, depending on what the agent asks for. If it
 * asks for both, or only for the user's identity, the user's preference decides. Returns `undefined` if the agent asks
 * for none of these.
 */
export function identityAnswer(
  identity: Identity,
  { asked, say }: { asked: ReadonlySet<AskedDetail>; say: Phraser },
): string | undefined {
  const email = asked.has("email");
  const name = asked.has("name") || asked.has("zip");
  if (!email && !name && !asked.has("identity")) return undefined;
  const by = email === name ? identity.prefers : email ? "email" : "name_zip";
  return identityWords(identity, { by, say });
}
