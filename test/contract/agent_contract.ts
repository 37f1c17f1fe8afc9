/** Defines the contract tests that every agent must pass, regardless of its model. */

import assert from "node:assert/strict";
import type {
  Agent,
  AgentSession,
  AgentStep,
  Dataset,
  Message,
  Observation,
  Task,
  Turn,
} from "../../env/types.ts";

/** An agent to test, and the environment in which it acts. */
export interface AgentSubject {
  readonly agent: Agent;
  readonly dataset: Dataset;
  readonly task: Task;
  readonly firstMessage: string;
  /**
   * The form of the agent's actions. With `calls`, the agent makes tool calls. With `text`, it writes its actions as
   * text, and receives observations as user messages. Default: `calls`.
   */
  readonly form?: "calls" | "text";
  /**
   * The environment's two possible observations in each turn: `toCall` if the agent makes a call, and `toWords` if it
   * sends a message.
   */
  readonly observations: readonly {
    readonly toCall: string;
    readonly toWords: string;
  }[];
}

/**
 * Registers the contract tests for an agent.
 * @param load Creates a new agent on each call.
 */
export function agentContract(
  name: string,
  load: () => Promise<AgentSubject>,
): void {
  function test(
    fact: string,
    check: (subject: AgentSubject) => Promise<void>,
  ): void {
    Deno.test(`${name}: ${fact}`, async () => await check(await load()));
  }

  test("a conversation begins with the user's first message, optionally after a system message", (subject) => {
    const session = start(subject);
    const roles = session.messages.map(({ role }) => role).join();
    assert.match(roles, /^(system,)?user$/);
    assert.equal(session.messages.at(-1)?.content, subject.firstMessage);
    session.close();
    return Promise.resolve();
  });

  test("every step is an action, a mistake that is answered, or the end of the tokens", async (subject) => {
    const session = start(subject);
    for await (const { step, before } of act(session, subject)) {
      const added = session.messages.slice(before);
      assert.equal(added[0]?.role, "assistant");
      if (step.type === "action" && step.action.type === "tool") {
        const { call } = step.action;
        assert.ok(call.name.length > 0 && call.id.length > 0);
        assert.ok(call.arguments instanceof Map);
        const expected = subject.form === "text" ? undefined : [call];
        assert.deepEqual(assistantCalls(added[0]), expected);
      } else if (step.type === "parse_error") {
        assert.ok(step.message.length > 0);
        assert.equal(added.length, 2);
        assert.notEqual(added[1]?.role, "assistant");
        assert.ok(added[1]?.content.includes(step.message));
      }
    }
    session.close();
  });

  test("messages are only appended, and each observation becomes the last message", async (subject) => {
    const session = start(subject);
    let before: readonly Message[] = session.messages.slice();
    for await (const { observation } of act(session, subject)) {
      const now = session.messages.slice();
      assert.deepEqual(now.slice(0, before.length), before);
      if (observation !== null) {
        assert.deepEqual(
          shownIn(now.at(-1)),
          expectedOf(observation, subject),
        );
      }
      before = now;
    }
    session.close();
  });

  test("the same seed gives the same conversation", async (subject) => {
    const conversations: (readonly Message[])[] = [];
    for (let i = 0; i < 2; i++) {
      const session = start(subject);
      for await (const _ of act(session, subject));
      conversations.push(session.messages.slice());
      session.close();
    }
    assert.deepEqual(conversations[0], conversations[1]);
  });

  test("earlier turns are part of the conversation as the agent's own", async (subject) => {
    const whole = start(subject);
    const history: Turn[] = [];
    for await (const { step, observation } of act(whole, subject)) {
      if (step.type !== "action" || observation === null) continue;
      history.push({ action: step.action, observation });
    }
    whole.close();
    const opening = start(subject);
    const session = start(subject, history);
    const told = session.messages.slice(opening.messages.length);
    assert.equal(told.length, 2 * history.length);
    for (const [i, { action, observation }] of history.entries()) {
      const [did, saw] = told.slice(2 * i, 2 * i + 2);
      assert.equal(did?.role, "assistant");
      assert.deepEqual(shownIn(saw), expectedOf(observation, subject));
      if (subject.form === "text") continue;
      const calls = action.type === "tool" ? [action.call] : undefined;
      assert.deepEqual(assistantCalls(did), calls);
    }
    for (const one of [opening, session]) one.close();
  });
}

/** The role and the text of a message. */
type Shown = Pick<Message, "role" | "content">;

function shownIn(message: Message | undefined): Shown {
  const { role, content } = message as Message;
  return { role, content };
}

function expectedOf(
  { source, content }: Observation,
  { form, dataset }: AgentSubject,
): Shown {
  if (form !== "text" || source === "user") return { role: source, content };
  const { observationPrefix } = dataset.prompts().agent;
  return { role: "user", content: observationPrefix + content };
}

function start(
  { agent, dataset, task, firstMessage }: AgentSubject,
  history: readonly Turn[] = [],
) {
  return agent.start({ dataset, task, seed: 11, firstMessage, history });
}

interface Moment {
  readonly step: AgentStep;
  /** The observation after the step; `null` if the step is not an action. */
  readonly observation: Observation | null;
  /** The number of messages before the step. */
  readonly before: number;
}

/**
 * Lets the agent act once per pair of observations, and yields each step. Ends early if the agent runs out of tokens.
 */
async function* act(
  session: AgentSession,
  { observations }: AgentSubject,
): AsyncGenerator<Moment> {
  for (const { toCall, toWords } of observations) {
    const before = session.messages.length;
    const step = await session.act();
    if (step.type !== "action") {
      yield { step, observation: null, before };
      if (step.type === "out_of_tokens") return;
      continue;
    }
    const observation: Observation = step.action.type === "tool"
      ? { source: "tool", content: toCall, done: false }
      : { source: "user", content: toWords, done: false };
    session.observe(observation);
    yield { step, observation, before };
  }
}

function assistantCalls(message: Message | undefined) {
  return message?.role === "assistant" ? message.toolCalls : undefined;
}
