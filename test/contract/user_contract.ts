/** Defines the contract tests that every simulated user must pass, regardless of its strategy. */

import assert from "node:assert/strict";
import {
  STOP,
  type Task,
  type User,
  type UserFactory,
} from "../../env/types.ts";

/** Options for {@linkcode userContract}: how to create the simulated users to test, and their task. */
export interface UserContractOptions {
  /** Returns a factory of users. Each test calls this function, so that tests do not share a factory's state. */
  readonly factory: () => UserFactory | Promise<UserFactory>;
  readonly task: () => Task | Promise<Task>;
}

const CLERK = [
  "hello, what is your email?",
  "which order is it?",
  "is there anything else?",
];

/** Registers the contract tests for a kind of simulated user. */
export function userContract(name: string, options: UserContractOptions): void {
  async function make(seed = 1): Promise<User> {
    const [factory, task] = [await options.factory(), await options.task()];
    return factory(task, { seed });
  }

  Deno.test(`${name}: opens with a message without the stop token`, async () => {
    const first = await (await make()).open();
    assert.ok(first.trim().length > 0);
    assert.ok(!first.includes(STOP));
  });

  Deno.test(`${name}: answers every message until it stops, and stops eventually`, async () => {
    const user = await make();
    await user.open();
    let reply = "";
    for (let i = 0; i < 100 && !reply.includes(STOP); i++) {
      reply = await user.reply(CLERK[i % CLERK.length] ?? "");
      assert.ok(reply.trim().length > 0);
    }
    assert.ok(reply.includes(STOP));
  });

  Deno.test(`${name}: the same seed gives the same conversation`, async () => {
    assert.deepEqual(
      await converse(await make(7)),
      await converse(await make(7)),
    );
  });
}

async function converse(user: User): Promise<string[]> {
  const said = [await user.open()];
  for (const message of CLERK) {
    if (said.at(-1)?.includes(STOP)) break;
    said.push(await user.reply(message));
  }
  return said;
}
