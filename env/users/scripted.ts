/**
 * The scripted user: a deterministic customer without a model. It makes its requests one after the
 * other, answers what it is asked, says yes only to what it wants, gives nothing away before that, and
 * ends the conversation when all is done or refused.
 *
 * Tasks with a goal are served from it; τ-bench's tasks from a goal that is derived from instruction,
 * gold actions and the customer's own profile.
 */

import type { Database } from "../database.ts";
import { createRng } from "../random.ts";
import {
  type Goal,
  type Request,
  STOP,
  type Task,
  type User,
  type UserFactory,
} from "../types.ts";
import { AirlineUser } from "../domains/airline/user/airline_user.ts";
import { benchGoal } from "../domains/retail/user/bench_goal.ts";
import { Course } from "./course.ts";
import { type Fact, factsOf } from "../domains/retail/user/facts.ts";
import {
  type Asked,
  hear,
  type Heard,
} from "../domains/retail/user/hearing.ts";
import {
  type Knowledge,
  knowledgeOf,
} from "../domains/retail/user/knowledge.ts";
import { labelled } from "./_label.ts";
import { voiced } from "./voice.ts";
import {
  farewellWords,
  identityWords,
  nextWords,
  openingWords,
  type Phraser,
  phraser,
  requestWords,
  yesWords,
} from "./wording.ts";

/**
 * Makes scripted users for the tasks of a dataset.
 * @param dataset Where the customers' own profiles and orders are looked up; only read.
 * @throws {DataError} From the factory, if a τ-bench task names a customer that the database lacks.
 */
export function scriptedUser(
  dataset: { readonly database: Database },
): UserFactory {
  return labelled("scripted", (task, { seed }) => {
    const { goal, opening } = task.goal === undefined
      ? benchGoal(task, dataset.database)
      : { goal: task.goal, opening: undefined };
    const say = phraser(createRng(seed, "scripted", task.id), {
      wording: goal.wording,
      part: goal.phrasings,
    });
    if (task.goal !== undefined && task.domain === "airline") {
      return new AirlineUser({ task, goal, say, database: dataset.database });
    }
    const knowledge = knowledgeOf(dataset.database, task.userId);
    return new ScriptedUser({ task, goal, opening, say, knowledge });
  });
}

interface Script {
  readonly task: Task;
  readonly goal: Goal;
  /** The first message, where the requests' own words are not to open the conversation. */
  readonly opening: string | undefined;
  readonly say: Phraser;
  readonly knowledge: Knowledge;
}

class ScriptedUser implements User {
  readonly #script: Script;
  readonly #course: Course;
  #facts: readonly Fact[];

  constructor(script: Script) {
    this.#script = script;
    this.#course = new Course(script.goal);
    this.#facts = this.#factsOf(this.#course.wish);
  }

  open(): Promise<string> {
    const { opening, say } = this.#script;
    const first = this.#course.wish;
    if (opening !== undefined) return Promise.resolve(opening);
    return Promise.resolve(
      first === undefined
        ? `hello. ${STOP}`
        : this.#voiced(openingWords(first, say)),
    );
  }

  reply(message: string): Promise<string> {
    this.#course.hear();
    const request = this.#course.wish;
    if (request === undefined || this.#course.isWorn) {
      return Promise.resolve(this.#farewell());
    }
    return Promise.resolve(this.#voiced(this.#answer(message, request)));
  }

  #voiced(text: string): string {
    const { voice } = this.#script.goal;
    return voiced(text, { voice, index: this.#course.replies });
  }

  #answer(message: string, request: Request): string {
    const heard = hear(message, request.intent);
    if (this.#settled(message, { heard, request })) return this.#next();
    const facts = this.#facts.filter(({ kind }) => heard.asked.has(kind));
    const who = this.#identity(heard.asked);
    if (who !== undefined) return this.#moved([who, ...this.#tell(facts)]);
    if (heard.refuses && !heard.wantsYes && facts.length === 0) {
      return this.#protest(request);
    }
    if (heard.wantsYes) return this.#consent(message, { facts, request });
    if (facts.length > 0) return this.#moved(this.#tell(facts));
    return this.#nudge({ heard, request });
  }

  /** Whether the current request is over: done, answered or refused for good. */
  #settled(
    message: string,
    { heard, request }: { heard: Heard; request: Request },
  ): boolean {
    const asksDetail = heard.asked.size > 0 || heard.wantsYes;
    if (heard.refuses && (!heard.reports || request.refused === true)) {
      const offersOther = heard.wantsYes || heard.asksMore || !asksDetail;
      return offersOther &&
        (request.refused === true || this.#course.protested);
    }
    if (request.intent === "question") {
      return (heard.asksMore && this.#course.replies > 1) ||
        (!asksDetail && this.#answers(message));
    }
    if (!heard.reports || YES_NO_NOW.test(message)) return false;
    return heard.asksMore || (this.#course.agreed && !asksDetail);
  }

  /** Whether the message tells something of what the task says must be told. */
  #answers(message: string): boolean {
    const text = message.toLowerCase().replaceAll(",", "");
    const { outputs } = this.#script.task;
    return outputs.some((output) => text.includes(output.toLowerCase()));
  }

  #identity(asked: ReadonlySet<Asked>): string | undefined {
    const { goal, say } = this.#script;
    const email = asked.has("email");
    const name = asked.has("name") || asked.has("zip");
    if (!email && !name && !asked.has("identity")) return undefined;
    const by = email === name
      ? goal.identity.prefers
      : email
      ? "email"
      : "name_zip";
    return identityWords(goal.identity, { by, say });
  }

  #consent(
    message: string,
    { facts, request }: { facts: readonly Fact[]; request: Request },
  ): string {
    const text = message.toLowerCase();
    const wrong = this.#facts.filter((fact) => fact.contradictedBy(text));
    if (proposesOther(text, request)) {
      this.#course.correct();
      return this.#moved(["no,", `i want to ${requestWords(request)}.`]);
    }
    if (wrong.length > 0 && this.#course.correct()) {
      return this.#moved(["no,", ...this.#tell(wrong)]);
    }
    if (this.#course.hasFirstWish) return this.#rethink();
    this.#course.agreed = true;
    return this.#moved([yesWords(this.#script.say), ...this.#tell(facts)]);
  }

  /** What was read back is what the customer wanted, and no longer wants. */
  #rethink(): string {
    const request = this.#course.rethink();
    if (request === undefined) return this.#farewell();
    this.#facts = this.#factsOf(request);
    const what = requestWords({ ...request, forthcoming: true });
    return this.#moved([`wait, i have changed my mind. i want to ${what}.`]);
  }

  /** A refusal of what policy allows is doubted once. */
  #protest(request: Request): string {
    this.#course.protested = true;
    return this.#moved([
      `are you sure? please check again: ${requestWords(request)}.`,
    ]);
  }

  /** Nothing was asked that can be answered: waits, and repeats the request now and then. */
  #nudge({ heard, request }: { heard: Heard; request: Request }): string {
    if (this.#course.stall()) return this.#next();
    if (heard.asked.size > 0) return "i do not know that.";
    if (!heard.asksMore && this.#course.waits) return "ok.";
    return request.intent === "question"
      ? `please tell me the ${requestWords(request)}.`
      : `please ${requestWords(request)}.`;
  }

  #tell(facts: readonly Fact[]): string[] {
    return facts.map((fact) => fact.words(this.#script.say));
  }

  #moved(words: readonly string[]): string {
    return this.#course.move() ? this.#next() : words.join(" ");
  }

  #next(): string {
    const request = this.#course.next();
    this.#facts = this.#factsOf(request);
    return request === undefined
      ? this.#farewell()
      : nextWords(request, this.#script.say);
  }

  #factsOf(request: Request | undefined): readonly Fact[] {
    return request === undefined
      ? []
      : factsOf(request, this.#script.knowledge);
  }

  #farewell(): string {
    return `${farewellWords(this.#script.say)} ${STOP}`;
  }
}

const YES_NO_NOW = /\byes\b.{0,12}\bno\b/i;

const VERBS: readonly (readonly [RegExp, readonly Request["intent"][]])[] = [
  [/\bcancel/, ["cancel"]],
  [/\breturn/, ["return"]],
  [/\b(exchang|swap)/, ["exchange", "modify_items"]],
];

/** Whether a read-back is about another kind of action than the customer's. */
function proposesOther(text: string, request: Request): boolean {
  const meant = VERBS.filter(([pattern]) => pattern.test(text));
  return meant.length > 0 && request.intent !== "question" &&
    VERBS.some(([, intents]) => intents.includes(request.intent)) &&
    !meant.some(([, intents]) => intents.includes(request.intent)) &&
    !OWN_VERB[request.intent]?.test(text);
}

const OWN_VERB: Partial<Record<Request["intent"], RegExp>> = {
  modify_items: /\b(chang|modif|updat)/,
  exchange: /\b(chang|replac)/,
  return: /\brefund/,
};
